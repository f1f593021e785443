import { Field, isMap } from '../yaml/field.ts';

/** A step with what its template gives it. */
export interface StepTexts {
  /** The field that counts: the step's own, or its template's. */
  get(key: string): Field;
}

/** One text of a step in which variables are replaced. */
export interface StepText {
  field: Field;
  text: string;
  /** It is an item of a list, which a variable may replace by several. */
  isItem: boolean;
}

const steps = new WeakMap<Field, readonly StepTexts[]>();
const texts = new WeakMap<StepTexts, readonly StepText[]>();

/** The steps of a Task, each with what the template gives it; a reference to a StepAction gets nothing. */
export function mergedSteps(spec: Field): readonly StepTexts[] {
  return known(steps, spec, stepsOf);
}

/** Every text of a step in which Tekton's webhook looks for variables. */
export function textsOfStep(step: StepTexts): readonly StepText[] {
  return known(texts, step, findTexts);
}

/** Many rules ask the same of a step. */
function known<Key extends object, Value>(all: WeakMap<Key, Value>, key: Key, find: (key: Key) => Value): Value {
  const found = all.get(key) ?? find(key);
  all.set(key, found);
  return found;
}

function stepsOf(spec: Field): StepTexts[] {
  const template = spec.get('stepTemplate');
  return spec
    .get('steps')
    .items()
    .map((step) => {
      if (!template.present || step.get('ref').present) return step;
      return { get: (key) => merged(step.get(key), template.get(key), key) };
    });
}

/** What name each item of a list has, where lists of steps and templates are merged item by item. */
const MERGED_BY: Readonly<Record<string, string>> = { env: 'name', volumeMounts: 'mountPath' };

function merged(own: Field, template: Field, key: string): Field {
  const by = MERGED_BY[key];
  if (by === undefined || !template.present || !own.present) {
    const isSaid = Array.isArray(own.value) ? own.value.length > 0 : own.present && own.value !== '';
    return isSaid || !template.present ? own : template;
  }
  const names = new Set(own.items().map((item) => item.get(by).text()));
  const inherited = template.items().filter((item) => !names.has(item.get(by).text()));
  return new Field([...own.items(), ...inherited], own.origin, own.keys);
}

function findTexts(step: StepTexts): StepText[] {
  const one = (field: Field): StepText[] => (field.text() === '' ? [] : [{ field, text: field.text(), isItem: false }]);
  const items = (field: Field): StepText[] =>
    field.items().map((item) => ({ field: item, text: item.text(), isItem: true }));
  return [
    ...['name', 'image', 'workingDir', 'script', 'onError'].flatMap((key) => one(step.get(key))),
    ...items(step.get('command')),
    ...items(step.get('args')),
    ...step
      .get('env')
      .items()
      .flatMap((variable) => one(variable.get('value'))),
    ...step
      .get('volumeMounts')
      .items()
      .flatMap((mount) => ['name', 'mountPath', 'subPath'].flatMap((key) => one(mount.get(key)))),
  ].filter(({ field }) => !isMap(field.value));
}
