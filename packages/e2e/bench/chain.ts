import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runOrThrow } from '@multi-image/kit/commands';
import { buildNodeBase, probeContainers, runPipeline } from '@multi-image/tekton-local';
import { startTestRegistry } from '@multi-image/testing/registry';
import { NODE_BASE } from '../src/targets/local/base-image.ts';
import { localTasks } from '../src/targets/local/tasks.ts';

// The repository's own pipeline, as a push starts it, beside the same commands in a script. In turns: what else the machine
// does then falls on both. A first round, which warms caches, is not counted.

const BY_HAND = fileURLToPath(new URL('./by-hand.sh', import.meta.url));
const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));
const PINNED = /^ARG BASE_IMAGE=(\S+)/m;
const GOAL = 1.15;

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '7' } } });
const folder = mkdtempSync(join(tmpdir(), 'chain-bench-'));
const registry = await startTestRegistry();
try {
  const base = await buildNodeBase({ tag: NODE_BASE });
  const containers = await probeContainers();
  const clone = join(folder, 'clone');
  execFileSync('git', ['clone', '--quiet', '--no-hardlinks', REPOSITORY, clone]);
  const revision = execFileSync('git', ['-C', clone, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
  const pinned = PINNED.exec(readFileSync(join(clone, 'image1/Containerfile'), 'utf8'))?.[1] ?? '';
  const { host } = registry;
  const images = { [pinned]: base };
  const run = async (): Promise<void> => {
    const { status, message } = await runPipeline({
      root: clone,
      file: '.tekton/app-push.yaml',
      images,
      containers,
      params: {
        'output-image': `${host}/o/image1:run`,
        'metadata-image': `${host}/o/image2:run`,
        'primary-repository': `${host}/o/image1`,
        'git-url': clone,
      },
      ...(await localTasks({ fetchFrom: clone, images })),
    });
    if (status !== 'Succeeded') throw new Error(message);
  };
  const byHand = async (round: number): Promise<void> => {
    const work = join(folder, `by-hand-${round}`);
    mkdirSync(work);
    await runOrThrow('sh', [BY_HAND, work, host, clone, revision, base, ...containers.runArguments]);
  };
  const times: { run: number; byHand: number }[] = [];
  for (let round = 0; round <= Number(values.rounds); round++) {
    const both = { run: await time(run), byHand: await time(() => byHand(round)) };
    if (round > 0) times.push(both);
  }
  const ratio = median(times.map((pair) => pair.run / pair.byHand));
  const of = (key: 'run' | 'byHand'): string => median(times.map((pair) => pair[key])).toFixed(0);
  process.stdout.write(`default chain, warm: ${of('run')} ms, by hand ${of('byHand')} ms\n`);
  process.stdout.write(
    `${ratio <= GOAL ? 'reached' : 'MISSED '}  default chain ÷ by hand: ${ratio.toFixed(2)} (goal ≤ ${GOAL})\n`,
  );
} finally {
  await registry.stop();
  execFileSync('buildah', ['rmi', 'localhost/by-hand/image1', 'localhost/by-hand/image2'], { stdio: 'ignore' });
  rmSync(folder, { recursive: true, force: true });
}

async function time(action: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

function median(all: readonly number[]): number {
  return [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN;
}
