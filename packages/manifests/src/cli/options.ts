import { type ParseArgsConfig, parseArgs } from 'node:util';
import { reasonOf } from '@multi-image/kit/errors';
import { ManifestsError } from '../errors.ts';

type Options = NonNullable<ParseArgsConfig['options']>;
type Values<T extends Options> = ReturnType<typeof parseArgs<{ options: T }>>['values'];

/**
 * The options of a command; undefined where all that was asked for is its help, which is printed then.
 *
 * @throws ManifestsError USAGE
 */
export function readOptions<const T extends Options>(
  command: { readonly name: string; readonly help: string },
  args: readonly string[],
  options: T,
): Values<T> | undefined {
  try {
    const all = { ...options, help: { type: 'boolean', short: 'h' } } as const;
    const { values } = parseArgs({ args: [...args], options: all });
    if (!('help' in values)) return values as Values<T>;
    process.stdout.write(command.help);
    return undefined;
  } catch (cause) {
    const hint = `${command.name} --help shows the options`;
    throw new ManifestsError('USAGE', reasonOf(cause), { hint, cause });
  }
}
