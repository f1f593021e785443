import { REGISTRY_HELP } from './registry.ts';

export const HELP: string = `Usage: digest-chain seal <origin> <role>=<image>... [options]

Writes the digests of the images that embed <origin> into its labels, and pushes
the result. Every byte but the seal's own labels stays,
so that unsealing gives the origin back, with its digest.

  <origin>, <image>     references with a digest: repo@sha256:…, repo:tag@sha256:…
  <role>                the linked image's part in the chain, such as metadata

Options:
  --tag <reference>     publish under this tag (repo:tag). Each linked image is checked
                        first: it exists, and embeds the origin. SBOMs are carried
                        over, and the chain statement is attached to all images.
                        The tag is written last.
  --to <repository>     push to this repository (default: the tag's, else the origin's);
                        what is not there is mounted, or copied
  --no-check            don't check the linked images; no statement is attached, and
                        SBOMs only with --carry
  --carry, --no-carry   whether SBOMs that are attached to <origin> are attached to the
                        sealed image too (default: with --tag); signatures never are
  --no-statement        attach no chain statement
  --pipeline-run <name>  what the statement names as the run that built the images
  --prefix <prefix>     of the labels (default: io.konflux.poc)
  --result-url <file>   write the sealed image's url there
  --result-digest <file>  write the sealed image's digest there
${REGISTRY_HELP}
  --json                print the result as JSON
  -h, --help            print this

Examples:
  digest-chain seal quay.io/org/app@sha256:… metadata=quay.io/org/meta:1.0@sha256:… --tag quay.io/org/app:1.0
  digest-chain seal quay.io/org/app@sha256:… bundle=quay.io/org/bundle@sha256:… catalog=quay.io/org/catalog@sha256:…
`;
