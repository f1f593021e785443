import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TestRegistry {
  /** `127.0.0.1:<port>` */
  readonly host: string;
  /** Where it keeps its files; for tests that damage what is stored. */
  readonly root: string;
  /** Ends the process and removes its files. */
  stop(): Promise<void>;
}

/** Who may use a registry that was started with `login`. */
export const LOGIN = { username: 'user', password: 'open sesame' } as const;

// bcrypt, as htpasswd -B makes it: no tool for that is needed to run the tests.
const HTPASSWD = `${LOGIN.username}:$2y$05$abcdefghijklmnopqrstuupx2xBUC4954936wVIjyyPHmUBFu0wCW\n`;

export interface TestRegistryOptions {
  /** Asks everyone for {@link LOGIN}, with a Basic challenge. */
  readonly login?: boolean;
}

/** Starts the real registry (CNCF distribution) on a free loopback port. */
export async function startTestRegistry({ login = false }: TestRegistryOptions = {}): Promise<TestRegistry> {
  const root = await mkdtemp(join(tmpdir(), 'digest-chain-registry-'));
  const passwords = join(root, 'htpasswd');
  if (login) await writeFile(passwords, HTPASSWD);
  const failures: string[] = [];
  // The port is free when it is chosen and may be taken when the registry binds it: another try finds another one.
  for (let attempt = 0; attempt < 5; attempt++) {
    const host = `127.0.0.1:${await freePort()}`;
    const config = join(root, 'config.yml');
    await writeFile(config, configuration(host, join(root, 'data'), login ? passwords : undefined));
    const child = spawn('docker-registry', ['serve', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    const kill = (): void => {
      child.kill('SIGKILL');
    };
    process.once('exit', kill);
    const stderr: string[] = [];
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk.toString()));
    if (await answers(child, host)) {
      return {
        host,
        root,
        async stop() {
          process.off('exit', kill);
          await ended(child);
          await rm(root, { recursive: true, force: true });
        },
      };
    }
    process.off('exit', kill);
    await ended(child);
    failures.push(stderr.join('').trim().split('\n').at(-1) ?? '');
  }
  await rm(root, { recursive: true, force: true });
  throw new Error(`docker-registry did not start: ${failures.at(-1)}`);
}

function configuration(host: string, data: string, passwords: string | undefined): string {
  return [
    'version: 0.1',
    'log: {level: error}',
    'storage:',
    `  filesystem: {rootdirectory: ${JSON.stringify(data)}}`,
    '  delete: {enabled: true}',
    `http: {addr: ${JSON.stringify(host)}}`,
    ...(passwords === undefined ? [] : [`auth: {htpasswd: {realm: test, path: ${JSON.stringify(passwords)}}}`]),
    '',
  ].join('\n');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function answers(child: ChildProcess, host: string): Promise<boolean> {
  let spawned = true;
  child.once('error', () => {
    spawned = false;
  });
  const deadline = Date.now() + 15_000;
  while (spawned && child.exitCode === null && Date.now() < deadline) {
    const response = await fetch(`http://${host}/v2/`).catch(() => undefined);
    // A stranger on the port would answer too; ours is still running then only if it could bind.
    if ((response?.ok || response?.status === 401) && child.exitCode === null) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exit;
}
