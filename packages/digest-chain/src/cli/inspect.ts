import { inspect } from '../inspect/inspect.ts';
import { parseReference } from '../reference.ts';
import { COMMON, parseArguments, single, usage } from './arguments.ts';
import { connect } from './registry.ts';
import { printableJson } from './terminal.ts';

export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArguments('inspect', args, { ...COMMON, mermaid: { type: 'boolean' } });
  if (values.json && values.mermaid) throw usage('inspect', '--json and --mermaid are two outputs');
  const image = parseReference(single('inspect', 'image', positionals));
  const prefix = values.prefix === undefined ? {} : { prefix: values.prefix };
  const inspection = await inspect(connect(values), image, prefix);
  if (values.json) process.stdout.write(`${printableJson(inspection)}\n`);
  else if (values.mermaid) process.stdout.write((await import('./inspect-mermaid.ts')).formatMermaid(inspection));
  else process.stdout.write((await import('./inspect-tree.ts')).formatTree(inspection));
  return 0;
}
