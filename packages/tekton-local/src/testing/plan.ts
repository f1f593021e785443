import { makeCheckout } from '@multi-image/testing/checkout';
import { onTestFinished } from 'vitest';
import { TektonLocalError } from '../errors.ts';
import { makePlan, type Plan } from '../plan/plan.ts';
import { resolveRun } from '../plan/resolve.ts';
import type { ParamValue, StandIn } from '../stand-in.ts';

const build: StandIn = {
  task: 'build',
  params: { IMAGE: { type: 'string' }, ARGS: { type: 'array', default: [] } },
  results: ['IMAGE_URL'],
  run: async () => ({}),
};

/** The plan of `run.yaml` in these files; the only stand-in is `build`. To be called in a test. */
export function planOf(
  files: Record<string, string>,
  options: { variables?: Record<string, string>; params?: Record<string, ParamValue>; file?: string } = {},
): Plan {
  const checkout = makeCheckout(files);
  onTestFinished(() => checkout.remove());
  const { variables = {}, file = 'run.yaml' } = options;
  const resolved = resolveRun({ root: checkout.root, file, variables, authSecret: 'auth', standIns: [build] });
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
