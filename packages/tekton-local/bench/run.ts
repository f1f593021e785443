import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeCheckout, pipelineRun, scriptTask } from '@multi-image/testing/checkout';
import { buildNodeBase } from '../src/containers/base-image.ts';
import { probeContainers } from '../src/containers/containers.ts';
import { type RunOptions, runPipeline } from '../src/run-pipeline.ts';
import { formatGoal, median } from './measure.ts';
import { ownTime } from './own-time.ts';

// What a run costs on top of the programs that it starts, beside its goals. Steps are processes of podman: its API's socket,
// tried with podman 4.3 and runc on two processors, took 150 ms of a processor for each step where `podman run` took 195, and
// 0.85 to 0.95 of its time, since conmon, runc and podman's own cleanup are the same. That is too little for a second way.

const ONE = {
  resolver: 'bundles',
  params: [
    { name: 'name', value: 'one' },
    { name: 'bundle', value: 'quay.io/x/task-one' },
  ],
};

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, tasks: { type: 'string', default: '8' } },
});
const rounds = Number(values.rounds);

const base = await buildNodeBase({ tag: 'localhost/multi-image/node-base:local' });
const containers = await probeContainers();
const folder = mkdtempSync(join(tmpdir(), 'tekton-local-bench-'));
try {
  await benchOwnTime(Number(values.tasks));
  await benchHostSteps(50);
  await benchManyTasks(500);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Tasks of one step each, one after the other: what a task takes while no program of it runs. */
async function benchOwnTime(count: number): Promise<void> {
  const tasks = Array.from({ length: count }, (_, index) =>
    scriptTask(`task-${index}`, '', {
      task: index === 0 ? {} : { runAfter: [`task-${index - 1}`] },
      spec: { steps: [{ name: 'run', image: 'test-image', command: ['node'], args: ['--version'] }] },
    }),
  );
  const many = makeCheckout(pipelineRun({ tasks }));
  const one = makeCheckout(pipelineRun({ tasks: tasks.slice(0, 1) }));
  const images = { 'test-image': base };
  const run = (root: string): Promise<number> =>
    ownTime(() => runPipeline({ root, file: 'run.yaml', containers, images, statusFile: join(folder, 'status.json') }));
  try {
    const own: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      // What a run takes once is not a task's.
      const once = await run(one.root);
      const each = ((await run(many.root)) - once) / (count - 1);
      if (round > 0) own.push(each);
    }
    process.stdout.write(formatGoal('own time of a task', median(own), 60, ' ms'));
  } finally {
    many.remove();
    one.remove();
  }
}

/** Steps of one Task on this machine, which do nothing: what each takes besides its process. */
async function benchHostSteps(count: number): Promise<void> {
  const step = (_: unknown, index: number): object => ({ name: `step-${index}`, image: 'none', command: ['true'] });
  const checkout = makeCheckout(pipelineRun({ tasks: [{ name: 'one', taskRef: ONE }] }));
  const run = (steps: number): Promise<number> =>
    ownTime(() => runPipeline(onHost(checkout.root, Array.from({ length: steps }, step))));
  try {
    const own: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      const [bare, one, all] = [await ownTime(() => bareSpawns(count - 1)), await run(1), await run(count)];
      if (round > 0) own.push((all - one - bare) / (count - 1));
    }
    process.stdout.write(
      formatGoal('start of a step on this machine, over that of its process', median(own), 5, ' ms'),
    );
  } finally {
    checkout.remove();
  }
}

/** As many processes as steps, one after the other, with nothing around them. */
async function bareSpawns(count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const child = spawn('true', { stdio: ['ignore', 'pipe', 'pipe', 'pipe'], detached: true });
    await once(child, 'close');
  }
}

/** Tasks on this machine that do nothing. */
async function benchManyTasks(count: number): Promise<void> {
  const tasks = Array.from({ length: count }, (_, index) => ({
    name: `task-${index}`,
    taskRef: ONE,
    ...(index % 10 === 0 ? {} : { runAfter: [`task-${index - 1}`] }),
  }));
  const checkout = makeCheckout(pipelineRun({ tasks }));
  try {
    const times: number[] = [];
    const own: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const [start, cpu] = [performance.now(), process.cpuUsage()];
      await runPipeline(onHost(checkout.root, [{ name: 'run', image: 'none', command: ['true'] }]));
      times.push(performance.now() - start);
      const { user, system } = process.cpuUsage(cpu);
      own.push((user + system) / 1000);
    }
    // Of this process: that of a step is in none of them.
    const busy = `${Math.round(median(own))} ms of it a processor was busy with the runner`;
    process.stdout.write(formatGoal(`${count} tasks without a container (${busy})`, median(times), 5000, ' ms'));
  } finally {
    checkout.remove();
  }
}

/** The bundle's task `one`, with these steps on this machine. */
function onHost(root: string, steps: readonly object[]): RunOptions {
  const task = { apiVersion: 'tekton.dev/v1', kind: 'Task', metadata: { name: 'one' }, spec: { steps } };
  return {
    root,
    file: 'run.yaml',
    tasks: { one: { task, executor: 'host' } },
    statusFile: join(folder, 'status.json'),
  };
}
