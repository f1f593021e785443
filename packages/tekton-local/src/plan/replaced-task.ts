import type { Step, Task } from './model.ts';
import { withTemplate } from './parse/template.ts';
import { replaceInStep, replaceInTask } from './replace/replace.ts';
import { Variables } from './replace/variables.ts';
import { type BoundWorkspace, pathsIn, type WorkspacePath, workspacePaths } from './task-paths.ts';
import type { taskRunPasses } from './task-runs.ts';

/**
 * A TaskRun's Task with everything replaced that Tekton replaces before the Pod: params, contexts, and then the paths of
 * results and workspaces. What stays is for the steps: results of the steps before them, and what nobody knows.
 *
 * @param workspaces Those that are bound.
 */
export function replacedTask(
  { task, passes }: ReturnType<typeof taskRunPasses>,
  workspaces: readonly BoundWorkspace[],
): Task {
  const known = passes.reduce(replaceInTask, task);
  const mounts = workspacePaths(known, workspaces);
  // Those that it declares come first, in their order.
  const declared = known.workspaces.flatMap(({ name }) => mounts.find((mount) => mount.name === name) ?? []);
  const all = [...new Set([...declared, ...mounts])];
  const placed = {
    ...known,
    steps: known.steps.map((step) => withOwnMounts(withOwnResults(step), all)),
    sidecars: known.sidecars.map((sidecar) => ({ ...sidecar, ...withOwnMounts(sidecar, all) })),
  };
  const replaced = pathPasses(known, all).reduce(replaceInTask, placed);
  return { ...replaced, steps: replaced.steps.map((step) => merged(step, replaced)) };
}

/** Paths are replaced at once, unless one of them has variables itself, which then are those of the workspaces after it. */
function pathPasses(task: Task, mounts: readonly WorkspacePath[]): Variables[] {
  const values = pathsIn(task, mounts);
  if (!mounts.some(({ containerPath }) => containerPath.includes('$('))) return [Variables.of(values)];
  const entries = Object.entries(values);
  const paths = mounts.map(({ name }) => `workspaces.${name}.path`);
  const pass = (wanted: (key: string) => boolean): Variables =>
    Variables.of(Object.fromEntries(entries.filter(([key]) => wanted(key))));
  return [
    pass((key) => !key.startsWith('workspaces.')),
    ...paths.map((path) => pass((key) => key === path)),
    pass((key) => key.startsWith('workspaces.') && !paths.includes(key)),
  ];
}

/** A step with its template once more: what has become empty is the template's. */
function merged(step: Step, { template }: Task): Step {
  if (step.own === undefined) return step;
  const whole = template === undefined ? step.own : withTemplate(step.own, template);
  return { ...whole, security: step.security };
}

/** A step with the paths of its own results. */
function withOwnResults(step: Step): Step {
  return step.results.length === 0 ? step : withOwn(step, ownResultPaths(step));
}

/** A step or a sidecar with the paths of the workspaces that it has elsewhere than others, as it says them. */
function withOwnMounts(container: Step, bound: readonly WorkspacePath[]): Step {
  const own = container.workspaces.flatMap(({ name, mountPath }) =>
    mountPath !== undefined && bound.some((workspace) => workspace.name === name)
      ? [[`workspaces.${name}.path`, mountPath] as const]
      : [],
  );
  return own.length === 0 ? container : withOwn(container, Object.fromEntries(own));
}

/** A step with what it alone has; its template knows nothing of that. */
function withOwn(step: Step, values: Readonly<Record<string, string>>): Step {
  const pass = Variables.of(values);
  return step.own === undefined ? replaceInStep(step, pass) : { ...step, own: replaceInStep(step.own, pass) };
}

/** Where a step finds its own results. */
export function ownResultPaths({ name: step, results }: Step): Record<string, string> {
  return Object.fromEntries(
    results.flatMap(({ name }) =>
      [`.${name}`, `["${name}"]`, `['${name}']`].map((key) => [
        `step.results${key}.path`,
        `/tekton/steps/step-${step}/results/${name}`,
      ]),
    ),
  );
}
