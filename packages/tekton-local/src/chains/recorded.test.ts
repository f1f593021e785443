import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCheckout } from '@multi-image/testing/checkout';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Executor } from '../executors/executor.ts';
import { type TaskOutcome, taskRunsOf } from '../outcome.ts';
import { planRun } from '../plan-run.ts';
import { hostPathOf } from '../run/confined-path.ts';
import { Run } from '../run/run.ts';
import type { TaskRunShown } from '../run/task-run.ts';
import { imagesInResults } from './image-results.ts';
import { type EndedTaskRun, provenanceOf, taskProvenanceOf } from './provenance.ts';
import { StepImages } from './step-images.ts';

/** A PipelineRun of a cluster, the results of its tasks as its status has them, and what Chains wrote of it. */
interface Recorded {
  readonly run: { readonly metadata: { readonly name: string }; readonly spec: object };
  readonly results: Readonly<Record<string, readonly { readonly name: string; readonly value: string }[]>>;
  readonly statement: Statement;
  /** The statements of TaskRuns, by the tasks' names. */
  readonly tasks: Readonly<Record<string, Statement>>;
}

interface Statement {
  readonly predicate: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

// Tekton 1.15, Chains 0.26; the middle of long scripts is cut out.
const recorded = parse(
  readFileSync(new URL('../../fixtures/recorded-by-chains.yaml', import.meta.url), 'utf8'),
) as readonly Recorded[];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'recorded-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs it with steps that do nothing but write the recorded results. */
async function replay({ run, results }: Recorded) {
  const files = makeCheckout({});
  writeFileSync(join(files.root, 'run.yaml'), JSON.stringify(run));
  const plan = await planRun({ root: files.root, file: 'run.yaml' });
  const shown = new Map<TaskOutcome, TaskRunShown>();
  const executor: Executor = {
    paths: 'mounted',
    async run({ name, mounts }) {
      const step = Object.keys(results).find((task) => name.startsWith(`${task}-`)) ?? '';
      const write = stepResults(plan, step, results[step] ?? [], name);
      for (const { name: result, value } of write) {
        writeFileSync(hostPathOf(mounts, `/tekton/results/${result}`), value);
      }
      return 0;
    },
  };
  const runner = new Run(
    plan,
    {
      ...{ root: files.root, images: {}, programs: {}, objects: {} },
      executors: { container: executor, host: executor },
      taskRunEnded: (outcome, what) => shown.set(outcome, what),
    },
    mkdtempSync(join(folder, 'run-')),
    '00000000-0000-0000-0000-000000000000',
    () => {},
  );
  const outcome = await runner.execute(new Map());
  await runner.settle();
  files.remove();
  const images = new StepImages(async () => undefined);
  const ended = async (task: TaskOutcome): Promise<EndedTaskRun> => {
    const { steps, sidecars } = shown.get(task) ?? { steps: [], sidecars: [] };
    return {
      outcome: task,
      steps: await Promise.all(steps.map(async (step) => ({ shown: step, image: await images.of(step) }))),
      sidecars: await Promise.all(sidecars.map((sidecar) => images.of(sidecar))),
    };
  };
  const tasks = await Promise.all(
    outcome.tasks
      .flatMap(taskRunsOf)
      .filter(({ startedAt }) => startedAt !== undefined)
      .map(ended),
  );
  return { plan, outcome, tasks, identity: { uid: 'uid', name: outcome.name } };
}

/** What one step wrote: a TaskRun's results are those of its steps one after the other, each by name. */
function stepResults(
  plan: Awaited<ReturnType<typeof planRun>>,
  task: string,
  results: Recorded['results'][string],
  name: string,
): Recorded['results'][string] {
  const groups: { name: string; value: string }[][] = [];
  for (const result of results) {
    const last = groups.at(-1);
    if (last === undefined || (last.at(-1)?.name ?? '') > result.name) groups.push([result]);
    else last.push(result);
  }
  const steps = plan.implementations.get(task)?.task.steps ?? [];
  const index = steps.findIndex((step) => name.startsWith(`${task}-${step.name}-`));
  return groups[index - (steps.length - groups.length)] ?? [];
}

/** Without what has to be different: times, the run's UID, and who says that it built. */
function comparable(statement: object): unknown {
  return JSON.parse(JSON.stringify(statement), (key, value) => {
    if (/^(?:started|finished|buildStarted|buildFinished)On$/.test(key)) return 'a time';
    if (key === 'tekton.dev/pipelineRunUID') return 'a UID';
    return key === 'builder' ? 'a builder' : value;
  });
}

test.each(recorded.map((one) => [one.run.metadata.name, one] as const))(
  'what is written of %s is what Chains wrote, field by field',
  async (_, one) => {
    const { plan, outcome, tasks, identity } = await replay(one);
    expect(outcome.status, outcome.message).toBe('Succeeded');
    const subjects = imagesInResults([...tasks.map((task) => task.outcome), outcome]);
    expect(comparable(provenanceOf(plan, outcome, tasks, subjects, identity))).toEqual(comparable(one.statement));
    const attested = tasks.filter((task) => imagesInResults([task.outcome]).length > 0);
    expect(attested.map((task) => task.outcome.name).sort()).toEqual(Object.keys(one.tasks).sort());
    for (const task of attested) {
      const own = taskProvenanceOf(plan, task, imagesInResults([task.outcome]), identity);
      expect(comparable(own)).toEqual(comparable(one.tasks[task.outcome.name] ?? {}));
    }
  },
);
