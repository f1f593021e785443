import {
  type BlobDescriptor,
  type Digest,
  DigestChainError,
  digestOf,
  isDigest,
  type RawManifest,
  type Referrer,
  type Registry,
  type Repository,
} from '@multi-image/digest-chain/oci';

/** What a registry holds, to be looked at and taken away by tests. */
export interface MemoryRegistry extends Registry {
  /** By `repository@digest`; a digest that is hidden is as if it was never pushed. */
  readonly manifests: Map<string, RawManifest>;
  /** The digest that a tag names, by `repository:tag`. */
  readonly tags: Map<string, Digest>;
  readonly blobs: Map<string, Uint8Array>;
  /** Of each call its repository and what was asked for. */
  readonly asked: string[];
}

/** A registry that is a map: for tests in which what is stored matters, and not how it is asked for. */
export function memoryRegistry(): MemoryRegistry {
  const manifests = new Map<string, RawManifest>();
  const tags = new Map<string, Digest>();
  const blobs = new Map<string, Uint8Array>();
  const asked: string[] = [];
  const nameOf = ({ registry, repository }: Repository): string => `${registry}/${repository}`;
  const find = (repository: Repository, reference: string): RawManifest | undefined => {
    asked.push(`${nameOf(repository)} ${reference}`);
    const digest = isDigest(reference) ? reference : tags.get(`${nameOf(repository)}:${reference}`);
    return manifests.get(`${nameOf(repository)}@${digest}`);
  };
  const putBlob = async (
    repository: Repository,
    bytes: Uint8Array,
    options?: { readonly digest?: Digest | undefined },
  ): Promise<BlobDescriptor> => {
    const digest = options?.digest ?? digestOf(bytes);
    blobs.set(`${nameOf(repository)}@${digest}`, bytes);
    return { digest, size: bytes.length };
  };
  const missing = (what: string): DigestChainError => new DigestChainError('NOT_FOUND', `${what} is not there`);
  const registry: MemoryRegistry = {
    manifests,
    tags,
    blobs,
    asked,
    async getManifest(repository, reference) {
      const found = find(repository, reference);
      if (found === undefined) throw missing(`${nameOf(repository)} ${reference}`);
      return found;
    },
    async headManifest(repository, reference) {
      const found = find(repository, reference);
      return found && { digest: found.digest, size: found.bytes.length, mediaType: found.mediaType };
    },
    async putManifest(repository, reference, { bytes, mediaType }) {
      const digest = isDigest(reference) ? reference : digestOf(bytes);
      manifests.set(`${nameOf(repository)}@${digest}`, { bytes, mediaType, digest });
      if (!isDigest(reference)) tags.set(`${nameOf(repository)}:${reference}`, digest);
      return { digest, subjectIndexed: true };
    },
    async getBlob(repository, { digest }) {
      asked.push(`${nameOf(repository)} ${digest}`);
      const found = blobs.get(`${nameOf(repository)}@${digest}`);
      if (found === undefined) throw missing(digest);
      return found;
    },
    putBlob,
    startUpload: (repository) => ({
      finish: (bytes, digest) => putBlob(repository, bytes, { digest }),
      cancel: async () => {},
    }),
    async headBlob(repository, digest) {
      const found = blobs.get(`${nameOf(repository)}@${digest}`);
      return found && { digest, size: found.length };
    },
    async readBlob(repository, descriptor, consume) {
      const bytes = await registry.getBlob(repository, descriptor);
      return consume(
        (async function* () {
          yield bytes;
        })(),
      );
    },
    async pushBlob(repository, descriptor, open) {
      const pieces: Uint8Array[] = [];
      for await (const piece of open()) pieces.push(piece);
      await putBlob(repository, Buffer.concat(pieces), descriptor);
    },
    async copyBlob({ digest }, from, to) {
      const found = blobs.get(`${nameOf(from)}@${digest}`);
      if (found === undefined) throw missing(digest);
      blobs.set(`${nameOf(to)}@${digest}`, found);
      return { mounted: true };
    },
    async listReferrers(repository, subject, options) {
      asked.push(`${nameOf(repository)} referrers of ${subject}`);
      const own = [...manifests].filter(([name]) => name.startsWith(`${nameOf(repository)}@`));
      return own.flatMap(([, manifest]) => referrersAmong(manifest, subject, options?.artifactType));
    },
    async putReferrer(repository, manifest) {
      return { ...(await registry.putManifest(repository, digestOf(manifest.bytes), manifest)), listed: true };
    },
    close() {},
  };
  return registry;
}

function referrersAmong(manifest: RawManifest, subject: Digest, wanted: string | undefined): Referrer[] {
  const document = JSON.parse(Buffer.from(manifest.bytes).toString());
  const artifactType: string | undefined = document.artifactType ?? document.config?.mediaType;
  if (document.subject?.digest !== subject || (wanted !== undefined && artifactType !== wanted)) return [];
  return [{ mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.bytes.length, artifactType }];
}
