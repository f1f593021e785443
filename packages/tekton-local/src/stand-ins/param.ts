import { TektonLocalError } from '../errors.ts';
import type { StandIn, StandInContext } from '../stand-in.ts';

/** The value of a string param. */
export function text(context: StandInContext, name: string): string {
  const value = context.params[name];
  if (typeof value === 'string') return value;
  throw new TektonLocalError('INVALID', `param ${name} is not a string`, { found: JSON.stringify(value) ?? 'nothing' });
}

/** The value of an array param. */
export function list(context: StandInContext, name: string): string[] {
  const value = context.params[name];
  if (Array.isArray(value)) return value;
  throw new TektonLocalError('INVALID', `param ${name} is not an array`, { found: JSON.stringify(value) ?? 'nothing' });
}

/** String params with these defaults, as a stand-in declares them. */
export function strings(defaults: Record<string, string>): StandIn['params'] {
  return Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [name, { type: 'string', default: value }]),
  );
}

/**
 * Refuses params that the real task heeds and the stand-in does not, by name: a value that is silently dropped would
 * make the local run something else than what runs on the cluster.
 */
export function refuseUnheeded(context: StandInContext, params: StandIn['params'], unheeded: readonly string[]): void {
  for (const name of unheeded) {
    const value = context.params[name];
    const expected = params[name]?.default;
    if (value === undefined || JSON.stringify(value) === JSON.stringify(expected)) continue;
    throw new TektonLocalError('UNSUPPORTED', `param ${name} is not supported locally`, {
      expected: `its default, ${JSON.stringify(expected)}`,
      found: JSON.stringify(value),
    });
  }
}
