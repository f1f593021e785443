import { Transient } from '../../../kit/src/retry.ts';
import type { BlobDescriptor } from '../descriptor.ts';
import { type Digest, digestAlgorithm, digestOf, isDigest } from '../digest.ts';
import { DigestChainError, quoted } from '../errors.ts';
import { MANIFEST_TYPES } from '../media-types.ts';
import { isTag } from '../reference.ts';
import { checkDigest, digestHeader, mediaTypeOf, mismatch } from './headers.ts';
import type { Operation } from './operation.ts';
import { urlOf } from './reach.ts';
import type { RawManifest, Repository } from './registry.ts';
import type { Request, Session } from './session.ts';

/** Registries must accept manifests of this size; larger ones are not read (distribution-spec, "Pushing Manifests"). Bytes. */
export const MANIFEST_LIMIT: number = 4 * 1024 * 1024;

export interface ManifestBytes {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
}

/** distribution-spec, "Pulling manifests". */
export function getManifest(
  session: Session,
  operation: Operation,
  repository: Repository,
  reference: string | Digest,
): Promise<RawManifest> {
  const request = { ...about(session, repository, reference), method: 'GET', access: 'pull' } as const;
  return session.request(operation, { ...request, headers: ACCEPT }, async (response) => {
    if (response.status !== 200) throw await session.refusal(response, request);
    const mediaType = mediaTypeOf(response, MANIFEST_TYPES);
    const said = digestHeader(response);
    const bytes = await response.read(MANIFEST_LIMIT);
    const asked = isDigest(reference) ? reference : undefined;
    return { bytes, digest: checkDigest(request.what, bytes, asked, said), mediaType };
  });
}

/** distribution-spec, "Checking if content exists in the registry". */
export function headManifest(
  session: Session,
  operation: Operation,
  repository: Repository,
  reference: string | Digest,
): Promise<(BlobDescriptor & { mediaType: string }) | undefined> {
  const request = { ...about(session, repository, reference), method: 'HEAD', access: 'pull' } as const;
  return session.request(operation, { ...request, headers: ACCEPT }, async (response) => {
    if (response.status === 404) {
      await response.discard();
      return undefined;
    }
    if (response.status !== 200) throw await session.refusal(response, request);
    const mediaType = mediaTypeOf(response, MANIFEST_TYPES);
    const digest = digestHeader(response) ?? (isDigest(reference) ? reference : undefined);
    const size = response.length;
    await response.discard();
    if (digest !== undefined && size !== undefined) {
      if (isDigest(reference) && digest !== reference)
        throw mismatch(`the registry's ${request.what}`, reference, digest);
      return { digest, size, mediaType };
    }
    throw new DigestChainError('RESPONSE_INVALID', `${response.url.host} does not say what ${request.what} is`, {
      expected: 'Docker-Content-Digest and Content-Length',
      found: digest === undefined ? 'no digest' : 'no length',
    });
  });
}

/** distribution-spec, "Pushing Manifests". The same bytes may be pushed again and again, so a lost answer is no harm. */
export async function putManifest(
  session: Session,
  operation: Operation,
  repository: Repository,
  reference: string | Digest,
  { bytes, mediaType }: ManifestBytes,
): Promise<{ digest: Digest; subjectIndexed: boolean }> {
  const digest = digestOf(bytes, isDigest(reference) ? digestAlgorithm(reference) : 'sha256');
  const request: Request = { ...about(session, repository, reference), method: 'PUT', access: 'push', body: bytes };
  if (isDigest(reference) && reference !== digest) throw mismatch(request.what, reference, digest);
  if (bytes.length > MANIFEST_LIMIT) throw tooLarge(request.what, bytes.length);
  const answer = await session.request(
    operation,
    { ...request, headers: { 'content-type': mediaType } },
    async (response) => {
      if (response.status === 409 && !isDigest(reference)) return session.refusal(response, request);
      if (response.status !== 201) throw transientIfBlobIsOnItsWay(await session.refusal(response, request));
      const said = digestHeader(response);
      if (said !== undefined) checkDigest(request.what, bytes, undefined, said);
      await response.discard();
      return response.header('oci-subject') !== undefined;
    },
  );
  if (typeof answer === 'boolean') return { digest, subjectIndexed: answer };
  // An immutable tag that names these very bytes is what was wanted; an earlier try may have written it.
  const there = await headManifest(session, operation, repository, reference);
  if (there?.digest === digest) return { digest, subjectIndexed: false };
  throw answer;
}

/**
 * Blobs are uploaded before the manifest that names them. A registry that doesn't see one yet (others upload the same at
 * this moment, or it has several stores) may see it soon.
 */
function transientIfBlobIsOnItsWay(failure: DigestChainError): DigestChainError | Transient {
  return failure.http?.codes.includes('MANIFEST_BLOB_UNKNOWN') ? new Transient(failure) : failure;
}

// Without it some registries convert to formats of long ago.
const ACCEPT = { accept: MANIFEST_TYPES.join(', ') };

function about(
  session: Session,
  repository: Repository,
  reference: string | Digest,
): { repository: Repository; url: URL; what: string } {
  if (!isDigest(reference) && !isTag(reference)) {
    throw new DigestChainError('REFERENCE_INVALID', 'neither a tag nor a digest', {
      expected: 'a tag of up to 128 letters, digits, "_", "." and "-", or a digest',
      found: quoted(reference),
    });
  }
  const url = urlOf(repository, `manifests/${reference}`, session.options.plainHttp);
  return { repository, url, what: `manifest ${reference}` };
}

function tooLarge(what: string, found: number): DigestChainError {
  return new DigestChainError('TOO_LARGE', `${what} is larger than a registry has to accept`, {
    expected: `at most ${MANIFEST_LIMIT} bytes`,
    found: `${found} bytes`,
  });
}
