import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeCheckout, pipelineRun, scriptTask } from '@multi-image/testing/checkout';
import { startTestRegistry } from '@multi-image/testing/registry';
import { buildNodeBase } from '../src/containers/base-image.ts';
import { probeContainers } from '../src/containers/containers.ts';
import { runPipeline } from '../src/run-pipeline.ts';
import { alternate, formatGoal, median, time } from './measure.ts';
import { ownTime } from './own-time.ts';

// What a run costs on top of the programs that it starts, beside its goals.

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const BY_HAND = fileURLToPath(new URL('./by-hand.sh', import.meta.url));
const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));
const PINNED = /^ARG BASE_IMAGE=(\S+)/m;

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, tasks: { type: 'string', default: '8' } },
});
const rounds = Number(values.rounds);

const base = await buildNodeBase({ tag: 'localhost/multi-image/node-base:local' });
const containers = await probeContainers();
const folder = mkdtempSync(join(tmpdir(), 'tekton-local-bench-'));
try {
  await benchChain();
  await benchOwnTime(Number(values.tasks));
  await benchManyTasks(500);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The repository's own pipeline, as a push starts it, beside the same commands in a script. */
async function benchChain(): Promise<void> {
  const clone = join(folder, 'clone');
  execFileSync('git', ['clone', '--quiet', '--no-hardlinks', REPOSITORY, clone]);
  const revision = execFileSync('git', ['-C', clone, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
  const pinned = PINNED.exec(readFileSync(join(clone, 'image1/Containerfile'), 'utf8'))?.[1] ?? '';
  const registry = await startTestRegistry();
  const { host } = registry;
  const options = {
    '--param': [`output-image=${host}/o/image1:run`, `metadata-image=${host}/o/image2:run`],
    '--image': [`${pinned}=${base}`],
  };
  const args = Object.entries(options).flatMap(([option, list]) => list.flatMap((item) => [option, item]));
  const local = [
    '--param',
    `primary-repository=${host}/o/image1`,
    '--param',
    `git-url=${clone}`,
    '--source-url',
    clone,
  ];
  const file = join(clone, '.tekton/app-push.yaml');
  try {
    const { first, second, ratio } = await alternate(
      rounds,
      () => time(process.execPath, [CLI, 'run', file, '--quiet', '--plain', ...args, ...local]),
      (round) => {
        const work = join(folder, `by-hand-${round}`);
        mkdirSync(work);
        return time('sh', [BY_HAND, work, host, clone, revision, base, ...containers.runArguments]);
      },
    );
    process.stdout.write(`default chain, warm: ${first.toFixed(0)} ms, by hand ${second.toFixed(0)} ms\n`);
    process.stdout.write(formatGoal('default chain ÷ by hand', ratio, 1.15));
  } finally {
    await registry.stop();
    execFileSync('buildah', ['rmi', 'localhost/by-hand/image1', 'localhost/by-hand/image2'], { stdio: 'ignore' });
  }
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

/** Tasks that do nothing, and start nothing. */
async function benchManyTasks(count: number): Promise<void> {
  const params = [
    { name: 'name', value: 'init' },
    { name: 'bundle', value: 'quay.io/konflux-ci/tekton-catalog/task-init' },
  ];
  const tasks = Array.from({ length: count }, (_, index) => ({
    name: `task-${index}`,
    taskRef: { resolver: 'bundles', params },
    ...(index % 10 === 0 ? {} : { runAfter: [`task-${index - 1}`] }),
  }));
  const checkout = makeCheckout(pipelineRun({ tasks }));
  const status = join(checkout.root, 'status.json');
  const file = join(checkout.root, 'run.yaml');
  try {
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      times.push(await time(process.execPath, [CLI, 'run', file, '--quiet', '--plain', '--status', status]));
    }
    process.stdout.write(formatGoal(`${count} tasks without a container`, median(times), 5000, ' ms'));
  } finally {
    checkout.remove();
  }
}
