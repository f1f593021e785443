import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { REVISION, type TestChain } from '@multi-image/testing/chain';
import { pushChain } from '@multi-image/testing/pushed-chain';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { createSigner } from '@multi-image/testing/signer';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Outcome, runCli } from '../testing/cli.ts';

const CLI = fileURLToPath(new URL('../cli.ts', import.meta.url));

let server: TestRegistry;
let chain: TestChain;
let folder: string;

beforeAll(async () => {
  server = await startTestRegistry();
  chain = await pushChain(server.host, 'cli');
  folder = await mkdtemp(join(tmpdir(), 'digest-chain-cli-'));
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const digestChain = (...args: string[]): Promise<Outcome> => runCli(args);

it('links, verifies, extracts and inspects without changing an image', async () => {
  const published = `${chain.image1}:${REVISION}`;
  const linked = `metadata=${chain.image2}:${REVISION}@${chain.metadata}`;
  const link = await digestChain('link', `${chain.image1}@${chain.origin}`, linked, '--tag', published);
  expect(link).toMatchObject({
    status: 0,
    stderr: '',
    stdout: expect.stringContaining(`linked  ${published}@${chain.origin}\n`),
  });
  const verify = await digestChain('verify', `${chain.image2}:${REVISION}`);
  expect(verify.stdout).toMatch(/^linked: /m);
  expect(verify.status).toBe(0);
  const extract = await digestChain('extract', published, '--role', 'metadata');
  expect(extract.stdout).toBe(`${chain.image2}:${REVISION}@${chain.metadata}\n`);
  const inspect = await digestChain('inspect', published);
  expect(inspect.stdout).toContain(`├─ statement metadata: ${chain.image2}:${REVISION}@${chain.metadata}`);
  const json = JSON.parse((await digestChain('inspect', published, '--json')).stdout);
  expect(json.images.map((image: { digest: string }) => image.digest)).toEqual([chain.origin, chain.metadata]);
});

it('asks for signatures with --key, and fails without them', async () => {
  const key = join(folder, 'cosign.pub');
  await writeFile(key, createSigner().pem);
  const linked = `metadata=${chain.image2}:${REVISION}@${chain.metadata}`;
  const sealed = `${chain.image1}:sealed`;
  expect((await digestChain('seal', `${chain.image1}@${chain.origin}`, linked, '--tag', sealed)).status).toBe(0);
  expect((await digestChain('verify', sealed)).status).toBe(0);
  const verify = await digestChain('verify', sealed, '--key', key);
  expect(verify.status).toBe(1);
  expect(verify.stdout).toMatch(/^FAILED {2}signature \(metadata\)/m);
  expect(verify.stdout).toMatch(/^NOT PROVED: /m);
  const extract = await digestChain('extract', sealed, '--role=metadata', `--key=${key}`);
  expect(extract).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('VERIFICATION_FAILED') });
});

it('proves the digest that was sealed, whatever its tag names by now', async () => {
  const sealed = `${chain.image1}:moves`;
  const file = join(folder, 'digest');
  const seal = (image: TestChain) =>
    digestChain(
      ...['seal', `${image.image1}@${image.origin}`, `metadata=${image.image2}:${REVISION}@${image.metadata}`],
      ...['--tag', sealed, '--result-digest', file],
    );
  expect((await seal(chain)).status).toBe(0);
  const digest = await readFile(file, 'utf8');
  expect((await digestChain('verify', sealed, '--digest-from', file)).stdout).toContain(`linked: `);
  // Somebody else writes another pair, whole in itself, under the same tag before it is proved.
  const other = await pushChain(server.host, 'cli', { labels: { by: 'somebody else' } });
  expect((await seal(other)).status).toBe(0);
  await writeFile(file, digest);
  expect((await digestChain('verify', sealed)).stdout).not.toContain(digest);
  const verify = await digestChain('verify', sealed, '--digest-from', file);
  expect(verify).toMatchObject({ status: 0, stdout: expect.stringContaining(`@${digest}`) });
  await writeFile(file, 'latest');
  expect(await digestChain('verify', sealed, '--digest-from', file)).toMatchObject({ status: 2, stdout: '' });
});

it('says how far an image was proved where nobody signed', async () => {
  const sealed = `${chain.image1}:unsigned`;
  const linked = `metadata=${chain.image2}:${REVISION}@${chain.metadata}`;
  await digestChain('seal', `${chain.image1}@${chain.origin}`, linked, '--tag', sealed);
  const file = join(folder, 'proof');
  const extract = await digestChain('extract', sealed, '--role=metadata', `--result-proof=${file}`);
  expect(extract).toMatchObject({ status: 0, stderr: expect.stringContaining('who built the images is not known') });
  expect(await readFile(file, 'utf8')).toContain('who built the images is not known');
});

it.each([
  ['a variable that holds no key', ['verify', 'a', '--key', 'env://NO_SUCH_VARIABLE']],
  ['a key file that is not there', ['verify', 'a', '--key', '/no/such']],
  ['a key file that holds no key', ['verify', 'a', '--key', CLI]],
  ['a key file without an end', ['verify', 'a', '--key', '/dev/zero']],
  ['no linked image', ['link', `a@sha256:${'0'.repeat(64)}`]],
])('exits 2 for %s', async (_, args) => {
  expect(await digestChain(...args)).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/^error (USAGE|KEY_INVALID)/),
  });
});
