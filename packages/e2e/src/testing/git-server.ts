import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@multi-image/kit/free-port';

/** git's own server; nothing where this machine does not have it. */
export function findGitDaemon(): string | undefined {
  const program = join(execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim(), 'git-daemon');
  return existsSync(program) ? program : undefined;
}

/** Serves one repository on loopback, so that a container can fetch it. */
export async function serveGit(program: string, checkout: string): Promise<{ url: string; stop(): Promise<void> }> {
  const port = await freePort();
  const folder = join(checkout, '.git');
  const args = ['--listen=127.0.0.1', `--port=${port}`, '--export-all', '--strict-paths', '--reuseaddr', folder];
  const child = spawn(program, args, { stdio: 'ignore' });
  const ended = once(child, 'exit');
  while (child.exitCode === null && !(await answers(port))) await sleep(50);
  return {
    url: `git://127.0.0.1:${port}${folder}`,
    async stop() {
      child.kill();
      await ended;
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}
