import { parseArgs } from 'node:util';
import { configJsonSchema } from '../config/check.ts';
import { ManifestsError } from '../errors.ts';

const HELP = `Usage: multi-image-manifests schema

Prints the JSON Schema of konflux.config.ts.
`;

export function runSchema(args: readonly string[]): number {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { help: { type: 'boolean', short: 'h', default: false } },
    });
    process.stdout.write(values.help ? HELP : `${JSON.stringify(configJsonSchema(), undefined, 2)}\n`);
    return 0;
  } catch (cause) {
    throw new ManifestsError('USAGE', (cause as Error).message, { hint: 'schema takes no options', cause });
  }
}
