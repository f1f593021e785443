import { configOf, imageOf } from '@multi-image/testing/image';
import { memoryChain } from '@multi-image/testing/memory-chain';
import { type MemoryRegistry, memoryRegistry } from '@multi-image/testing/memory-registry';
import { expect, it } from 'vitest';
import { digestOf } from '../digest.ts';
import { inspect } from '../inspect/inspect.ts';
import { OCI_INDEX } from '../media-types.ts';
import { parseReference, type Reference } from '../reference.ts';
import type { Image } from '../seal/manifest.ts';
import { attachStatement } from '../statement/artifact.ts';
import type { Chain } from '../statement/chain.ts';
import { indexOf } from '../testing/sealed-image.ts';
import { verify } from '../verify.ts';

// One config of the largest size that there may be costs whoever pushes it one upload, however often it is named.

const LARGE = 8 * 1024 * 1024 - 1024;

function large(config: object = {}): Uint8Array {
  return configOf(
    JSON.stringify({ ...config, Labels: { ...(config as { Labels?: object }).Labels, a: 'x'.repeat(LARGE) } }),
  );
}

async function push(registry: MemoryRegistry, place: Reference, { manifest, config }: Image): Promise<void> {
  await registry.putBlob(place, config);
  await registry.putManifest(place, manifest.digest, manifest);
}

it('an index of many large images is refused before they are read', async () => {
  const registry = memoryRegistry();
  const place = parseReference('registry.example/app/image1:1');
  const config = large();
  const images = Array.from({ length: 8 }, (_, at) =>
    imageOf(config, {
      manifest: (descriptor) => `{"schemaVersion":2,"config":${descriptor},"layers":[],"annotations":{"at":"${at}"}}`,
    }),
  );
  for (const image of images) await push(registry, place, image);
  await registry.putManifest(place, '1', indexOf(images, OCI_INDEX).manifest);
  registry.asked.length = 0;
  const refused = { code: 'SEAL_REFUSED', message: expect.stringContaining('too large together') };
  await expect(inspect(registry, place)).rejects.toMatchObject(refused);
  await expect(verify(registry, place)).rejects.toMatchObject(refused);
  expect(registry.asked.filter((what) => what.endsWith(digestOf(config))).length).toBeLessThanOrEqual(4);
});

it('a chain statement of many large images fails a proof that does not read on', async () => {
  const registry = memoryRegistry();
  const { image1, origin } = await memoryChain(registry, 'app');
  const place = { ...parseReference(image1), digest: origin };
  const url = `${image1}@${origin}`;
  const other = parseReference('registry.example/app/large');
  const image = imageOf(
    large({
      Env: [`IMAGE1_DIGEST=${origin}`, `IMAGE1_URL=${url}`],
      Labels: { 'io.konflux.poc.primary-image.digest': origin, 'io.konflux.poc.primary-image.url': url },
    }),
  );
  await push(registry, other, image);
  const others = Array.from({ length: 30 }, (_, at) => ({
    role: `r${at}`,
    url: 'registry.example/app/large:1',
    digest: image.manifest.digest,
  }));
  const chain: Chain = {
    images: [{ role: 'primary', url: `${image1}:1`, digest: origin }, ...others],
    embeds: others.map(({ role }) => ({ image: role, embedded: 'primary' })),
  };
  await attachStatement(registry, chain, [{ repository: place, manifest: await registry.getManifest(place, origin) }]);
  registry.asked.length = 0;
  const { level, checks } = await verify(registry, parseReference(url));
  expect(level).toBe('none');
  expect(checks.find(({ evidence }) => evidence.startsWith('TOO_LARGE: '))?.id).toBe('linked-image-exists');
  const asked = registry.asked.filter((what) => what.startsWith('registry.example/app/large '));
  expect(asked.length).toBeLessThan(2 * 32);
});
