import { printableJson } from '../../../kit/src/terminal.ts';
import { inspect } from '../inspect/inspect.ts';
import { parseReference } from '../reference.ts';
import { COMMON, connect, parseArguments, single } from './arguments.ts';
import { formatTree } from './inspect-tree.ts';

export async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, positionals } = parseArguments('inspect', args, COMMON);
  const image = parseReference(single('inspect', 'image', positionals));
  const inspection = await inspect(connect(values), image, { prefix: values.prefix, signal });
  process.stdout.write(values.json ? `${printableJson(inspection)}\n` : formatTree(inspection));
  return 0;
}
