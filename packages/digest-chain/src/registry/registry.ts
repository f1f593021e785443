import type { BlobDescriptor, Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest.ts';

/** A manifest exactly as the registry sent it, already hashed and compared with what was asked for. */
export interface RawManifest {
  readonly bytes: Uint8Array;
  readonly digest: Digest;
  /** The Content-Type, without parameters. */
  readonly mediaType: string;
}

/** A manifest that is attached to another by its `subject` (distribution-spec, "Listing Referrers"). */
export type Referrer = Descriptor;

/** A repository on a registry: `quay.io` + `org/image`. */
export interface Repository {
  /** host, or host:port */
  readonly registry: string;
  /** path, without leading slash */
  readonly repository: string;
}

export interface CallOptions {
  /** Ends the call with `ABORTED`. */
  readonly signal?: AbortSignal | undefined;
  /**
   * The registry (host, or host:port) whose content named the repository, where the caller did not: then the repository's
   * host has to be as public as that one, like a host that a registry redirects to, or the call fails with `LINK_REFUSED`.
   */
  readonly namedBy?: string | undefined;
}

/** An upload that was opened before its bytes were known, so that its first round trip runs beside others. */
export interface Upload {
  /** Sends the bytes, under their SHA-256 or this digest of them. Throws what opening the upload threw, too. */
  finish(bytes: Uint8Array, digest?: Digest): Promise<BlobDescriptor>;
  /** Gives the upload up. Never throws: a registry collects abandoned uploads by itself. */
  cancel(): Promise<void>;
}

/**
 * What the verbs need of a registry (distribution-spec, "Endpoints"). Everything returned was verified: a manifest or
 * blob whose bytes don't hash to the digest asked for never reaches a caller (`DIGEST_MISMATCH`).
 */
export interface Registry {
  /** GET a manifest by tag or digest. Throws `NOT_FOUND` where there is none. */
  getManifest(repository: Repository, reference: string | Digest, options?: CallOptions): Promise<RawManifest>;
  /** What a tag or digest is, without its bytes; undefined where there is none. Says only what the registry says. */
  headManifest(
    repository: Repository,
    reference: string | Digest,
    options?: CallOptions,
  ): Promise<(BlobDescriptor & { readonly mediaType: string }) | undefined>;
  /**
   * PUT a manifest under a tag or its digest; returns the digest of `bytes`, and whether the registry indexed `subject`.
   * Throws `CONFLICT` where the tag is immutable and names something else.
   */
  putManifest(
    repository: Repository,
    reference: string | Digest,
    manifest: Pick<RawManifest, 'bytes' | 'mediaType'>,
    options?: CallOptions,
  ): Promise<{ digest: Digest; subjectIndexed: boolean }>;
  /** GET a small blob (config, statement) whole. Throws `TOO_LARGE` before reading past the descriptor's size or `limit` bytes. */
  getBlob(
    repository: Repository,
    descriptor: BlobDescriptor,
    options?: CallOptions & { readonly limit?: number },
  ): Promise<Uint8Array>;
  /**
   * Upload a small blob, under its SHA-256 or the digest of it that is given (`DIGEST_MISMATCH` where it is of other bytes);
   * no request where the registry is known to have it.
   */
  putBlob(
    repository: Repository,
    bytes: Uint8Array,
    options?: CallOptions & { readonly digest?: Digest },
  ): Promise<BlobDescriptor>;
  /** What size a blob has, without its bytes; undefined where there is none. Says only what the registry says. */
  headBlob(repository: Repository, digest: Digest, options?: CallOptions): Promise<BlobDescriptor | undefined>;
  /**
   * GET a blob of any size as a stream: `consume` gets its bytes as they come, and once more from the start where what went
   * wrong may pass. Only if the stream ends without an error was it what the descriptor says; no piece of the last try is
   * held back but its last.
   */
  readBlob<T>(
    repository: Repository,
    descriptor: BlobDescriptor,
    consume: (content: AsyncIterable<Uint8Array>) => Promise<T>,
    options?: CallOptions,
  ): Promise<T>;
  /**
   * Upload a blob of any size as a stream. `open` gives its bytes, anew for each try; they have to be what the descriptor
   * says (`DIGEST_MISMATCH`, `SIZE_MISMATCH`). No request where the registry is known to have it.
   */
  pushBlob(
    repository: Repository,
    descriptor: BlobDescriptor,
    open: () => AsyncIterable<Uint8Array>,
    options?: CallOptions,
  ): Promise<void>;
  /** Opens an upload of which the bytes come later. One that is neither finished nor cancelled holds nothing up. */
  startUpload(repository: Repository, options?: CallOptions): Upload;
  /**
   * Brings a blob of any size from one repository to another: by cross-repository mount where the registry does that,
   * else by streaming it through. Answers whether it was mounted.
   */
  copyBlob(
    descriptor: BlobDescriptor,
    from: Repository,
    to: Repository,
    options?: CallOptions,
  ): Promise<{ mounted: boolean }>;
  /**
   * Everything that is attached to a manifest, all pages of it: by the referrers API, or by the fallback tag where the
   * registry has no such API.
   */
  listReferrers(
    repository: Repository,
    subject: Digest,
    options?: CallOptions & { readonly artifactType?: string },
  ): Promise<readonly Referrer[]>;
  /**
   * PUT a manifest that has a `subject`, by its digest, and lists it under the subject's fallback tag where the registry
   * doesn't say that it indexed it. Throws `CONFLICT` where others kept overwriting that tag. `listed`: that tag was seen to
   * list it, and is what the registry's list is read from; otherwise whether it is listed is open.
   */
  putReferrer(
    repository: Repository,
    manifest: Pick<RawManifest, 'bytes' | 'mediaType'>,
    options?: CallOptions,
  ): Promise<{ digest: Digest; subjectIndexed: boolean; listed: boolean }>;
  /** Closes idle connections. They keep no process alive, so a command need not call it. */
  close(): void;
}
