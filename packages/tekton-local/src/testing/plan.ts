import { makeCheckout } from '@multi-image/testing/checkout';
import { onTestFinished } from 'vitest';
import { TektonLocalError } from '../errors.ts';
import type { ParamValue } from '../plan/model.ts';
import { makePlan, type Plan } from '../plan/plan.ts';
import { resolveRun } from '../plan/resolve.ts';

const build = {
  apiVersion: 'tekton.dev/v1',
  kind: 'Task',
  metadata: { name: 'build' },
  spec: {
    params: [{ name: 'IMAGE' }, { name: 'ARGS', type: 'array', default: [] }],
    results: [{ name: 'IMAGE_URL' }],
    steps: [{ name: 'build', image: 'image' }],
  },
};

/** The plan of `run.yaml` in these files; of bundles only `build` is given. To be called in a test. */
export function planOf(
  files: Record<string, string>,
  options: { variables?: Record<string, string>; params?: Record<string, ParamValue>; file?: string } = {},
): Plan {
  const checkout = makeCheckout(files);
  onTestFinished(() => checkout.remove());
  const { variables = {}, file = 'run.yaml' } = options;
  const resolved = resolveRun({
    root: checkout.root,
    file,
    variables,
    authSecret: 'auth',
    tasks: { build: { task: build } },
  });
  return makePlan(resolved, options.params ?? {});
}

/** `path: message` of each problem. */
export function problemsOf(action: () => unknown): string[] {
  try {
    action();
  } catch (error) {
    if (error instanceof TektonLocalError) return error.problems.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
  return [];
}
