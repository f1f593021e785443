// `pnpm test:cluster [--admission] [what vitest takes]`: brings up a cluster of this run's own, and runs the tests in its
// network. Without the right to do so, or what it is made of, it says why and answers with 2; nothing failed then.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { EXIT, runCommandLine } from '@multi-image/kit/command-line';
import { formatError } from '@multi-image/kit/error-text';
import { environmentOf, inNetwork, startCluster } from './cluster.ts';
import { deadParts, deathOf } from './parts.ts';

await runCommandLine(main, { isRefusal: ({ code }) => code === 'MACHINE_UNFIT' });

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const isAdmission = args.includes('--admission');
  const since = performance.now();
  const say = (line: string): void => void process.stderr.write(`cluster · ${line}\n`);
  const cluster = await startCluster({ extent: isAdmission ? 'admission' : 'node', onLine: say });
  try {
    say(`up after ${((performance.now() - since) / 1000).toFixed(1)} s`);
    const others = args.filter((argument) => argument !== '--admission');
    const files = isAdmission && others.length === 0 ? ['src/admission.test.ts', 'src/snapshots.test.ts'] : others;
    const [program = '', ...words] = [...inNetwork(cluster), 'pnpm', 'exec', 'vitest', 'run', ...files];
    const child = spawn(program, words, {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      env: { ...environmentOf(cluster), CLUSTER_STATE: cluster.state },
      stdio: 'inherit',
      signal,
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    const dead = deadParts(cluster.state);
    // Whatever the tests said: they were on a cluster that was not whole.
    if (dead.length > 0) process.stderr.write(formatError(deathOf(cluster.state, dead)));
    return code === 0 && dead.length === 0 ? EXIT.done : EXIT.failed;
  } finally {
    await cluster.stop();
  }
}
