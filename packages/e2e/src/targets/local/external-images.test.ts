import { createRegistry, parseReference } from '@multi-image/digest-chain/oci';
import { planChain } from '@multi-image/manifests';
import { pushLayeredImage } from '@multi-image/testing/layered-image';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseExternal, placeExternal } from './external-images.ts';

let server: TestRegistry;
let real: string;
let digest: string;
const { signal } = new AbortController();

beforeAll(async () => {
  server = await startTestRegistry();
  real = `${server.host}/elsewhere/daemon:2.0`;
  digest = await pushLayeredImage(real, 2, 1000);
});
afterAll(() => server.stop());

/** A chain that embeds a daemon, which is named so. */
const chainWith = (image: string) =>
  planChain({
    application: 'chain',
    namespace: 'tenant',
    git: { url: 'https://git.example/org/chain' },
    registry: 'quay.io/org',
    seal: 'referrer',
    external: { daemon: { image } },
    images: [
      { role: 'operator', repository: 'operator', containerfile: 'a', component: 'app' },
      { role: 'bundle', repository: 'bundle', containerfile: 'b', embeds: ['operator', 'daemon'] },
    ],
  });
const TAG = 'quay.io/team/daemon:1.0';
const DIGEST = `quay.io/team/daemon@sha256:${'ab'.repeat(32)}`;

async function place(image: string, run: string, given: Record<string, string> = {}) {
  const local = (repository: string): string => `${server.host}/${run}/${repository.split('/').slice(1).join('/')}`;
  const [placed] = await placeExternal(chainWith(image), new Map(Object.entries(given)), local, signal);
  if (placed === undefined) throw new Error('nothing was placed');
  const reference = parseReference(placed.image);
  const there = await createRegistry().getManifest(reference, reference.digest ?? reference.tag ?? '');
  return { ...placed, there };
}

describe('an image that is built elsewhere is in the registry of a local run', () => {
  test('as an empty one, the same for the same name, where nothing was given', async () => {
    const [first, second] = [await place(TAG, 'one'), await place(TAG, 'two')];
    expect(first).toMatchObject({ role: 'daemon', named: TAG, standIn: true, note: 'an empty image in its place' });
    expect(first.image).toBe(`${server.host}/one/team/daemon:1.0`);
    expect(first.there.digest).toBe(first.digest);
    expect(second.digest).toBe(first.digest);
    expect((await place('quay.io/team/daemon:1.1', 'one')).digest).not.toBe(first.digest);
  });

  test('by a digest of its own, where the config names one', async () => {
    const placed = await place(DIGEST, 'digest');
    expect(placed.image).toBe(`${server.host}/digest/team/daemon@${placed.digest}`);
  });

  test('as what was given, with its digest', async () => {
    const placed = await place(TAG, 'copied', { daemon: `${real}@${digest}` });
    expect(placed).toMatchObject({ digest, standIn: false, note: `a copy of ${real}@${digest}` });
    expect(placed.there.digest).toBe(digest);
  });

  test('or the run is not made, where that is not there', async () => {
    const gone = { daemon: `${server.host}/elsewhere/daemon:no` };
    await expect(place(TAG, 'gone', gone)).rejects.toMatchObject({ code: 'TOOL_FAILED' });
  });
});

describe('what is given', () => {
  test('is an image for each role, or a layout', () => {
    expect([...parseExternal(['daemon=oci:/tmp/daemon:1'], chainWith(TAG))]).toEqual([['daemon', 'oci:/tmp/daemon:1']]);
  });

  test.each([['other=quay.io/x/y:1'], ['daemon'], ['daemon='], ['daemon=a', 'daemon=b'], ['operator=quay.io/x/y:1']])(
    'is refused: %s',
    (...texts) => {
      expect(() => parseExternal(texts, chainWith(TAG))).toThrow(
        expect.objectContaining({ code: 'USAGE', expected: expect.stringContaining('of daemon') }),
      );
    },
  );
});
