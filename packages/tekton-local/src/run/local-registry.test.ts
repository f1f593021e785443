import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { findRegistryProgram, startLocalRegistry } from './local-registry.ts';

let folder: string;
const pids: number[] = [];
const onStart = (pid: number): void => void pids.push(pid);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'registry-test-'));
});
afterEach(async () => {
  for (const pid of pids.splice(0)) process.kill(pid, 'SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

test('starts a registry that answers', async () => {
  const program = findRegistryProgram();
  const { address } = await startLocalRegistry({ program, folder, port: 0, onStart });
  const response = await fetch(`http://${address}/v2/`);
  expect(response.headers.get('docker-distribution-api-version')).toBe('registry/2.0');
});

test.skipIf(process.getuid?.() !== 0)('tells that its disk is full (needs root, for a small tmpfs)', async () => {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]);
  try {
    const { address, log } = await startLocalRegistry({ program: findRegistryProgram(), folder, port: 0, onStart });
    const begun = await fetch(`http://${address}/v2/a/blobs/uploads/`, { method: 'POST' });
    const place = begun.headers.get('location') ?? '';
    const { status } = await fetch(place, { method: 'PATCH', body: new Uint8Array(2 << 20) });
    expect(status).toBe(500);
    await vi.waitFor(() => expect(log()).toContain('no space left on device'));
  } finally {
    execFileSync('umount', ['--lazy', folder]);
  }
});

test('a port that is taken is named, with the way out', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const started = startLocalRegistry({ program: 'docker-registry', folder, port, onStart });
  await expect(started).rejects.toMatchObject({
    code: 'PORT_TAKEN',
    message: expect.stringContaining(String(port)),
    hint: expect.stringContaining('--port'),
  });
  server.close();
});

test('of two that want one port at the same moment, one gets it, and the other is not taken for it', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  const program = findRegistryProgram();
  const start = (name: string) => startLocalRegistry({ program, folder: join(folder, name), port, onStart });
  const ended = await Promise.allSettled([start('one'), start('two')]);
  expect(ended.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
});

test('a registry that ends at once is an error with what it said', async () => {
  const started = startLocalRegistry({ program: 'false', folder, port: 0, onStart: () => {} });
  await expect(started).rejects.toMatchObject({
    code: 'REGISTRY_FAILED',
    found: expect.stringContaining('exit code 1'),
  });
});
