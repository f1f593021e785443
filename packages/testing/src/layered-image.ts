import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { createRegistry, type Digest, digestOf, OCI_MANIFEST, parseReference } from '@multi-image/digest-chain/oci';
import { archiveOf } from '@multi-image/kit/archive';
import { mapConcurrently } from '@multi-image/kit/concurrent';

/** Pushes an image of real layers, a file of random bytes in each, that every tool can read; returns its digest. */
export async function pushLayeredImage(reference: string, layers: number, bytesEach: number): Promise<Digest> {
  const registry = createRegistry();
  const place = parseReference(reference);
  const archives = Array.from({ length: layers }, (_, index) =>
    archiveOf({ [`file-${index}`]: randomBytes(bytesEach) }),
  );
  const blobs = archives.map((archive) => gzipSync(archive, { level: 1 }));
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: { Labels: { 'org.opencontainers.image.title': place.repository } },
      rootfs: { type: 'layers', diff_ids: archives.map((archive) => digestOf(archive)) },
      history: archives.map((_, index) => ({ created_by: `layer ${index}` })),
    }),
  );
  await mapConcurrently([...blobs, config], (blob) => registry.putBlob(place, blob));
  const describe = (mediaType: string, blob: Uint8Array): object => {
    return { mediaType, digest: digestOf(blob), size: blob.length };
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: describe('application/vnd.oci.image.config.v1+json', config),
    layers: blobs.map((blob) => describe('application/vnd.oci.image.layer.v1.tar+gzip', blob)),
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const { digest } = await registry.putManifest(place, place.tag ?? digestOf(bytes), {
    bytes,
    mediaType: OCI_MANIFEST,
  });
  return digest;
}
