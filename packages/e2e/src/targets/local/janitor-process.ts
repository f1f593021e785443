// Started by janitor.ts. Waits until its standard input ends, which is when the run is over or dead, then removes
// what the run had listed. Linux only, as the local run is.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { endOrphanedContainers } from '@multi-image/kit/orphaned-containers';
import { removeFolder } from '@multi-image/kit/remove-folder';
import { runtimeFolder } from '@multi-image/kit/runtime-folder';
import type { Leftover } from './janitor.ts';
import { setEnvironment } from './user-environment.ts';

const marker = `MULTI_IMAGE_RUN=${process.argv[2]}`;
const leftovers: Leftover[] = [];
// The run's own podman and this one are to see the same.
setEnvironment({ XDG_RUNTIME_DIR: runtimeFolder() });
let keep = false;

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'keep') keep = true;
  else leftovers.unshift(JSON.parse(line));
}
if (!keep) {
  await endProcesses();
  // Containers first: they stand on the others.
  const prefixes = leftovers.flatMap((leftover) => (leftover.kind === 'containers' ? [leftover.prefix] : []));
  removeContainers(prefixes);
  for (const prefix of new Set(prefixes)) await endOrphanedContainers(prefix);
  const images = leftovers.flatMap((leftover) => (leftover.kind === 'image' ? [leftover.name] : []));
  if (images.length > 0) spawnSync('podman', ['rmi', '--force', ...images], { stdio: 'ignore' });
  for (const leftover of leftovers) if (leftover.kind === 'folder') await removeFolder(leftover.path);
}

/** Ends the listed processes and all that carry the run's marker in their environment: first asked, then told. */
async function endProcesses(): Promise<void> {
  const listed = leftovers.flatMap((leftover) => (leftover.kind === 'process' ? [leftover.pid] : []));
  for (const signal of ['SIGTERM', 'SIGKILL', 'SIGKILL'] as const) {
    const alive = [...new Set([...listed.filter(isAlive), ...(await marked())])];
    if (alive.length === 0) return;
    for (const pid of alive) {
      try {
        process.kill(pid, signal);
      } catch {
        // It ended by itself in between.
      }
    }
    for (let waited = 0; waited < 2000 && alive.some(isAlive); waited += 20) await sleep(20);
  }
}

async function marked(): Promise<number[]> {
  const found: number[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue;
    const environment = await readFile(`/proc/${entry}/environ`, 'latin1').catch(() => '');
    if (environment.split('\0').includes(marker)) found.push(Number(entry));
  }
  return found;
}

/** A zombie answers to signals but is no longer running. */
function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

function removeContainers(prefixes: readonly string[]): void {
  if (prefixes.length === 0) return;
  const listed = spawnSync('podman', ['ps', '--all', '--format', '{{.Names}}'], { encoding: 'utf8' });
  const names = (listed.stdout ?? '').split('\n').filter((name) => prefixes.some((prefix) => name.startsWith(prefix)));
  if (names.length > 0) spawnSync('podman', ['rm', '--force', '--time', '0', ...names], { stdio: 'ignore' });
}
