import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, it } from 'vitest';
import { endOrphanedContainers } from './orphaned-containers.ts';

const started: ChildProcess[] = [];

afterEach(() => {
  for (const { pid } of started.splice(0)) {
    try {
      process.kill(-(pid ?? 0), 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
});

/** What podman leaves where it is killed as it starts a container: a monitor and what was to become the container. */
async function orphan(name: string): Promise<ChildProcess> {
  const script = 'sleep 600 & echo here; wait';
  const child = spawn('bash', ['-c', script, '-n', name], { argv0: '/usr/bin/conmon', detached: true });
  started.push(child);
  await once(child.stdout, 'data');
  return child;
}

it.skipIf(process.platform !== 'linux')('ends those of one run, and no others', async () => {
  const [ours, theirs] = await Promise.all([orphan('run-1-app-step'), orphan('run-2-app-step')]);
  const ended = once(ours, 'exit');
  await endOrphanedContainers('run-1-');
  await ended;
  expect(theirs.exitCode).toBeNull();
  await endOrphanedContainers('run-3-');
  expect(theirs.exitCode).toBeNull();
});
