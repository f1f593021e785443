import type { Task } from './model.ts';
import { replaceInStep, replaceInTask } from './replace.ts';
import { pathsIn, type taskRunPasses, workspacePaths } from './task-runs.ts';
import { Variables } from './variables.ts';

/**
 * A TaskRun's Task with everything replaced that Tekton replaces before the Pod: params, contexts, and then the paths of
 * results and workspaces. What stays is for the steps: results of the steps before them, and what nobody knows.
 *
 * @param workspaces The names of those that are bound.
 */
export function replacedTask({ task, passes }: ReturnType<typeof taskRunPasses>, workspaces: readonly string[]): Task {
  const known = passes.reduce(replaceInTask, task);
  const paths = Variables.of(pathsIn(known, workspacePaths(known, workspaces)));
  const replaced = replaceInTask(known, paths);
  const steps = replaced.steps.map((step) => {
    if (step.results.length === 0) return step;
    const own = replaceInStep(step, Variables.of(ownResultPaths(step)));
    // A template knows nothing of a step's own results.
    return { ...own, env: step.env.map((item, index) => (item.inherited ? item : (own.env[index] ?? item))) };
  });
  return { ...replaced, steps };
}

/** Where a step finds its own results. */
export function ownResultPaths({ name: step, results }: Task['steps'][number]): Record<string, string> {
  return Object.fromEntries(
    results.map(({ name }) => [`step.results.${name}.path`, `/tekton/steps/step-${step}/results/${name}`]),
  );
}
