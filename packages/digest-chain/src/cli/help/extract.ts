import { REGISTRY_HELP } from './registry.ts';

export const HELP: string = `Usage: digest-chain extract <image> --role <role> [options]

Verifies an image of a chain and answers with another one of it.

Options:
  --role <role>         which other image
  --wait                wait until the image is published
  --deadline <time>     how long to wait: 90s, 30m, 2h (default: 30m)
  --key <file>          public keys (PEM) of the build system: ask for its signatures
                        and provenance too; can be repeated
  --revision <commit>   the git commit that all images must have been built from
  --prefix <prefix>     of the labels (default: io.konflux.poc)
  --result-url <file>   write the linked image's url there
  --result-digest <file>  write the linked image's digest there
${REGISTRY_HELP}
  --json                print the result, with the proof, as JSON
  -h, --help            print this

Examples:
  digest-chain extract quay.io/org/app:latest --role metadata
  digest-chain extract quay.io/org/app:$COMMIT --role metadata --wait --deadline 20m --revision $COMMIT
`;
