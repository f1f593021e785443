import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { imagesInResults } from '../chains/image-results.ts';
import { type EndedTaskRun, provenanceOf, taskProvenanceOf } from '../chains/provenance.ts';
import { StepImages } from '../chains/step-images.ts';
import type { Executor } from '../executors/executor.ts';
import { type TaskOutcome, taskRunsOf } from '../outcome.ts';
import { planRun } from '../plan-run.ts';
import { hostPathOf } from '../run/confined-path.ts';
import { Run } from '../run/run.ts';
import type { TaskRunShown } from '../run/task-run.ts';

/** A PipelineRun of a cluster, the results of its tasks as its status has them, and what Chains wrote of it. */
export interface RecordedRun {
  readonly run: { readonly metadata: { readonly name: string }; readonly spec: object };
  /** Of every TaskRun that there was, by the tasks' names. */
  readonly results: Readonly<Record<string, readonly { readonly name: string; readonly value: string }[]>>;
  readonly statement: Statement;
  /** The statements of TaskRuns, by the tasks' names. */
  readonly tasks: Readonly<Record<string, Statement>>;
}

/** An in-toto statement. */
export interface Statement {
  readonly predicate: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/**
 * What a local run writes of a run of which it is known what Chains wrote: the statement of the run, and those of its tasks
 * that made an image. Nothing is run but steps that write the recorded results. Throws where the run does not succeed.
 */
export async function writtenOf(recorded: RecordedRun): Promise<Pick<RecordedRun, 'statement' | 'tasks'>> {
  const root = mkdtempSync(join(tmpdir(), 'recorded-'));
  try {
    const { plan, outcome, tasks } = await replay(recorded, root);
    if (outcome.status !== 'Succeeded')
      throw new Error(`the replayed run ended as ${outcome.status}: ${outcome.message}`);
    const identity = { uid: 'uid', name: outcome.name };
    const subjects = imagesInResults([...tasks.map((task) => task.outcome), outcome]);
    const attested = tasks.filter((task) => imagesInResults([task.outcome]).length > 0);
    return {
      statement: provenanceOf(plan, outcome, tasks, subjects, identity) as Statement,
      tasks: Object.fromEntries(
        attested.map((task) => [
          task.outcome.name,
          taskProvenanceOf(plan, task, imagesInResults([task.outcome]), identity) as Statement,
        ]),
      ),
    };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Statements without what has to be different: times, the run's UID, and who says that it built. */
export function comparable(statements: object): unknown {
  return JSON.parse(JSON.stringify(statements), (key, value) => {
    if (/^(?:started|finished|buildStarted|buildFinished)On$/.test(key)) return 'a time';
    if (key === 'tekton.dev/pipelineRunUID') return 'a UID';
    return key === 'builder' ? 'a builder' : value;
  });
}

async function replay({ run, results }: RecordedRun, root: string) {
  writeFileSync(join(root, 'run.yaml'), JSON.stringify(run));
  const plan = await planRun({ root, file: 'run.yaml' });
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
      ...{ root, images: {}, programs: {}, objects: {} },
      executors: { container: executor, host: executor },
      taskRunEnded: (outcome, what) => shown.set(outcome, what),
    },
    mkdtempSync(join(root, 'run-')),
    '00000000-0000-0000-0000-000000000000',
    () => {},
  );
  const outcome = await runner.execute(new Map());
  await runner.settle();
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
  return { plan, outcome, tasks };
}

/** What one step wrote: a TaskRun's results are those of its steps one after the other, each by name. */
function stepResults(
  plan: Awaited<ReturnType<typeof planRun>>,
  task: string,
  results: RecordedRun['results'][string],
  name: string,
): RecordedRun['results'][string] {
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
