import { REVISION } from '@multi-image/testing/chain';
import { CHAINS_FIXTURE, chainsFixture } from '@multi-image/testing/chains-fixture';
import { type MemoryChain, type MemoryDocument, memoryChain, signChain } from '@multi-image/testing/memory-chain';
import { memoryRegistry } from '@multi-image/testing/memory-registry';
import { type TestRun, type TestTask, taskProvenanceV1, taskProvenanceV02 } from '@multi-image/testing/provenance';
import { createSigner } from '@multi-image/testing/signer';
import { describe, expect, it } from 'vitest';
import { extract } from '../extract.ts';
import { parseReference } from '../reference.ts';
import type { Registry } from '../registry/registry.ts';
import { parsePublicKeys } from '../signature/keys.ts';

const signer = createSigner();
const keys = signer.keys;
const OTHER_RUN = '7d8f4c1e-0000-4000-8000-00000000beef';

type Options = Partial<Parameters<typeof extract>[2]>;

const extractFrom = (registry: Registry, chain: MemoryChain, options: Options = {}) =>
  extract(registry, parseReference(`${chain.image1}:${REVISION}`), {
    ...{ role: 'metadata', keys, until: 'signed', revision: REVISION },
    ...options,
  });

const sealing = (chain: MemoryChain): TestTask => ({
  name: 'label-image-1',
  params: {
    ORIGIN: `${chain.image1}:x@${chain.origin}`,
    LINKS: [`metadata=${chain.image2}:x@${chain.metadata}`],
    REVISION,
  },
});
const building = (chain: MemoryChain): TestTask => ({
  name: 'build-image-2',
  params: { BUILD_ARGS: [`IMAGE1_DIGEST=${chain.origin}`] },
});

/** What Chains writes of the two tasks, with what a test changes. */
function documents(
  chain: MemoryChain,
  { run, seal, build }: { run?: TestRun; seal?: { task?: TestTask; run?: TestRun }; build?: TestTask } = {},
  format = taskProvenanceV02,
): MemoryDocument[] {
  const sealed = format([chain.sealed], seal?.task ?? sealing(chain), { ...run, ...seal?.run });
  const built = format([chain.metadata], build ?? building(chain), run);
  return [
    { image: chain.image1, digest: chain.sealed, statement: sealed },
    { image: chain.image2, digest: chain.metadata, statement: built },
  ];
}

async function published(
  change: (chain: MemoryChain) => MemoryDocument[] = (chain) => documents(chain),
): Promise<{ registry: Registry; chain: MemoryChain }> {
  const registry = memoryRegistry();
  const chain = await memoryChain(registry, 'chain');
  await signChain(registry, chain, signer, change(chain));
  return { registry, chain };
}

it.each([taskProvenanceV02, taskProvenanceV1])(
  'takes what is signed of the tasks, before their run is',
  async (format) => {
    const { registry, chain } = await published((chain) => documents(chain, {}, format));
    expect(await extractFrom(registry, chain)).toMatchObject({ digest: chain.metadata });
    // Of the whole run nothing is signed yet.
    await expect(extractFrom(registry, chain, { until: 'attested' })).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
    });
  },
);

it('takes what a real Chains wrote of the tasks, and not what it wrote of the run alone', async () => {
  const { registry, key } = await chainsFixture();
  const { image1, revision } = CHAINS_FIXTURE;
  const reference = parseReference(`${image1}:${revision}`);
  const options = { role: 'metadata', keys: parsePublicKeys(key), until: 'signed', revision } as const;
  expect((await extract(registry, reference, options)).verification.level).toBe('linked');
  await expect(extract(registry, reference, { ...options, builders: ['https://other.example'] })).rejects.toMatchObject(
    {
      code: 'PROVENANCE_MISMATCH',
      found: expect.stringContaining('of another builder: https://tekton.dev/chains/v2'),
    },
  );
});

describe('who may push', () => {
  it('gets no pair of his own out under the tag of the revision, and the right one comes out once it is there', async () => {
    const registry = memoryRegistry();
    const forged = await memoryChain(registry, 'chain', { labels1: { by: 'somebody else' } });
    // Whole in itself: without a key nothing tells.
    expect((await extractFrom(registry, forged, { keys: [] })).digest).toBe(forged.metadata);
    const reasons: string[] = [];
    const waits = Promise.withResolvers<void>();
    const waiting = extractFrom(registry, forged, {
      deadline: 60_000,
      onWait: ({ reason }) => {
        reasons.push(reason);
        waits.resolve();
      },
    });
    await waits.promise;
    const chain = await memoryChain(registry, 'chain');
    await signChain(registry, chain, signer, documents(chain));
    expect((await waiting).digest).toBe(chain.metadata);
    expect(chain.metadata).not.toBe(forged.metadata);
    expect(reasons[0]).toMatch(/^SIGNATURE_MISSING: /);
  });

  it('gets nothing out that is never signed', async () => {
    const registry = memoryRegistry();
    const forged = await memoryChain(registry, 'chain');
    const mallory = createSigner();
    await signChain(registry, forged, mallory, documents(forged));
    await expect(extractFrom(registry, forged, { deadline: 400 })).rejects.toMatchObject({
      code: 'WAIT_DEADLINE',
      message: expect.stringContaining('or is not signed'),
      found: expect.stringContaining('SIGNATURE_MISSING'),
    });
  });

  it('can not seal one image that was built with another', async () => {
    // Both were built and signed, in runs of their own; what binds them is his.
    const { registry, chain } = await published((chain) => documents(chain, { seal: { run: { uid: OTHER_RUN } } }));
    await expect(extractFrom(registry, chain)).rejects.toMatchObject({
      code: 'PROVENANCE_MISMATCH',
      message: 'the images were made by tasks of different runs',
    });
  });
});

it.each<[string, (chain: MemoryChain) => MemoryDocument[], string]>([
  ['nothing but signatures', () => [], 'none'],
  [
    'a pull request',
    (c) => documents(c, { run: { labels: { 'pipelinesascode.tekton.dev/pull-request': '7' } } }),
    'pull request',
  ],
  [
    'a commit that a comment had built for a push of another one',
    (c) => documents(c, { run: { annotations: { 'pipelinesascode.tekton.dev/sha': 'f'.repeat(40) } } }),
    `its event was about ${'f'.repeat(40)}`,
  ],
  ['another builder', (c) => documents(c, { run: { builder: 'https://builder.example' } }), 'builder.example'],
  ['another build type', (c) => documents(c, { run: { buildType: 'https://made.up' } }), 'none'],
  [
    'a task that sealed something else',
    (c) => documents(c, { seal: { task: { name: 'label-image-1', params: { ORIGIN: c.origin, REVISION } } } }),
    'it was not called with sha256:',
  ],
  [
    'a task of another commit',
    (c) =>
      documents(c, { seal: { task: { ...sealing(c), params: { ...sealing(c).params, REVISION: 'f'.repeat(40) } } } }),
    `it was not called with ${REVISION}`,
  ],
  [
    'a scanner, which passes an image on',
    (c) => documents(c, { build: { name: 'scan', params: { 'image-digest': c.metadata } } }),
    'only passed the image on',
  ],
])('refuses %s', async (_, change, found) => {
  const { registry, chain } = await published(change);
  await expect(extractFrom(registry, chain)).rejects.toMatchObject({ found: expect.stringContaining(found) });
});

it('takes a push that merged a pull request, whose number it has', async () => {
  const labels = { 'pipelinesascode.tekton.dev/pull-request': '7', 'pipelinesascode.tekton.dev/event-type': 'push' };
  const { registry, chain } = await published((chain) => documents(chain, { run: { labels } }));
  expect((await extractFrom(registry, chain)).digest).toBe(chain.metadata);
});

it('takes a pull request that is asked for', async () => {
  const labels = { 'pipelinesascode.tekton.dev/pull-request': '7' };
  const { registry, chain } = await published((chain) => documents(chain, { run: { labels } }));
  expect((await extractFrom(registry, chain, { allowPullRequest: true })).digest).toBe(chain.metadata);
});

it('waits for the whole run where that is asked for, and not for links that are broken', async () => {
  const { registry, chain } = await published();
  await expect(extractFrom(registry, chain, { until: 'attested', deadline: 400 })).rejects.toMatchObject({
    code: 'WAIT_DEADLINE',
    found: expect.stringContaining('provenance'),
  });
  const options = { revision: 'f'.repeat(40), deadline: 60_000 };
  await expect(extractFrom(registry, chain, options)).rejects.toMatchObject({ code: 'VERIFICATION_FAILED' });
});
