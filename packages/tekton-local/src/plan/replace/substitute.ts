import type { ParamValue } from '../model.ts';
import { Variables } from './variables.ts';

/** What variables stand for that are known only where a step runs: paths, and results of steps before it. */
export interface Scope {
  values: Readonly<Record<string, string>>;
  /** What steps that have ended wrote as their results, by `steps.<step>.results.<result>`. */
  results?: ReadonlyMap<string, string>;
}

/** Replaces the variables of a text once; what nobody knows stays. */
export function substituteString(text: string, { values }: Scope): string {
  return Variables.of(values).text(text);
}

/** Replaces the results of steps in texts (of commands, variables, conditions): an item that is nothing but a whole array becomes its items. */
export function substituteResults(texts: readonly string[], { results = new Map() }: Scope): string[] {
  if (results.size === 0 || !texts.some((text) => text.includes('$(steps.'))) return [...texts];
  const variables = new Variables();
  for (const [name, text] of results) {
    const value = stepResult(text);
    if (typeof value === 'string') variables.strings.set(name, value);
    else if (Array.isArray(value)) {
      variables.arrays.set(name, value);
      for (const [index, item] of value.entries()) variables.strings.set(`${name}[${index}]`, item);
    } else for (const [key, item] of Object.entries(value)) variables.strings.set(`${name}.${key}`, item);
  }
  return variables.list(texts);
}

/** The value of a step's result as other steps see it: an array or an object where its file says one. */
function stepResult(text: string): ParamValue {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    const value: unknown = JSON.parse(text);
    const items: unknown[] = typeof value === 'object' && value !== null ? Object.values(value) : [undefined];
    return items.every((item) => typeof item === 'string') ? (value as ParamValue) : text;
  } catch {
    return text;
  }
}

/** Kubernetes' own `$(NAME)` in command, args and env: the environment's variables; `$$(NAME)` is the text itself. */
export function expandEnvironment(text: string, env: ReadonlyMap<string, string>): string {
  return text.replace(/\$\$|\$\(([A-Za-z_.-][\w.-]*)\)/g, (whole: string, name: string | undefined) => {
    if (name === undefined) return '$';
    return env.get(name) ?? whole;
  });
}
