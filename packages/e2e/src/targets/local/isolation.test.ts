import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '@multi-image/testing/source';
import { afterEach, expect, it, vi } from 'vitest';
import { chooseIsolation } from './isolation.ts';

const refuse = (): Promise<boolean> => Promise.resolve(false);
let folder: string | undefined;

afterEach(() => {
  vi.unstubAllEnvs();
  if (folder !== undefined) rmSync(folder, { recursive: true });
  folder = undefined;
});

/** A machine that makes no namespaces for this user. */
function withoutNamespaces(): void {
  folder = makeFolder({ unshare: '#!/bin/sh\necho "unshare: unshare failed: Operation not permitted" >&2\nexit 1\n' });
  chmodSync(join(folder, 'unshare'), 0o755);
  vi.stubEnv('PATH', `${folder}:${process.env.PATH}`);
}

it('is a sandbox without being asked for, where this machine has one', async () => {
  expect(await chooseIsolation({ confirm: () => Promise.reject(new Error('nobody is to be asked')) })).toBe('sandbox');
});

it('is a sandbox in a folder of any name', async () => {
  folder = makeFolder({});
  const odd = join(folder, 'a b\\c\t#d"é');
  mkdirSync(odd);
  vi.stubEnv('TMPDIR', odd);
  expect(await chooseIsolation({ confirm: refuse })).toBe('sandbox');
});

it('is nothing else before somebody has said so', async () => {
  withoutNamespaces();
  const unavailable = {
    code: 'ISOLATION_UNAVAILABLE',
    found: 'unshare: unshare failed: Operation not permitted',
    hint: expect.stringContaining('--isolation chroot'),
  };
  await expect(chooseIsolation({ confirm: refuse })).rejects.toMatchObject(unavailable);
  await expect(chooseIsolation({ asked: 'sandbox', confirm: () => Promise.resolve(true) })).rejects.toMatchObject(
    unavailable,
  );
  const questions: string[] = [];
  const confirm = (question: string): Promise<boolean> => Promise.resolve(questions.push(question) > 0);
  expect(await chooseIsolation({ confirm })).toBe('chroot');
  expect(questions[0]).toContain('the rights of this user');
  expect(await chooseIsolation({ asked: 'chroot', confirm: refuse })).toBe('chroot');
});
