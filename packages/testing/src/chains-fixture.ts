import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { digestOf, isDigest, OCI_MANIFEST, parseReference } from '@multi-image/digest-chain/oci';
import { type MemoryRegistry, memoryRegistry } from './memory-registry.ts';

/** A chain that a real Tekton and Chains (v0.26) built, signed and attested on a throwaway cluster, as pushed. */
export const CHAINS_FIXTURE = {
  image1: '10.20.0.1:5000/demo/multi-image-poc-image1',
  image2: '10.20.0.1:5000/demo/multi-image-poc-image2',
  source: 'git://git.test/repo.git',
  revision: '47c2b846821baf51027999a5d6f84c2ae6fdc42f',
} as const;

/**
 * What that cluster's registry held of it: both published images without their layers, and cosign's tags with the
 * signatures, the provenance of the builder's and the scanner's run, and that of their TaskRuns. And Chains' public key.
 */
export async function chainsFixture(): Promise<{ readonly registry: MemoryRegistry; readonly key: string }> {
  const packed = readFileSync(new URL('../fixtures/chains.json.gz', import.meta.url));
  const { key, manifests, blobs } = JSON.parse(gunzipSync(packed).toString()) as {
    key: string;
    manifests: Record<string, string>;
    blobs: Record<string, string>;
  };
  const registry = memoryRegistry();
  for (const [name, manifest] of Object.entries(manifests)) {
    const place = parseReference(`10.20.0.1:5000/${name}`);
    const bytes = Buffer.from(manifest);
    await registry.putManifest(place, place.tag ?? '', { bytes, mediaType: OCI_MANIFEST });
    for (const digest of manifest.match(/sha256:[0-9a-f]{64}/g)?.filter(isDigest) ?? []) {
      const blob = blobs[digest];
      if (blob !== undefined) await registry.putBlob(place, Buffer.from(blob));
    }
    await registry.putManifest(place, digestOf(bytes), { bytes, mediaType: OCI_MANIFEST });
  }
  return { registry, key };
}
