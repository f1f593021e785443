import { keysOf } from './admit/params.ts';
import type { ActionOfStep, ParamSpec, ParamValue, Step, Task } from './model.ts';
import { withTemplate } from './parse/template.ts';
import { variablesIn } from './replace/expressions.ts';
import { replaceInParams, replaceInStep } from './replace/replace.ts';
import { spellings, type Variables } from './replace/variables.ts';
import { taskParams } from './task-params.ts';
import { parseParamSpecs, parseParams } from './values.ts';
import { Field, isMap } from './yaml/field.ts';

/** What a StepAction says of the step that it becomes. */
const OF_ACTION = 'image command args env script workingDir securityContext volumeMounts results'.split(' ');

/**
 * An object whose steps that refer to StepActions say what those say, with both their params beside it, to be put together
 * by {@link withActions}.
 *
 * @param find The StepAction that a `ref` means; undefined where there is none, which is noted by then.
 */
export function withStepActions(object: Field, find: (reference: Field) => Field | undefined): Field {
  return hasReference(object.value) ? withActionsInside(object, find) : object;
}

/** Whether there may be a step that refers to a StepAction. */
function hasReference(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasReference);
  return isMap(value) && (Object.hasOwn(value, 'ref') || Object.values(value).some(hasReference));
}

function withActionsInside(object: Field, find: (reference: Field) => Field | undefined): Field {
  if (Array.isArray(object.value)) {
    const items = object.items().map((item) => withActionsInside(item, find));
    return items.every((item, index) => item === object.items()[index]) ? object : object.withItems(items);
  }
  const changed: Record<string, Field> = {};
  for (const [key, member] of object.members()) {
    const isSteps = key === 'steps' && Array.isArray(member.value);
    const now = isSteps ? withSteps(member, find) : withActionsInside(member, find);
    if (now !== member) changed[key] = now;
  }
  return Object.keys(changed).length === 0 ? object : object.with(changed);
}

function withSteps(steps: Field, find: (reference: Field) => Field | undefined): Field {
  if (!steps.items().some((step) => step.get('ref').present)) return steps;
  return steps.withItems(steps.items().map((step) => new Field(stepOf(step, find), step.origin, step.keys)));
}

function stepOf(step: Field, find: (reference: Field) => Field | undefined): unknown {
  const reference = step.get('ref');
  if (!reference.present || !isMap(step.value)) return step.value;
  const action = find(reference);
  // What the step says itself of the rest, a StepAction replaces, be it by nothing.
  const own = Object.fromEntries(
    Object.entries(step.value).filter(([key]) => key !== 'ref' && !OF_ACTION.includes(key)),
  );
  // What is missing has been noted: the step only has to be one.
  if (action === undefined) return { ...own, image: 'missing', params: undefined };
  const spec = action.get('spec');
  checkParams(spec, step);
  const said = OF_ACTION.flatMap((key) => (spec.get(key).present ? [[key, spec.get(key).value]] : []));
  return { ...Object.fromEntries(said), ...own, actionParams: spec.get('params').value ?? [] };
}

function checkParams(spec: Field, step: Field): void {
  const declared = parseParamSpecs(spec.get('params'));
  const given = new Set(parseParams(step.get('params')).map(({ name }) => name));
  for (const name of given) {
    if (!declared.some((param) => param.name === name))
      step.get('params').invalid(`the StepAction has no param ${name}`);
  }
  for (const { name, default: fallback } of declared) {
    if (!given.has(name) && fallback === undefined)
      step.get('params').invalid(`the StepAction needs the param ${name}`);
  }
}

/** Thrown where a StepAction gets a value of another type than its default's: also a step's result in place of an array. */
export class TypeMismatch extends Error {
  override readonly name = 'TypeMismatch';
}

/** Thrown where a StepAction's param would stay a variable in its texts, which Tekton hands to the step as it is. */
export class OpenParam extends Error {
  override readonly name = 'OpenParam';
}

/**
 * A Task whose StepActions are steps like others.
 *
 * @param params The values of the TaskRun's own params.
 * @throws OpenParam
 * @throws TypeMismatch Where a StepAction gets an array in place of a string or the other way round.
 */
export function withActions(task: Task, params: Variables): Task {
  if (!task.steps.some(({ action }) => action !== undefined)) return task;
  return {
    ...task,
    steps: task.steps.map((step) => {
      if (step.action === undefined) return step;
      const { own, template } = step.action;
      const { name, onError, when, security } = step;
      // What the Task says of the step is no part of the StepAction.
      const replaced = { ...replaceInStep(own, actionParams(step.action, params)), name, onError, when };
      return { ...step, ...withTemplate(replaced, template), security, action: undefined };
    }),
  };
}

/** The StepAction's params: what the step gives, with the Task's params in it, and the defaults. */
function actionParams({ declared, given, own }: ActionOfStep, params: Variables): Variables {
  const values = replaceInParams(given, params).map(({ name, value }): [string, ParamValue] => [name, value]);
  const variables = taskParams(declared, { ...defaultsWith(declared, new Map(values)), ...Object.fromEntries(values) });
  for (const [name, value] of values) {
    const { type = 'string', field } = declared.find((param) => param.name === name) ?? {};
    if (typeof value !== 'string') continue;
    const result = stepResultIn(name, value);
    if (type === 'string') continue;
    // Of an object, the keys of the default stay.
    if (result === undefined && variables.objects.has(`params.${name}`)) continue;
    if (result === undefined) throw new OpenParam(`the StepAction's param ${name} is an ${type}, and gets a text`);
    // A step's result is only known where the step runs: its parts become parts of it.
    for (const spelling of spellings(name, 'task')) {
      variables.strings.set(`${spelling}[*]`, `$(${result}[*])`);
      for (const index of indexesIn(own, spelling)) {
        variables.strings.set(`${spelling}[${index}]`, `$(${result}[${index}])`);
      }
    }
    for (const key of field === undefined ? [] : keysOf(field.get('properties'))) {
      variables.strings.set(`params.${name}.${key}`, `$(${result}.${key})`);
    }
  }
  const twice = [...variables.strings.keys()].find((key) => variables.arrays.has(key));
  if (twice !== undefined) {
    throw new TypeMismatch(
      `the StepAction's param ${twice.replace('params.', '')} is an array by default, and gets a text`,
    );
  }
  return variables;
}

/** The step's result that a value starts with, without its parts. */
function stepResultIn(name: string, value: string): string | undefined {
  if (!value.startsWith('$(steps.')) return undefined;
  const [, result] =
    /^(steps\.[^.]+\.results\.[^.[]+)(?:\[(?:\d+|\*)\])?(?:\.[^.]+)?$/.exec(value.slice(2).replace(/\)$/, '')) ?? [];
  if (result === undefined)
    throw new OpenParam(`the StepAction's param ${name} starts as a step's result, and is none`);
  return result;
}

/** Defaults that refer to other params: to what those are given, which is otherwise than in a Task. */
function defaultsWith(
  declared: readonly ParamSpec[],
  given: ReadonlyMap<string, ParamValue>,
): Record<string, ParamValue> {
  const found: Record<string, ParamValue> = {};
  const textOf = (name: string, from: readonly string[]): string => {
    const spec = declared.find((param) => param.name === name);
    if (spec === undefined) throw new TypeMismatch(`the StepAction has no param ${name}, to which a default refers`);
    if (from.includes(name))
      throw new TypeMismatch(`defaults of the StepAction refer to each other: ${from.join(', ')}`);
    const value = given.get(name) ?? found[name] ?? spec.default;
    if (typeof value !== 'string') return '';
    if (given.has(name) || !value.includes('$(params.')) return value;
    return variablesIn(value, 'params').reduce(
      (text, { text: variable, rest }) => text.replaceAll(variable, textOf(rest, [...from, name])),
      value,
    );
  };
  for (const { name, default: value } of declared) {
    if (!given.has(name) && typeof value === 'string' && value.includes('$(params.')) found[name] = textOf(name, []);
  }
  return found;
}

/** The indexes of an array that a step asks for. */
function indexesIn({ command = [], args, env }: Step, spelling: string): string[] {
  const texts = [...command, ...args, ...env.map(({ value }) => value)];
  return texts.flatMap((text) =>
    text
      .split(`$(${spelling}[`)
      .slice(1)
      .flatMap((rest) => /^(\d+)\]\)/.exec(rest)?.[1] ?? []),
  );
}
