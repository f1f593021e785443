import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRegistry } from '@multi-image/digest-chain';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { createSigner } from '@multi-image/testing/signer';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Report } from '../../report/report.ts';
import { e2eHere } from '../../testing/e2e-here.ts';
import { type PublishedChain, publishChain, signChain } from '../../testing/tenant-chain.ts';

const revision = 'c0ffee'.padEnd(40, '0');
const signer = createSigner();
let server: TestRegistry;
let chain: PublishedChain;
let folder: string;

beforeAll(async () => {
  server = await startTestRegistry();
  const registry = createRegistry();
  chain = await publishChain(registry, `${server.host}/acme/chain`, revision);
  await signChain(registry, chain, signer);
  folder = await mkdtemp(join(tmpdir(), 'e2e-verify-'));
  await writeFile(join(folder, 'cosign.pub'), signer.pem);
  await writeFile(join(folder, 'other.pub'), createSigner().pem);
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

async function verify(...args: string[]) {
  const json = join(folder, 'report.json');
  await rm(json, { force: true });
  const { status, stdout, stderr } = await e2eHere(['verify', ...args, '--report', json, '--html', `${json}.html`], {
    PATH: `${folder}:${process.env.PATH}`,
  });
  const output = stdout + stderr;
  const written = await readFile(json, 'utf8').catch(() => '');
  const report = written === '' ? undefined : (JSON.parse(written) as Report);
  const statuses = Object.fromEntries(report?.criteria.map(({ id, status }) => [id, status]) ?? []);
  return { exitCode: status, stdout, stderr, output, report, statuses };
}

test('proves a published chain with the key, and says what a registry can’t answer', async () => {
  const { exitCode, statuses, report } = await verify(
    `${chain.image1}:${revision}`,
    '--key',
    join(folder, 'cosign.pub'),
  );
  expect(exitCode).toBe(0);
  expect(statuses).toEqual({
    'single-pipeline': 'passed',
    'image-2-embeds-image-1': 'passed',
    'image-1-labelled': 'passed',
    'scanner-extracts': 'skipped',
    'scanned-and-signed': 'skipped',
    'no-manual-step': 'skipped',
  });
  expect(report?.images.map(({ originDigest, sealedDigest }) => [originDigest, sealedDigest])).toEqual([
    [chain.origin, chain.sealed],
    [chain.metadata, null],
  ]);
  expect(await readFile(join(folder, 'report.json.html'), 'utf8')).toContain(chain.sealed);
});

test('the picture is the same from any image of the chain', async () => {
  const from = async (image: string) => (await verify(image, '--key', join(folder, 'cosign.pub'))).report;
  const [first, second] = [await from(`${chain.image1}:${revision}`), await from(`${chain.image2}:${revision}`)];
  expect(first?.level).toBe('attested');
  expect(second?.level).toBe('attested');
  expect(second?.images.map(({ role, title, embeds }) => [role, title, embeds])).toEqual([
    ['primary', 'Image 1', []],
    ['metadata', 'Image 2', ['primary']],
  ]);
  const digests = (report: Report | undefined) =>
    report?.images.map(({ originDigest, sealedDigest, signature }) => [originDigest, sealedDigest, signature?.status]);
  expect(digests(second)).toEqual([
    [chain.origin, chain.sealed, 'passed'],
    [chain.metadata, null, 'passed'],
  ]);
  expect(digests(first)).toEqual(digests(second));
});

test('shows the page in a browser, and writes JUnit, where that is asked for', async () => {
  const opener = join(folder, process.platform === 'darwin' ? 'open' : 'xdg-open');
  await writeFile(opener, `#!/bin/sh\necho "$1" > ${folder}/opened\n`);
  await chmod(opener, 0o755);
  const junit = join(folder, 'junit.xml');
  const { exitCode } = await verify(`${chain.image1}:latest`, '--open', '--junit', junit);
  expect(exitCode).toBe(0);
  expect(await readFile(junit, 'utf8')).toContain('<testsuite name="Image 1 labeled');
  await expect.poll(() => readFile(join(folder, 'opened'), 'utf8').catch(() => '')).toContain('report.json.html');
});

test('without a key what it would prove is skipped', async () => {
  const { exitCode, statuses } = await verify(`${chain.image1}:latest`);
  expect(exitCode).toBe(0);
  expect(statuses).toMatchObject({
    'single-pipeline': 'skipped',
    'image-1-labelled': 'passed',
    'scanned-and-signed': 'skipped',
  });
});

test.each([
  ['another key', () => [`${chain.image1}:latest`, '--key', join(folder, 'other.pub')], 'scanned-and-signed'],
  ['another commit', () => [`${chain.image1}:latest`, '--revision', 'f'.repeat(40)], 'single-pipeline'],
  [
    'an image that is not sealed',
    () => [`${chain.image1}@${chain.origin}`, '--prefix', 'org.elsewhere'],
    'image-1-labelled',
  ],
])('%s: exit code 1', async (_, args, criterion) => {
  const { exitCode, statuses } = await verify(...args());
  expect(exitCode).toBe(1);
  expect(statuses[criterion]).toBe('failed');
});

test.each([
  ['NOT_FOUND', () => [`${chain.image1}:nothing`]],
  ['KEY_INVALID', () => [`${chain.image1}:latest`, '--key', '/no/such/key']],
  ['REFERENCE_INVALID', () => ['Not A Reference']],
  ['REGISTRY_UNREACHABLE', () => ['127.0.0.1:1/x/y:z']],
  ['USAGE', () => []],
  ['USAGE', () => [`${chain.image1}:latest`, '--at', 'metadata']],
  ['REGISTRY_UNREACHABLE', () => [`${chain.image1}:latest`, '--at', 'metadata=127.0.0.1:1/x/y']],
])('%s: exit code 2 (%#)', async (code, args) => {
  const { exitCode, output, report } = await verify(...args());
  expect(exitCode).toBe(2);
  expect(output).toContain(`error ${code}`);
  expect(report).toBeUndefined();
});

test('--json prints the report, and what people read beside it', async () => {
  const { exitCode, stdout, stderr, report } = await verify(`${chain.image1}:latest`, '--json');
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toEqual(report);
  expect(stderr).toContain('0 failed');
  const refused = await verify(`${chain.image1}:nothing`, '--json');
  expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'NOT_FOUND' } });
  expect(refused.exitCode).toBe(2);
});
