import { inspect } from '../inspect/inspect.ts';
import { parseReference } from '../reference.ts';
import { createRegistry } from '../registry/client.ts';
import { COMMON, parseArguments, single, usage } from './arguments.ts';
import { printableJson } from './terminal.ts';

export const HELP: string = `Usage: digest-chain inspect <image> [options]

Shows a chain from any of its images on: the images, what links them, what is
attached to them, what is signed. Proves nothing; that is what verify does.

Options:
  --json                print it as JSON
  --mermaid             print it as a Mermaid flowchart
  --prefix <prefix>     of the labels (default: io.konflux.poc)
  -h, --help            print this

Examples:
  digest-chain inspect quay.io/org/app:latest
  digest-chain inspect quay.io/org/meta@sha256:… --mermaid > chain.mmd
`;

export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArguments('inspect', args, { ...COMMON, mermaid: { type: 'boolean' } });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (values.json && values.mermaid) throw usage('inspect', '--json and --mermaid are two outputs');
  const image = parseReference(single('inspect', 'image', positionals));
  const prefix = values.prefix === undefined ? {} : { prefix: values.prefix };
  const inspection = await inspect(createRegistry(), image, prefix);
  if (values.json) process.stdout.write(`${printableJson(inspection)}\n`);
  else if (values.mermaid) process.stdout.write((await import('./inspect-mermaid.ts')).formatMermaid(inspection));
  else process.stdout.write((await import('./inspect-tree.ts')).formatTree(inspection));
  return 0;
}
