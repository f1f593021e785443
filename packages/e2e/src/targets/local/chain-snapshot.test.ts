import type { Registry } from '@multi-image/digest-chain/oci';
import { type ChainConfig, planChain } from '@multi-image/manifests';
import { REVISION } from '@multi-image/testing/chain';
import { type MemoryChain, memoryChain } from '@multi-image/testing/memory-chain';
import { memoryRegistry } from '@multi-image/testing/memory-registry';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Observation } from '../../judge/observation.ts';
import { playSnapshot } from './chain-snapshot.ts';

const GIT = 'https://git.example/org/repo';
const CONFIG: ChainConfig = {
  application: 'chain',
  namespace: 'tenant',
  git: { url: GIT },
  registry: 'registry.example/app',
  images: [
    { role: 'primary', component: 'app', repository: 'image1', containerfile: 'Containerfile' },
    { role: 'metadata', component: 'scanner', repository: 'image2', containerfile: 'C', embeds: ['primary'] },
  ],
};

describe('the Snapshot that a local run would release', () => {
  const registry = memoryRegistry();
  let chain: MemoryChain;
  let other: MemoryChain;
  beforeAll(async () => {
    chain = await memoryChain(registry, 'app');
    other = await memoryChain(registry, 'other');
  });

  const play = (
    { sealed, metadata }: { sealed?: string; metadata?: string },
    config: ChainConfig = CONFIG,
    client: Registry = registry,
  ) => {
    const published = { primary: sealed, metadata };
    const images = Object.entries(published).map(([role, digest], index) => ({
      role,
      repository: `registry.example/app/image${index + 1}`,
      published: { reference: 'x', digest, labels: {}, env: {} },
    }));
    const seen = { images, build: { tasks: [] }, revision: REVISION } as unknown as Observation;
    return playSnapshot(client, planChain(config), seen, { keys: [] });
  };

  test('has what was published of every component, and is judged as its scenario does', async () => {
    const source = { git: { url: GIT, revision: REVISION } };
    expect(await play(chain)).toEqual({
      snapshot: {
        application: 'chain',
        components: [
          { name: 'app', containerImage: `${chain.image1}@${chain.sealed}`, source },
          { name: 'scanner', containerImage: `${chain.image2}@${chain.metadata}`, source },
        ],
      },
      evidence: [
        {
          check: 'chain-snapshot',
          status: 'passed',
          text: expect.stringContaining(`app, scanner: the chain of 2 images of ${REVISION} is linked`),
        },
      ],
    });
  });

  test('with an image of another build fails, and says which', async () => {
    await registry.putManifest(
      { registry: 'registry.example', repository: 'app/image2' },
      other.metadata,
      await registry.getManifest({ registry: 'registry.example', repository: 'other/image2' }, other.metadata),
    );
    const { evidence } = (await play({ ...chain, metadata: other.metadata })) ?? {};
    expect(evidence).toMatchObject([{ status: 'failed', found: expect.stringMatching(/^SNAPSHOT_MIXED: scanner/) }]);
  });

  test('is none where an image was not published, or where components are released', async () => {
    expect(await play({ sealed: chain.sealed })).toMatchObject({
      snapshot: undefined,
      evidence: [{ status: 'skipped', text: expect.stringContaining('scanner is not there') }],
    });
    expect(await play(chain, { ...CONFIG, release: 'components' })).toBeUndefined();
  });

  test('fails where nothing can be judged, and ends no run', async () => {
    const away = Object.assign(Object.create(registry) as Registry, {
      getManifest: () => Promise.reject(new Error('the registry is away')),
    });
    expect(await play(chain, CONFIG, away)).toMatchObject({
      evidence: [{ status: 'failed', found: 'the registry is away' }],
    });
  });
});
