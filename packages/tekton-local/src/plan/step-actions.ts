import { Field, isMap } from './field.ts';
import type { Keys } from './kubernetes-yaml.ts';
import type { ParamValue } from './model.ts';
import { parseParamSpecs, parseParams } from './parse-values.ts';
import { spellings, Variables } from './variables.ts';

/** What a StepAction says of the step that it becomes. */
const OF_ACTION = 'image command args env script workingDir securityContext volumeMounts results'.split(' ');

/**
 * An object whose steps that refer to StepActions are what those say, with the params that the steps give.
 *
 * @param find The StepAction that a `ref` means; undefined where there is none, which is noted by then.
 */
export function withStepActions(object: Field, find: (reference: Field) => Field | undefined): Field {
  const expand = (value: unknown, keys: Keys): unknown => {
    if (Array.isArray(value)) return value.map((item, index) => expand(item, [...keys, index]));
    if (!isMap(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => {
        const at = [...keys, key];
        if (key !== 'steps' || !Array.isArray(item)) return [key, expand(item, at)];
        return [key, item.map((step, index) => stepOf(new Field(step, object.origin, [...at, index]), find))];
      }),
    );
  };
  return new Field(expand(object.value, object.keys), object.origin, object.keys);
}

function stepOf(step: Field, find: (reference: Field) => Field | undefined): unknown {
  const reference = step.get('ref');
  if (!reference.present || !isMap(step.value)) return step.value;
  const action = find(reference);
  const { ref: _, params: __, ...own } = step.value;
  // What is missing has been noted: the step only has to be one.
  if (action === undefined) return { ...own, image: 'missing' };
  const spec = action.get('spec');
  const script = spec.get('script').text();
  if (/\$\(params[.[]/.test(script)) spec.get('script').invalid('a StepAction has no params in its script; use env');
  const variables = paramsOf(spec, step);
  const said = OF_ACTION.flatMap((key) =>
    spec.get(key).present ? [[key, replaced(spec.get(key).value, variables)]] : [],
  );
  return { ...Object.fromEntries(said), ...own };
}

/** The StepAction's params with what the step gives, under all of their spellings. */
function paramsOf(spec: Field, step: Field): Variables {
  const variables = new Variables();
  const declared = parseParamSpecs(spec.get('params'));
  const given = new Map(parseParams(step.get('params')).map(({ name, value }) => [name, value]));
  for (const name of given.keys()) {
    if (!declared.some((param) => param.name === name))
      step.get('params').invalid(`the StepAction has no param ${name}`);
  }
  for (const { name, type, default: fallback } of declared) {
    const value: ParamValue | undefined = given.get(name) ?? fallback;
    if (value === undefined) {
      step.get('params').invalid(`the StepAction needs the param ${name}`);
      continue;
    }
    variables.addParam(name, value, 'task');
    // A whole array or object of the Task's stays a variable, which the Task's own params replace.
    if (type === 'string' || typeof value !== 'string') continue;
    for (const spelling of spellings(name, 'task')) variables.strings.set(`${spelling}[*]`, value);
  }
  return variables;
}

function replaced(value: unknown, variables: Variables): unknown {
  if (typeof value === 'string') return variables.text(value);
  if (Array.isArray(value)) {
    const texts = value.every((item) => typeof item === 'string');
    return texts ? variables.list(value as string[]) : value.map((item) => replaced(item, variables));
  }
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaced(item, variables)]));
}
