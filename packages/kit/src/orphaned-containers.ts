import { readdir, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { run } from './commands.ts';

/**
 * Ends what is left of containers that podman does not know, by the start of their names. Where podman was killed between
 * making a container's process and writing that down, the process and its monitor (conmon) wait for it for ever; once the
 * process has ended, the monitor ends by itself.
 */
export async function endOrphanedContainers(prefix: string): Promise<void> {
  const processes = await Promise.all((await readdir('/proc').catch(() => [])).filter(isNumber).map(look));
  const monitors = processes.filter(({ command }) => {
    const [program = '', ...args] = command;
    return basename(program) === 'conmon' && args[args.indexOf('-n') + 1]?.startsWith(prefix);
  });
  const waiting = processes.filter(({ parent }) => monitors.some(({ pid }) => pid === parent)).map(({ pid }) => pid);
  if (waiting.length === 0) return;
  // Without root they belong to other users, whom podman's user namespace has.
  const kill = ['kill', '-KILL', ...waiting];
  const [program = '', ...args] = process.getuid?.() === 0 ? kill : ['podman', 'unshare', ...kill];
  await run(program, args, { group: true }).catch(() => undefined);
}

async function look(pid: string): Promise<{ pid: string; parent: string | undefined; command: readonly string[] }> {
  const read = (file: string): Promise<string> => readFile(`/proc/${pid}/${file}`, 'latin1').catch(() => '');
  const [command, status] = await Promise.all([read('cmdline'), read('status')]);
  return { pid, parent: /^PPid:\s+(\d+)$/m.exec(status)?.[1], command: command.split('\0') };
}

function isNumber(name: string): boolean {
  return /^\d+$/.test(name);
}
