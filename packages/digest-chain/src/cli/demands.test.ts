import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSigner } from '@multi-image/testing/signer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDemands } from './demands.ts';

let folder: string;
let key: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'digest-chain-demands-'));
  key = [join(folder, 'cosign.pub')];
  await writeFile(key[0] ?? '', createSigner().pem);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('what is demanded', () => {
  it('is taken as it is given, and nothing where nothing is', async () => {
    const demands = await readDemands({
      key,
      revision: 'a'.repeat(40),
      source: 'https://git.example/org/repo',
      branch: 'main',
      'builder-id': ['https://ci.example'],
      'builder-task': ['oci://quay.io/org/*'],
      'allow-pull-request': true,
    });
    expect(demands).toMatchObject({
      keys: [{ kind: 'ECDSA P-256' }],
      revision: 'a'.repeat(40),
      source: 'https://git.example/org/repo',
      branch: 'main',
      builders: ['https://ci.example'],
      builderTasks: ['oci://quay.io/org/*'],
      allowPullRequest: true,
    });
    expect(await readDemands({})).toEqual({ keys: [], identities: [], files: [], released: new Map() });
  });

  it.each([
    ['a revision that is no commit', { revision: 'main' }],
    ['a source that is no repository', { source: 'main' }],
    ['a branch that is a tag', { branch: 'refs/tags/v1' }],
    ['a branch that is a pattern', { branch: 'release-*' }],
    ['a branch without a name', { branch: '' }],
    ['a pattern that is no bundle', { 'builder-task': ['quay.io/org/*'] }],
  ])('is refused: %s', async (_, values) => {
    await expect(readDemands({ key, ...values })).rejects.toMatchObject({ code: 'USAGE' });
  });

  it.each([
    { source: 'https://git.example/org/repo' },
    { branch: 'main' },
    { 'builder-id': ['https://ci.example'] },
    { 'builder-task': ['oci://quay.io/org/*'] },
    { 'allow-pull-request': true },
  ])('is refused without a key, which alone says it: %j', async (values) => {
    await expect(readDemands(values)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('needs --key'),
    });
  });
});
