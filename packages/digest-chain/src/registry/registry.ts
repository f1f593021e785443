import type { Digest } from '../digest.ts';

/** A manifest exactly as the registry sent it, already hashed and compared with what was asked for. */
export interface RawManifest {
  readonly bytes: Uint8Array;
  readonly digest: Digest;
  /** The Content-Type, without parameters. */
  readonly mediaType: string;
}

/** The part of a descriptor that fetching needs (image-spec, descriptor.md). */
export interface BlobDescriptor {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** A repository on a registry: `quay.io` + `org/image`. */
export interface Repository {
  /** host, or host:port */
  readonly registry: string;
  /** path, without leading slash */
  readonly repository: string;
}

/**
 * What the verbs need of a registry (distribution-spec, "Endpoints"). Everything returned was verified: a manifest or
 * blob whose bytes don't hash to the digest asked for never reaches a caller (`DIGEST_MISMATCH`).
 */
export interface Registry {
  /** GET a manifest by tag or digest. Throws `NOT_FOUND` where there is none. */
  getManifest(repository: Repository, reference: string | Digest): Promise<RawManifest>;
  /** PUT a manifest under a tag or its digest; returns the digest of `bytes`, and whether the registry indexed `subject`. */
  putManifest(
    repository: Repository,
    reference: string | Digest,
    manifest: { bytes: Uint8Array; mediaType: string },
  ): Promise<{ digest: Digest; subjectIndexed: boolean }>;
  /** GET a small blob (config, statement) whole. Throws `TOO_LARGE` before reading past the descriptor's size or `limit` bytes. */
  getBlob(repository: Repository, descriptor: BlobDescriptor, options?: { limit?: number }): Promise<Uint8Array>;
  /** Upload a small blob; no request where the registry is known to have it. */
  putBlob(repository: Repository, bytes: Uint8Array): Promise<BlobDescriptor>;
}
