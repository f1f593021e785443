/** image-spec, media-types.md; the others are Docker's image manifest v2, schema 2. */
export const OCI_MANIFEST: string = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX: string = 'application/vnd.oci.image.index.v1+json';
export const DOCKER_MANIFEST: string = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_LIST: string = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const OCI_CONFIG: string = 'application/vnd.oci.image.config.v1+json';
export const DOCKER_CONFIG: string = 'application/vnd.docker.container.image.v1+json';

/** Of content that says nothing, such as an artifact's config (image-spec, manifest.md, "Guidance for an Empty Descriptor"). */
export const EMPTY_MEDIA_TYPE: string = 'application/vnd.oci.empty.v1+json';
/** What such content is. */
export const EMPTY: Uint8Array = Buffer.from('{}');

/** What a manifest can be. */
export const MANIFEST_TYPES: readonly string[] = [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST];

/** Registries must accept manifests of this size; larger ones are neither read nor written (distribution-spec, "Pushing Manifests"). Bytes. */
export const MANIFEST_LIMIT: number = 4 * 1024 * 1024;

/** Whether a media type is an index's, which lists images, and not an image's. */
export function isIndex(mediaType: string): boolean {
  return mediaType === OCI_INDEX || mediaType === DOCKER_LIST;
}

/** An in-toto statement, as it is or in an envelope. */
export const IN_TOTO: string = 'application/vnd.in-toto+json';
/** What is signed is in a layer: cosign's simple signing, or the DSSE envelope around a statement. */
export const SIMPLE_SIGNING: string = 'application/vnd.dev.cosign.simplesigning.v1+json';
export const DSSE_ENVELOPE: string = 'application/vnd.dsse.envelope.v1+json';
/** The annotation that holds the signature of a simple signing payload. */
export const SIGNATURE_ANNOTATION: string = 'dev.cosignproject.cosign/signature';
