import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runPipeline } from '@multi-image/tekton-local';
import { type LocalTasksOptions, localTasks } from '../../targets/local/tasks.ts';

/** As many tries as the tasks themselves make, and no waiting that a test would sit through. */
export const RETRY_PAUSES: readonly number[] = [0, 0.2, 0.5];

export interface TaskRun {
  readonly status: string;
  readonly results: Readonly<Record<string, string>>;
  /** What its steps said, and why it failed. */
  readonly log: string;
  readonly notes: readonly string[];
}

export interface TaskRunOptions extends Partial<LocalTasksOptions> {
  onLog?: (line: string) => void;
  /** The folder of the run's own files. */
  workDir?: string;
  /** Another storage of images instead of this machine's. */
  imageStore?: string;
}

/** Runs one stand-in on this machine, as a local run does. */
export async function runTask(
  task: string,
  params: Readonly<Record<string, string | readonly string[]>>,
  options: TaskRunOptions = {},
): Promise<TaskRun> {
  const { fetchFrom = '', images = {}, registry, isolation, scanners, signal, onLog } = options;
  const { retryPauses = RETRY_PAUSES } = options;
  const root = await mkdtemp(join(tmpdir(), 'stand-in-task-'));
  const bundle = { kind: 'task', name: task, bundle: `quay.io/konflux-ci/tekton-catalog/task-${task}:0.1` };
  const named = (values: object): object[] => Object.entries(values).map(([name, value]) => ({ name, value }));
  const call = { name: 'task', taskRef: { resolver: 'bundles', params: named(bundle) }, params: named(params) };
  const run = {
    apiVersion: 'tekton.dev/v1',
    kind: 'PipelineRun',
    metadata: { generateName: 'run-' },
    spec: { pipelineSpec: { tasks: [call] } },
  };
  const log: string[] = [];
  const notes: string[] = [];
  try {
    await writeFile(join(root, 'run.yaml'), JSON.stringify(run));
    const local = await localTasks({ fetchFrom, images, registry, isolation, scanners, retryPauses });
    const env = local.tasks?.[task]?.env as Record<string, string> | undefined;
    if (options.imageStore !== undefined && env?.BUILDAH_STORAGE !== undefined) {
      env.BUILDAH_STORAGE = env.BUILDAH_STORAGE.replace(/(\.imagestore=).*$/, `$1${options.imageStore}`);
    }
    const { tasks } = await runPipeline({
      root,
      file: 'run.yaml',
      ...local,
      signal,
      workDir: options.workDir,
      onEvent: (event) => {
        if (event.type === 'note') notes.push(event.message);
        if (event.type !== 'log') return;
        log.push(event.line);
        onLog?.(event.line);
      },
    });
    const [{ status, results, message = '' } = { status: 'Skipped', results: {} }] = tasks;
    return { status, results: results as Record<string, string>, log: [...log, message].join('\n'), notes };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** Fails unless the task succeeded. */
export async function succeed(running: Promise<TaskRun>): Promise<TaskRun> {
  const run = await running;
  if (run.status !== 'Succeeded') throw new Error(`${run.status}: ${run.log}`);
  return run;
}

/** What a task said that had to fail. */
export async function fail(running: Promise<TaskRun>): Promise<string> {
  const run = await running;
  if (run.status !== 'Failed') throw new Error(`${run.status}: ${run.log}`);
  return run.log;
}

/** Fails unless the result is there. */
export function result(run: TaskRun, name: string): string {
  const value = run.results[name];
  if (value === undefined) throw new Error(`no result ${name}`);
  return value;
}
