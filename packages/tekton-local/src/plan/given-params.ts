import { keysOf } from './admit/params.ts';
import type { Param, ParamSpec, ParamValue } from './model.ts';
import { expressionsIn } from './replace/expressions.ts';
import { article, typeOf } from './values.ts';

/**
 * What is wrong with params that a task gets, now that results are in them; undefined if nothing. A text in which variables
 * stay may be anything.
 */
export function problemOfGiven(given: readonly Param[], specs: readonly ParamSpec[]): string | undefined {
  for (const { name, value } of given) {
    const declared = specs.find((spec) => spec.name === name);
    if (declared === undefined) continue;
    const [type, found] = [declared.type, typeOf(value)];
    const isOpen = typeof value === 'string' && type !== 'string' && expressionsIn(value).length > 0;
    if (found !== type && !isOpen) return `the param ${name} is ${article(type)}, and gets ${article(found)}`;
    const missing = missingKeys(declared, value);
    if (missing.length > 0) return `the param ${name} lacks ${missing.join(', ')}`;
  }
  return undefined;
}

/** The declared keys of an object that neither its default nor what is given has; none where there are none at all. */
export function missingKeys(declared: ParamSpec, value: ParamValue | undefined): string[] {
  const objects = [declared.default, value].filter((item) => typeof item === 'object' && !Array.isArray(item));
  if (declared.type !== 'object' || objects.length === 0) return [];
  const there = new Set(objects.flatMap((item) => Object.keys(item ?? {})));
  if (there.size === 0) return [];
  return keysOf(declared.field.get('properties')).filter((key) => !there.has(key));
}
