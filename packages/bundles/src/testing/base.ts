import {
  type Digest,
  type DigestReference,
  digestOf,
  OCI_INDEX,
  parseDigestReference,
  parseReference,
  type Registry,
} from '@multi-image/digest-chain/oci';
import { configOf, imageOf } from '@multi-image/testing/image';

/** Pushes a base image as Node's is: an index of images for two platforms, each with a layer. */
export async function pushBase(registry: Registry, repository: string): Promise<DigestReference> {
  const place = parseReference(repository);
  const platforms = ['amd64', 'arm64'].map((architecture) => ({ architecture, os: 'linux' }));
  const images = await Promise.all(platforms.map((platform) => pushPlatform(registry, repository, platform)));
  const attestation = { ...images[0], platform: { architecture: 'unknown', os: 'unknown' } };
  const document = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [...images, attestation] };
  const bytes = Buffer.from(JSON.stringify(document));
  await registry.putManifest(place, digestOf(bytes), { bytes, mediaType: OCI_INDEX });
  return parseDigestReference(`${repository}:24@${digestOf(bytes)}`);
}

async function pushPlatform(
  registry: Registry,
  repository: string,
  platform: { readonly architecture: string; readonly os: string },
): Promise<{ mediaType: string; digest: Digest; size: number; platform: object }> {
  const place = parseReference(repository);
  const layer = Buffer.from(`a layer for ${platform.architecture}`);
  const config = configOf(JSON.stringify({ Env: ['PATH=/usr/bin'], Cmd: ['node'], Labels: { name: 'base' } }));
  const { manifest } = imageOf(config, {
    manifest: (descriptor) =>
      `{"schemaVersion":2,"config":${descriptor},"layers":[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","digest":"${digestOf(layer)}","size":${layer.length}}]}`,
  });
  await Promise.all([config, layer].map((bytes) => registry.putBlob(place, bytes)));
  await registry.putManifest(place, manifest.digest, manifest);
  return { mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.bytes.length, platform };
}
