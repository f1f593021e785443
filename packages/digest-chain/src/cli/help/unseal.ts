import { REGISTRY_HELP } from './registry.ts';

export const HELP: string = `Usage: digest-chain unseal <sealed> [options]

Reconstructs the image as it was before it was sealed, byte for byte, and prints
its digest. Fails where the seal does not lead back to the digest that it names.

Options:
  --manifest <file>     write the reconstructed manifest (or index) there
  --config <file>       write the reconstructed config there (not for an index)
  --prefix <prefix>     of the labels (default: io.konflux.poc)
${REGISTRY_HELP}
  --json                print the result as JSON
  -h, --help            print this

Examples:
  digest-chain unseal quay.io/org/app:1.0
  digest-chain unseal quay.io/org/app@sha256:… --manifest manifest.json && sha256sum manifest.json
`;
