import {
  type BlobDescriptor,
  type Digest,
  digestOf,
  OCI_MANIFEST,
  type RawManifest,
  type Registry,
  type Repository,
} from '@multi-image/digest-chain/oci';
import { mapConcurrently } from '@multi-image/kit/concurrent';

/** A blob that is pushed, as a manifest names it. */
export interface ArtifactBlob {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Something to push: its manifest, and every blob that this names and the registry may not have. */
export interface Artifact {
  readonly manifest: RawManifest;
  readonly blobs: readonly Uint8Array[];
}

/** Where something was made: the same source gives the same bytes. */
export interface Source {
  /** The git repository. */
  readonly url: string;
  readonly revision: string;
  /** When it was committed (RFC 3339): the time of all that is made of it. */
  readonly committed: string;
}

/** What an artifact says of its source (image-spec, annotations.md). */
export function sourceAnnotations({ url, revision, committed }: Source): Record<string, string> {
  return {
    'org.opencontainers.image.created': committed,
    'org.opencontainers.image.revision': revision,
    'org.opencontainers.image.source': url,
  };
}

/** A layer that is not compressed: what a compressor writes depends on its version and on the machine. */
export const LAYER = 'application/vnd.oci.image.layer.v1.tar';

/**
 * An artifact of a config and layers (image-spec, manifest.md).
 *
 * @param below Layers under these that the registry has, or gets otherwise: as the manifest names them.
 */
export function artifactOf(
  config: ArtifactBlob,
  layers: readonly ArtifactBlob[],
  annotations: Readonly<Record<string, string>>,
  below: readonly Readonly<Record<string, unknown>>[] = [],
): Artifact {
  const document = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: descriptorOf(config),
    layers: [...below, ...layers.map(descriptorOf)],
    annotations: Object.fromEntries(Object.entries(annotations).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
  const bytes = Buffer.from(JSON.stringify(document));
  return {
    manifest: { bytes, mediaType: OCI_MANIFEST, digest: digestOf(bytes) },
    blobs: [config, ...layers].map((blob) => blob.bytes),
  };
}

/** A blob as a manifest names it. */
function descriptorOf({ mediaType, bytes, annotations }: ArtifactBlob): BlobDescriptor & { mediaType: string } {
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length, annotations };
  return descriptor;
}

/** Pushes an artifact under a tag, or by its digest alone; blobs first. */
export async function pushArtifact(
  registry: Registry,
  place: Repository,
  name: string,
  { manifest, blobs }: Artifact,
): Promise<Digest> {
  await mapConcurrently(blobs, (bytes) => registry.putBlob(place, bytes));
  return (await registry.putManifest(place, name, manifest)).digest;
}
