import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REVISION } from '@multi-image/testing/chain';
import { pushChain } from '@multi-image/testing/pushed-chain';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCli } from '../testing/cli.ts';

let server: TestRegistry;
let folder: string;
let image: string;
let digest: string;

beforeAll(async () => {
  server = await startTestRegistry();
  const chain = await pushChain(server.host, 'resolve');
  [image, digest] = [chain.image2, chain.metadata];
  folder = await mkdtemp(join(tmpdir(), 'digest-chain-resolve-'));
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

it('prints and writes what a tag names by now', async () => {
  const file = (name: string): string => join(folder, name);
  const found = await runCli([
    ...['resolve', `daemon=${image}:${REVISION}`, '--result-url', file('url'), '--result-digest', file('digest')],
    ...['--result-reference', file('reference')],
  ]);
  expect(found).toMatchObject({ status: 0, stderr: '', stdout: `daemon=${image}:${REVISION}@${digest}\n` });
  const written = await Promise.all(['url', 'digest', 'reference'].map((name) => readFile(file(name), 'utf8')));
  expect(written).toEqual([`${image}@${digest}`, digest, `${image}:${REVISION}@${digest}`]);
  const json = JSON.parse((await runCli(['resolve', `daemon=${image}@${digest}`, '--json'])).stdout);
  expect(json).toEqual({ images: [{ role: 'daemon', reference: `${image}@${digest}`, digest }] });
});

it.each<[string, number, RegExp, () => readonly string[]]>([
  ['a tag that is not there', 1, /^error LINK_MISSING: the external image \(daemon\)/, () => [`daemon=${image}:no`]],
  ['nothing to resolve', 2, /^error USAGE/, () => []],
  ['an image without a role', 2, /^error USAGE/, () => [image]],
  ['no reference', 2, /^error REFERENCE_INVALID/, () => ['daemon=A']],
  ['a result of two', 2, /^error USAGE/, () => [`a=${image}`, `b=${image}`, '--result-digest', 'x']],
])('exits with a code for %s', async (_, status, stderr, args) => {
  const found = await runCli(['resolve', ...args()]);
  expect(found).toMatchObject({ status, stdout: '', stderr: expect.stringMatching(stderr) });
});

it('exits with a code where the tag moved', async () => {
  const before = `${image}:${REVISION}@${digest}`;
  const { metadata } = await pushChain(server.host, 'resolve', { labels: { by: 'somebody else' } });
  const found = await runCli(['resolve', `daemon=${before}`]);
  expect(found).toMatchObject({ status: 1, stdout: '', stderr: expect.stringMatching(/^error TAG_MOVED/) });
  expect(found.stderr).toContain(`found:    ${metadata}`);
});
