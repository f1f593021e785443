import { REVISION, type TestChain } from '@multi-image/testing/chain';
import { pushLayeredImage } from '@multi-image/testing/layered-image';
import { pushChain } from '@multi-image/testing/pushed-chain';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseDigestReference, parseTagReference } from '../reference.ts';
import { createRegistry } from '../registry/client.ts';
import { seal } from '../seal.ts';
import { verify } from '../verify.ts';

let server: TestRegistry;
let chain: TestChain;
const registry = createRegistry();

beforeAll(async () => {
  server = await startTestRegistry();
  chain = await pushChain(server.host, 'members');
});
afterAll(() => server.stop());

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

/** Publishes an index of Image 2 for another platform and of one more manifest, and seals Image 1 with it. */
async function sealWith(name: string, digest: string, size: number, marks: object): Promise<string> {
  const place = parseDigestReference(`${chain.image2}@${chain.metadata}`);
  const image = await registry.getManifest(place, chain.metadata);
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const manifests = [
    {
      mediaType: image.mediaType,
      digest: image.digest,
      size: image.bytes.length,
      platform: { os: 'linux', architecture: 's390x' },
    },
    { mediaType: OCI_MANIFEST, digest, size, ...marks },
  ];
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
  const index = await registry.putManifest(place, name, { bytes, mediaType });
  const origin = parseDigestReference(`${chain.image1}@${chain.origin}`);
  const linked = { role: 'metadata', image: parseDigestReference(`${chain.image2}:${REVISION}@${index.digest}`) };
  return (await seal(registry, origin, [linked], { tag: parseTagReference(`${chain.image1}:${name}`) })).url;
}

const RUNS_HERE = { os: 'linux', architecture: 'amd64' };

it.each([
  ['artifact', { artifactType: 'application/x', platform: RUNS_HERE }],
  ['artifact-of-no-platform', { artifactType: 'application/x' }],
  ['attestation', { annotations: { 'vnd.docker.reference.type': 'attestation-manifest' }, platform: RUNS_HERE }],
])('an image that its index marks as %s is an image', async (name, marks) => {
  const plain = await pushLayeredImage(`${chain.image2}:plain`, 1, 100);
  const { bytes } = await registry.getManifest(parseDigestReference(`${chain.image2}@${plain}`), plain);
  await expect(sealWith(name, plain, bytes.length, marks)).rejects.toMatchObject({
    code: 'NOT_AN_IMAGE',
    found: expect.stringContaining(plain),
  });
});

it('an artifact whose config has two types, to readers that tell case and to others, is none', async () => {
  const place = parseDigestReference(`${chain.image2}@${chain.metadata}`);
  const { bytes: image } = await registry.getManifest(place, await pushLayeredImage(`${chain.image2}:plain`, 1, 100));
  const manifest = JSON.parse(Buffer.from(image).toString());
  const config = { MediaType: manifest.config.mediaType, ...manifest.config, mediaType: 'application/x' };
  const bytes = Buffer.from(JSON.stringify({ ...manifest, config }));
  const { digest } = await registry.putManifest(place, 'two-types', { bytes, mediaType: OCI_MANIFEST });
  const sealing = sealWith('two-types-index', digest, bytes.length, { artifactType: 'application/x' });
  await expect(sealing).rejects.toMatchObject({ code: 'SEAL_REFUSED' });
});

it('an artifact beside the images is none', async () => {
  const place = parseDigestReference(`${chain.image2}@${chain.metadata}`);
  const empty = await registry.putBlob(place, Buffer.from('{}'));
  const descriptor = { mediaType: 'application/vnd.oci.empty.v1+json', ...empty };
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      artifactType: 'application/x',
      config: descriptor,
      layers: [descriptor],
    }),
  );
  const { digest } = await registry.putManifest(place, 'artifact', { bytes, mediaType: OCI_MANIFEST });
  const url = await sealWith('beside', digest, bytes.length, { artifactType: 'application/x', platform: RUNS_HERE });
  expect(await verify(registry, parseTagReference(url))).toMatchObject({ level: 'linked' });
});
