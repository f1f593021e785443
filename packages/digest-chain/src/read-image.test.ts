import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createRegistry,
  digestOf,
  EMPTY,
  formatPlatform,
  OCI_INDEX,
  OCI_MANIFEST,
  parseReference,
  type Reference,
  readImage,
} from './oci.ts';

const registry = createRegistry();
let real: TestRegistry;
let place: Reference;

beforeAll(async () => {
  real = await startTestRegistry();
  place = parseReference(`${real.host}/org/image:v1`);
});
afterAll(async () => {
  await real.stop();
});

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const CONFIG_TYPE = 'application/vnd.oci.image.config.v1+json';
const LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar';

/** Pushes an image of one layer; answers with its descriptor. */
async function push(config: object, tag?: string) {
  const bytes = json({ os: 'linux', rootfs: { type: 'layers', diff_ids: [] }, ...config });
  const layer = await registry.putBlob(place, Buffer.from('layer'));
  const manifest = json({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: CONFIG_TYPE, ...(await registry.putBlob(place, bytes)) },
    layers: [{ mediaType: LAYER_TYPE, ...layer }],
  });
  await registry.putManifest(place, tag ?? digestOf(manifest), { bytes: manifest, mediaType: OCI_MANIFEST });
  return { mediaType: OCI_MANIFEST, digest: digestOf(manifest), size: manifest.length };
}

describe('reading', () => {
  it('an image gives what its config says, and its layers', async () => {
    const config = { Labels: { version: '1', __proto__x: 'y' }, Env: ['A=1=2', 'B='], Entrypoint: ['/run', '-x'] };
    const { digest } = await push({ architecture: 'arm64', variant: 'v8', config }, 'v1');
    const { manifest, index, images } = await readImage(registry, place);
    expect(manifest.digest).toBe(digest);
    expect(index).toBe(false);
    expect(images).toHaveLength(1);
    expect(images[0]).toMatchObject({
      environment: [
        ['A', '1=2'],
        ['B', ''],
      ],
      entrypoint: ['/run', '-x'],
      platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
      layers: [{ mediaType: LAYER_TYPE, size: 5 }],
    });
    expect(images[0]?.labels.get('version')).toBe('1');
  });

  it('an index gives each of its images, and no attestation', async () => {
    const amd64 = await push({ architecture: 'amd64', config: { Labels: { for: 'amd64' } } });
    const arm64 = await push({ architecture: 'arm64', config: { Labels: { for: 'arm64' } } });
    const attestation = { ...amd64, annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } };
    const bytes = json({
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: [
        { ...amd64, platform: { os: 'linux', architecture: 'amd64' } },
        { ...arm64, platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } },
        { ...attestation, platform: { os: 'unknown', architecture: 'unknown' } },
      ],
    });
    await registry.putManifest(place, 'index', { bytes, mediaType: OCI_INDEX });
    const read = await readImage(registry, { ...place, tag: 'index' });
    expect(read.index).toBe(true);
    expect(read.images.map(({ platform }) => platform && formatPlatform(platform))).toEqual([
      'linux/amd64',
      'linux/arm64/v8',
    ]);
    expect(read.images.map(({ labels }) => labels.get('for'))).toEqual(['amd64', 'arm64']);
  });

  it('what is no image is refused', async () => {
    await registry.putBlob(place, EMPTY);
    const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(EMPTY), size: EMPTY.length };
    const bytes = json({ schemaVersion: 2, mediaType: OCI_MANIFEST, artifactType: 'a/b', config, layers: [] });
    await registry.putManifest(place, 'artifact', { bytes, mediaType: OCI_MANIFEST });
    await expect(readImage(registry, { ...place, tag: 'artifact' })).rejects.toMatchObject({ code: 'NOT_AN_IMAGE' });
    await expect(readImage(registry, { ...place, tag: 'nothing' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
