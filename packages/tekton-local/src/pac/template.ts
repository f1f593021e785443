import { CelError } from '../cel/cel.ts';
import { isMap } from '../plan/field.ts';
import type { VariableLookup } from '../plan/yaml-file.ts';
import type { PacEvent } from './event.ts';
import { FilesUnknown, templateValue } from './pac-cel.ts';

/**
 * What `{{ … }}` stands for in an event: a variable, or an expression that starts with `body`, `headers`, `files` or
 * `cel:`. Answers undefined where Pipelines as Code leaves the text as it is.
 */
export function templateLookup(event: PacEvent, variables: Readonly<Record<string, string>>): VariableLookup {
  return (name) => {
    const isCel = name.startsWith('cel:');
    if (!isCel && !/^(?:body|headers|files)/.test(name)) {
      return Object.hasOwn(variables, name) ? variables[name] : undefined;
    }
    if (name.startsWith('body') && event.body === undefined) return undefined;
    try {
      const expression = isCel ? name.slice('cel:'.length).trim() : name;
      return textOf(templateValue(expression, event, isCel ? variables : {}));
    } catch (error) {
      if (error instanceof FilesUnknown || !(error instanceof CelError)) throw error;
      return isCel ? '' : undefined;
    }
  };
}

/** A value as Pipelines as Code writes it into the text: JSON, but for texts themselves. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint') return String(value);
  if (value === null || value === undefined) return '';
  return JSON.stringify(sorted(value));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value === 'bigint') return Number(value);
  if (!isMap(value)) return value;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, sorted(value[key])]));
}
