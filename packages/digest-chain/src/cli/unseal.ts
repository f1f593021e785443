import { printableJson } from '../../../kit/src/terminal.ts';
import { parseReference } from '../reference.ts';
import { unseal } from '../unseal.ts';
import { COMMON, connect, oneImage, parseArguments, usage, writeOutput } from './arguments.ts';

export async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, positionals } = parseArguments(args, {
    ...COMMON,
    manifest: { type: 'string' },
    config: { type: 'string' },
  });
  const sealed = parseReference(oneImage(positionals));
  const { origin, seal } = await unseal(connect(values), sealed, { prefix: values.prefix, signal });
  const config = origin.images[0]?.config ?? '';
  if (values.config !== undefined && origin.images.length !== 1) {
    throw usage('an index has no config of its own: unseal with --manifest only');
  }
  await writeOutput(values.manifest, origin.manifest.bytes);
  await writeOutput(values.config, config);
  const { digest, mediaType } = origin.manifest;
  process.stdout.write(`${values.json ? printableJson({ origin: digest, mediaType, links: seal.links }) : digest}\n`);
  return 0;
}
