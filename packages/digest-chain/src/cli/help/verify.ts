import { REGISTRY_HELP } from './registry.ts';

export const HELP: string = `Usage: digest-chain verify <image> [options]

Proves from the registry alone that the images of a chain name each other by
digest; with a key, also that the build system signed that it built them so. Starts
from any image of the chain. Reports every check; exits 1 where what was asked for
does not hold.

Options:
  --key <file>          public keys (PEM) of the build system; can be repeated. No
                        certificate and no transparency log is checked
  --at <role>=<repository>  read the images of this role there, not at their url: for a
                        chain that was copied; can be repeated
  --no-statement        don't look for a chain statement beside the labels
  --revision <commit>   the git commit that all images must have been built from
  --prefix <prefix>     of the labels (default: io.konflux.poc)
${REGISTRY_HELP}
  --json                print the proof as JSON
  -h, --help            print this

Examples:
  digest-chain verify quay.io/org/app:latest
  digest-chain verify quay.io/org/app:latest --key cosign.pub
  digest-chain verify mirror.example/app:1.0 --at metadata=mirror.example/meta
  digest-chain verify quay.io/org/app@sha256:… --revision $(git rev-parse HEAD) --json
`;
