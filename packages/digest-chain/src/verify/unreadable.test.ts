import { imageOf } from '@multi-image/testing/image';
import { type MemoryRegistry, memoryRegistry } from '@multi-image/testing/memory-registry';
import { expect, it } from 'vitest';
import type { Digest } from '../digest.ts';
import { inspect } from '../inspect/inspect.ts';
import { LabelNames } from '../label-names.ts';
import { DOCKER_LIST, OCI_INDEX, OCI_MANIFEST } from '../media-types.ts';
import { parseDigestReference, parseReference } from '../reference.ts';
import type { Image } from '../seal/manifest.ts';
import { seal } from '../seal.ts';
import { indexOf, METADATA, sealOne } from '../testing/sealed-image.ts';
import { verify } from '../verify.ts';

// An image that can't be read, among others that can.

const REVISION = '0123456789abcdef0123456789abcdef01234567';
const READABLE = imageOf(
  Buffer.from(`{"rootfs":{"diff_ids":[]},"config":{"Labels":{"org.opencontainers.image.revision":"${REVISION}"}}}`),
);
const IMAGE1 = 'registry.example/app/image1';
const IMAGE2 = 'registry.example/app/image2';

async function push(registry: MemoryRegistry, repository: string, { manifest, config }: Image): Promise<Digest> {
  const place = parseReference(repository);
  await registry.putBlob(place, config);
  return (await registry.putManifest(place, manifest.digest, manifest)).digest;
}

/** Seals a readable Image 1 with a link to Image 2, which nobody looks at, and proves it. */
async function proofWith(registry: MemoryRegistry, linked: Digest) {
  const origin = await push(registry, IMAGE1, READABLE);
  const links = [{ role: 'metadata', image: parseDigestReference(`${IMAGE2}@${linked}`) }];
  const sealed = await seal(registry, parseDigestReference(`${IMAGE1}@${origin}`), links, { check: false });
  return verify(registry, parseReference(`${IMAGE1}@${sealed.digest}`));
}

const failed = async (proof: ReturnType<typeof verify>): Promise<object> => {
  const { level, checks } = await proof;
  expect(level).toBe('none');
  return checks.find(({ status }) => status === 'failed') ?? {};
};

it.each([
  ['NOT_AN_IMAGE', '{}'],
  ['NOT_AN_IMAGE', '{"rootfs":{}}'],
  ['NOT_AN_IMAGE', '{"rootfs":{"type":"other"}}'],
  ['SEAL_REFUSED', '{"rootfs":{"type":"layers","Type":"other"}}'],
  ['NOT_AN_IMAGE', '{"rootfs":{"diff_ids":[]},"config":{"Labels":{"a":1}}}'],
  ['JSON_INVALID', 'x'],
  ['JSON_DUPLICATE_KEY', '{"rootfs":{"diff_ids":[]},"a":1,"a":1}'],
  ['SEAL_REFUSED', '{"rootfs":{"diff_ids":[]},"Config":{}}'],
  ['SEAL_REFUSED', '{"rootfs":{"diff_ids":[]},"OS":"linux"}'],
])('a linked image with a config that is %s fails the proof, by its name: %s', async (code, config) => {
  const registry = memoryRegistry();
  const linked = await push(registry, IMAGE2, imageOf(Buffer.from(config)));
  const check = await failed(proofWith(registry, linked));
  expect(check).toMatchObject({ id: 'linked-image-exists', role: 'metadata' });
  expect(check).toMatchObject({ evidence: expect.stringMatching(new RegExp(`^${code}: .*${IMAGE2}@${linked}\\)$`)) });
});

it('a linked image that is sealed, and attached to another since, fails the proof', async () => {
  const registry = memoryRegistry();
  const { manifest, config } = sealOne(READABLE, [METADATA], new LabelNames().prefix);
  const subject = `,"subject":{"mediaType":"${OCI_MANIFEST}","digest":"${manifest.digest}","size":1}}`;
  const bytes = Buffer.from(Buffer.from(manifest.bytes).toString().replace(/\}$/, subject));
  const { digest } = await registry.putManifest(parseReference(IMAGE2), 'attached', { ...manifest, bytes });
  await registry.putBlob(parseReference(IMAGE2), config);
  expect(await failed(proofWith(registry, digest))).toMatchObject({ id: 'embeds-origin', role: 'metadata' });
});

it('an index says which of its images it is', async () => {
  const registry = memoryRegistry();
  const odd = imageOf(Buffer.from('{}'));
  const index = indexOf([READABLE, odd], OCI_INDEX);
  for (const image of index.images) await push(registry, IMAGE2, image);
  const { digest } = await registry.putManifest(parseReference(IMAGE2), 'index', index.manifest);
  const inspecting = inspect(registry, parseReference(`${IMAGE2}@${digest}`));
  await expect(inspecting).rejects.toMatchObject({
    message: expect.stringContaining(`${IMAGE2}@${odd.manifest.digest}`),
  });
});

it('an index within an index is nothing that is sealed or proved, whoever asks', async () => {
  const registry = memoryRegistry();
  const index = indexOf([READABLE], OCI_INDEX, [`{"mediaType":"${DOCKER_LIST}"}`]);
  const { digest } = await registry.putManifest(parseReference(IMAGE2), 'index', index.manifest);
  const inspecting = inspect(registry, parseReference(`${IMAGE2}@${digest}`));
  await expect(inspecting).rejects.toMatchObject({ message: expect.not.stringContaining("can't be sealed") });
});
