import { CelError } from '../cel/cel.ts';
import { TektonLocalError } from '../errors.ts';
import { isMap } from '../plan/yaml/field.ts';
import type { VariableLookup } from '../plan/yaml-file.ts';
import type { PacEvent } from './event.ts';
import { templateValue } from './pac-cel.ts';

/**
 * What `{{ … }}` stands for in an event: a variable, or an expression that starts with `body`, `headers`, `files` or
 * `cel:`. Answers undefined where Pipelines as Code leaves the text as it is.
 */
export function templateLookup(event: PacEvent, variables: Readonly<Record<string, string>>): VariableLookup {
  const { git_auth_secret: _, ...pac } = variables;
  return (name) => {
    const isCel = name.startsWith('cel:');
    if (!isCel && !/^(?:body|headers|files)/.test(name)) {
      return Object.hasOwn(variables, name) ? variables[name] : undefined;
    }
    if (name.startsWith('body') && event.body === undefined) return undefined;
    try {
      const expression = isCel ? name.slice('cel:'.length).trim() : name;
      return textOf(templateValue(expression, event, isCel ? pac : {}));
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      if (error.isLimit) throw new TektonLocalError('UNSUPPORTED', `{{ ${name} }}: ${error.message}`, { cause: error });
      return isCel ? '' : undefined;
    }
  };
}

/** A value as Pipelines as Code writes it into the text: JSON, but for texts themselves. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? String(value) : `"${value}"`;
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'));
  if (typeof value === 'number') return Number.isFinite(value) ? JSON.stringify(value) : '';
  if (typeof value === 'boolean') return JSON.stringify(value);
  // Of null, times and unsigned numbers nothing is left.
  return Array.isArray(value) || isPlain(value) ? JSON.stringify(sorted(value)) : '';
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (!isMap(value)) return value;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, sorted(value[key])]));
}

/** No time, no duration, no unsigned number. */
function isPlain(value: unknown): boolean {
  if (!isMap(value)) return false;
  const kind: unknown = Object.getPrototypeOf(value);
  return kind === Object.prototype || kind === null;
}
