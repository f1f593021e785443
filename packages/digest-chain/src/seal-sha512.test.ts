import { configOf, ONES } from '@multi-image/testing/image';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { digestOf } from './digest.ts';
import { OCI_MANIFEST } from './media-types.ts';
import { parseReference } from './reference.ts';
import { createRegistry } from './registry/client.ts';
import { seal } from './seal.ts';
import { unseal } from './unseal.ts';

let server: TestRegistry;

beforeAll(async () => {
  server = await startTestRegistry();
});
afterAll(async () => {
  await server.stop();
});

it('keeps the SHA-512 by which a manifest names its config', async () => {
  const registry = createRegistry();
  const place = parseReference(`${server.host}/sha512`);
  const config = configOf('{}');
  const digest = digestOf(config, 'sha512');
  await registry.putBlob(place, config, { digest });
  const descriptor = { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: config.length };
  const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: descriptor, layers: [] };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const origin = digestOf(bytes);
  await registry.putManifest(place, origin, { bytes, mediaType: OCI_MANIFEST });

  const linked = { role: 'metadata', image: { ...place, repository: 'other', digest: ONES } };
  // Another client, which has not seen the blobs.
  const result = await seal(createRegistry(), { ...place, digest: origin }, [linked]);
  const sealed = await registry.getManifest(place, result.digest);
  const named = JSON.parse(Buffer.from(sealed.bytes).toString()).config;
  expect(named.digest).toMatch(/^sha512:[0-9a-f]{128}$/);
  expect(digestOf(await registry.getBlob(place, named), 'sha512')).toBe(named.digest);
  const { origin: restored } = await unseal(registry, { ...place, digest: result.digest });
  expect(restored.manifest.digest).toBe(origin);

  await expect(registry.putBlob(place, Buffer.from('other'), { digest })).rejects.toMatchObject({
    code: 'DIGEST_MISMATCH',
  });
});
