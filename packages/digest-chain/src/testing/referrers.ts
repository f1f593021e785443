import { type Digest, digestOf } from '../digest.ts';
import type { Referrer } from '../registry/registry.ts';

export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const EMPTY = Buffer.from('{}');
export const SUBJECT: Digest = `sha256:${'5'.repeat(64)}`;

/** A manifest that is attached to a subject; each name makes another one. */
export function artifactOf(
  name: string,
  subject: Digest = SUBJECT,
  more: object = {},
): { bytes: Buffer; mediaType: string } {
  const empty = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(EMPTY), size: EMPTY.length };
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      artifactType: 'application/vnd.example',
      config: empty,
      layers: [empty],
      subject: { mediaType: OCI_MANIFEST, digest: subject, size: 7 },
      annotations: { name, 'org.example/x': 'y' },
      ...more,
    }),
  );
  return { bytes, mediaType: OCI_MANIFEST };
}

export const referrer = (name: string, more: Partial<Referrer> = {}): Referrer => ({
  mediaType: OCI_MANIFEST,
  digest: digestOf(Buffer.from(name)),
  size: name.length,
  artifactType: 'application/vnd.example',
  ...more,
});

export const indexOf = (manifests: readonly unknown[]): string =>
  JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests });
