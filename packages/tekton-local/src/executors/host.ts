import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { forEachLine } from '@multi-image/kit/lines';
import { tie } from '@multi-image/kit/tied';
import { plainEnvironment } from '../command.ts';
import { type Executor, follow } from './executor.ts';

/**
 * Runs each step as a process of this user, with this machine's programs. Its image, its user, its capabilities and
 * whether a mount is read-only mean nothing here: a step may do what this user may. So which Task runs here is for the
 * caller to say, never for a file that is run. What a step writes to the descriptor that `NOTES` names is shown even
 * where logs are not.
 */
export const hostExecutor: Executor = {
  paths: 'host',
  async run(step) {
    const { command: [program, ...first] = [], args, env, workingDir, mounts, signal } = step;
    signal.throwIfAborted();
    if (program === undefined) throw new Error('on this machine a step needs a script or a command: it has no image');
    const child = spawn(program, [...first, ...args], {
      cwd: workingDir ?? mounts.find(({ containerPath }) => containerPath === '/workspace')?.hostPath,
      env: plainEnvironment({ ...Object.fromEntries(env), NOTES: '3' }),
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      // A group of its own, so that what it starts ends with it.
      detached: true,
    });
    const { kill, release } = tie(child.pid, { group: true });
    forEachLine(child.stdio[3] as Readable, step.note);
    try {
      return await follow(child, step, kill);
    } finally {
      release();
    }
  },
};

/**
 * Writes the paths of mounts in a text as they are on this machine. Meant for the text of a Task itself, before the
 * values of params are filled in: those stay as they are.
 */
export function hostPathsIn(mounts: readonly { containerPath: string; hostPath: string }[]): (text: string) => string {
  const places = new Map(mounts.map((mount) => [mount.containerPath, mount.hostPath]));
  const paths = [...places.keys()].sort((a, b) => b.length - a.length).map((path) => path.replace(/[^\w/]/g, '\\$&'));
  const pattern = new RegExp(`(?<![\\w./-])(?:${paths.join('|')})(?![\\w.-])`, 'g');
  return (text) => (text.includes('/') ? text.replace(pattern, (path) => places.get(path) ?? path) : text);
}
