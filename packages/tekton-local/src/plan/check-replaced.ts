import { keysOf } from './admit-params.ts';
import { STEP_RESULT, variablesIn, withoutIndex } from './expressions.ts';
import type { Task } from './model.ts';
import { textsOfSpecStep } from './task-runs.ts';

/**
 * What Tekton says against a Task whose variables are replaced; undefined if nothing. Such as a param that nothing
 * declares, which a value may have brought in.
 *
 * @param open Params whose values are not known yet.
 */
export function problemOfReplaced(spec: Task, open: readonly string[] = []): string | undefined {
  const declared = new Set([...spec.params.map(({ name }) => name), ...open]);
  const arrays = new Set(spec.params.filter(({ type }) => type === 'array').map((param) => param.name));
  const results = new Set(spec.results.map(({ name }) => name));
  const objects = spec.params.filter(({ type }) => type === 'object');
  const keys = new Map(objects.map(({ name, field }) => [name, new Set(keysOf(field.get('properties')))]));
  const unknown = spec.workspaces.find(({ mountPath = '' }) => variablesIn(mountPath, 'params').length > 0);
  if (unknown !== undefined) return `${JSON.stringify(unknown.mountPath)} is no absolute path`;
  for (const step of spec.steps) {
    for (const text of [
      ...textsOfSpecStep(step),
      ...step.volumeMounts.flatMap((mount) => Object.values(mount).map(String)),
    ]) {
      const found = variablesIn(text, 'params').find(({ name, rest, tooLong }) => {
        if (tooLong) return true;
        const key = rest.slice(name.length + 1);
        const isWhole = keys.has(rest.replace(/\[\*\]$/, ''));
        return (
          isWhole ||
          !declared.has(withoutIndex(name)) ||
          (key !== '' && !open.includes(name) && keys.get(name)?.has(key) === false)
        );
      });
      if (found !== undefined) return `${found.text} refers to nothing that is declared`;
    }
    const { name, image, script = '', workingDir = '', volumeMounts } = step;
    const mounts = volumeMounts.flatMap((mount) => [mount.name, mount.mountPath, mount.subPath ?? '']);
    const lost = variablesIn(script, 'results').find((result) => !results.has(result.name));
    if (lost !== undefined) return `${lost.text} refers to nothing that is declared`;
    if ([name, image, script, workingDir, ...mounts].some((text) => STEP_RESULT.test(text))) {
      return `the step ${name} has a step's result outside of env, command and args`;
    }
    // Of a StepAction: a Task's own texts were looked at before.
    for (const text of [name, image, script, workingDir, ...step.env.map(({ value }) => value), ...mounts]) {
      const whole = variablesIn(text, 'params').find(({ rest }) => arrays.has(rest.replace(/\[\*\]$/, '')));
      if (whole !== undefined) return `${whole.text} is an array; a string has to be here`;
    }
    for (const text of [...(step.command ?? []), ...step.args]) {
      const whole = variablesIn(text, 'params').find(({ rest }) => arrays.has(rest.replace(/\[\*\]$/, '')));
      if (whole !== undefined && whole.text !== text) return `${whole.text} has to stand alone, since it is an array`;
    }
    if (step.image === '') return `the step ${step.name} has no image`;
    if (!['', 'continue', 'stopAndFail'].includes(step.onError)) {
      return `onError of the step ${step.name} has to be continue or stopAndFail, found ${JSON.stringify(step.onError)}`;
    }
  }
  return undefined;
}
