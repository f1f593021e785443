import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves once this holds. However long that takes on a busy machine: only what never happens fails, before its test. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 240_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`it did not happen: ${holds}`);
    await sleep(5);
  }
}
