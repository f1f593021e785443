import { EXIT } from '@multi-image/kit/command-line';
import { configJsonSchema } from '../config/check.ts';
import { readOptions } from './options.ts';

const help = `Usage: multi-image-manifests schema

Prints the JSON Schema of konflux.config.ts.
`;

export async function runSchema(args: readonly string[]): Promise<number> {
  if (readOptions({ name: 'schema', help }, args, {}) !== undefined)
    process.stdout.write(`${JSON.stringify(configJsonSchema(), undefined, 2)}\n`);
  return EXIT.done;
}
