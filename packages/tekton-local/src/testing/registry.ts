import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TestRegistry {
  /** `127.0.0.1:<port>` */
  readonly host: string;
  /** The file that holds a blob; for tests that damage it. */
  blobFile(digest: string): string;
  /** Ends the process and removes its files. */
  stop(): Promise<void>;
}

/** Starts the real registry (CNCF distribution) on a free loopback port, with a throwaway root. */
export async function startTestRegistry(): Promise<TestRegistry> {
  const root = await mkdtemp(join(tmpdir(), 'tekton-local-registry-'));
  const host = `127.0.0.1:${await freePort()}`;
  const config = join(root, 'config.yml');
  const storage = `storage: {filesystem: {rootdirectory: ${JSON.stringify(root)}}, delete: {enabled: true}}`;
  await writeFile(config, `version: 0.1\nlog: {level: error}\n${storage}\nhttp: {addr: ${JSON.stringify(host)}}\n`);
  const child = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
  const kill = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', kill);
  const stop = async (): Promise<void> => {
    process.off('exit', kill);
    await end(child);
    await rm(root, { recursive: true, force: true });
  };
  for (let waited = 0; waited < 500; waited++) {
    if (child.exitCode !== null) break;
    if ((await fetch(`http://${host}/v2/`).catch(() => undefined))?.ok) {
      return {
        host,
        stop,
        blobFile(digest) {
          const hex = digest.slice('sha256:'.length);
          return join(root, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
        },
      };
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await stop();
  throw new Error(`docker-registry did not start on ${host}`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exit;
}
