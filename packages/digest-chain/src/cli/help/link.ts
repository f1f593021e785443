import { REGISTRY_HELP } from './registry.ts';

export const HELP: string = `Usage: digest-chain link <image> <role>=<image>... [options]

Links an image to the images that embed it without changing it: attaches the chain
statement to each of them. Its digest stays what the others name.

  <image>               references with a digest: repo@sha256:…, repo:tag@sha256:…
  <role>                the linked image's part in the chain, such as bundle

Options:
  --tag <reference>     publish under this tag (repo:tag, the image's repository), last
  --pipeline-run <name>  what the statement names as the run that built the images
  --prefix <prefix>     of the labels (default: io.konflux.poc)
  --result-url <file>   write the image's url there
  --result-digest <file>  write the image's digest there
${REGISTRY_HELP}
  --json                print the result as JSON
  -h, --help            print this

Examples:
  digest-chain link quay.io/org/operator@sha256:… bundle=quay.io/org/bundle:1.0@sha256:… --tag quay.io/org/operator:1.0
`;
