import { parseReference } from '../reference.ts';
import { createRegistry } from '../registry/client.ts';
import { unseal } from '../unseal.ts';
import { COMMON, parseArguments, single, usage, writeOutput } from './arguments.ts';
import { printableJson } from './terminal.ts';

export const HELP: string = `Usage: digest-chain unseal <sealed> [options]

Reconstructs the image as it was before it was sealed, byte for byte, and prints
its digest. Fails where the seal does not lead back to the digest that it names.

Options:
  --manifest <file>     write the reconstructed manifest (or index) there
  --config <file>       write the reconstructed config there (not for an index)
  --prefix <prefix>     of the labels (default: io.konflux.poc)
  --json                print the result as JSON
  -h, --help            print this

Examples:
  digest-chain unseal quay.io/org/app:1.0
  digest-chain unseal quay.io/org/app@sha256:… --manifest manifest.json && sha256sum manifest.json
`;

export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArguments('unseal', args, {
    ...COMMON,
    manifest: { type: 'string' },
    config: { type: 'string' },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const sealed = parseReference(single('unseal', 'image', positionals));
  const prefix = values.prefix === undefined ? {} : { prefix: values.prefix };
  const { origin, seal } = await unseal(createRegistry(), sealed, prefix);
  const config = origin.images[0]?.config ?? '';
  if (values.config !== undefined && origin.images.length !== 1) {
    throw usage('unseal', 'an index has no config of its own: unseal with --manifest only');
  }
  await writeOutput(values.manifest, origin.manifest.bytes);
  await writeOutput(values.config, config);
  const { digest, mediaType } = origin.manifest;
  process.stdout.write(`${values.json ? printableJson({ origin: digest, mediaType, links: seal.links }) : digest}\n`);
  return 0;
}
