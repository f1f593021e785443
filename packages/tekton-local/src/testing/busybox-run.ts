import { busyboxImage } from '@multi-image/testing/busybox';
import { makeCheckout } from '@multi-image/testing/checkout';
import { beforeAll } from 'vitest';
import { type Containers, probeContainers } from '../containers/containers.ts';
import type { PipelineRunOutcome, TaskOutcome } from '../outcome.ts';
import { type RunOptions, runPipeline } from '../run-pipeline.ts';

export interface BusyboxRuns {
  /** Runs `run.yaml` of these files; `test-image` is busybox, and so is `registry.example.com/test/image:1`. */
  run(files: Record<string, string>, options?: Partial<RunOptions>): Promise<PipelineRunOutcome>;
  /** What `test-image` stands for; not before the tests have started. */
  images(): Record<string, string>;
  /** What containers are run with; not before the tests have started. */
  containers(): Containers;
}

/** To be called in a `describe`: its tests run in the image that all tests share. */
export function busyboxRuns(): BusyboxRuns {
  let busybox = '';
  let containers: Containers = { runArguments: [], description: 'not probed yet' };
  beforeAll(async () => {
    busybox = busyboxImage();
    containers = await probeContainers();
  });
  return {
    images: () => ({ 'test-image': busybox }),
    containers: () => containers,
    async run(files, options) {
      const checkout = makeCheckout(files);
      try {
        return await runPipeline({
          root: checkout.root,
          file: 'run.yaml',
          containers,
          images: Object.fromEntries(
            ['test-image', 'registry.example.com/test/image:1'].map((name) => [name, busybox]),
          ),
          ...options,
        });
      } finally {
        checkout.remove();
      }
    },
  };
}

/** Fails unless there was such a task. */
export function taskOf(outcome: PipelineRunOutcome, name: string): TaskOutcome {
  const found = outcome.tasks.find((task) => task.name === name);
  if (found === undefined) throw new Error(`no task ${name}`);
  return found;
}

/** What all steps of a task said. */
export function logOf(outcome: PipelineRunOutcome, task: string): string {
  return taskOf(outcome, task)
    .steps.flatMap((step) => step.logTail)
    .join('\n');
}
