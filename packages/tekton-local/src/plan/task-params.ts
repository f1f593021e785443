import type { ParamSpec, ParamValue } from './model.ts';
import { variablesIn } from './replace/expressions.ts';
import { Variables } from './replace/variables.ts';

/** The params of a TaskRun with the defaults of its Task, of which one may refer to others. */
export function taskParams(declared: readonly ParamSpec[], given: Readonly<Record<string, ParamValue>>): Variables {
  const params = new Variables();
  const refers = (value: ParamValue | undefined): value is string =>
    typeof value === 'string' && value.includes('$(params.');
  for (const { name, default: value } of declared) {
    if (value !== undefined && !refers(value)) params.addParam(name, value, 'task');
  }
  for (const { name, default: value } of declared) {
    if (!refers(value)) continue;
    for (const { text, rest } of variablesIn(value, 'params')) {
      const found = params.strings.get(`params.${rest}`);
      // As in Tekton, each replaces in what is written, so that of several references the last one counts.
      if (found !== undefined) params.addParam(name, value.replaceAll(text, found), 'task');
    }
  }
  for (const [name, value] of Object.entries(given)) {
    const before = params.objects.get(`params.${name}`);
    const isObject = typeof value === 'object' && !Array.isArray(value);
    params.addParam(name, isObject && before !== undefined ? { ...before, ...value } : value, 'task');
  }
  return params;
}
