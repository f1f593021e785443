import type { BlobDescriptor } from '../descriptor.ts';
import { type Digest, digestAlgorithm, digestOf, isDigest } from '../digest.ts';
import { DigestChainError, tooLarge, unexpected } from '../errors.ts';
import { MANIFEST_TYPES } from '../media-types.ts';
import { isTag } from '../reference.ts';
import { checkDigest, digestHeader, mediaTypeOf, mismatch } from './headers.ts';
import type { RawManifest, Repository } from './registry.ts';
import { type Call, CREATED, type Request, unconfirmed } from './session.ts';

/** Registries must accept manifests of this size; larger ones are not read (distribution-spec, "Pushing Manifests"). Bytes. */
export const MANIFEST_LIMIT: number = 4 * 1024 * 1024;

/** distribution-spec, "Pulling manifests". */
export function getManifest(call: Call, repository: Repository, reference: string | Digest): Promise<RawManifest> {
  const request: Request = { ...about(call, repository, reference), method: 'GET', headers: ACCEPT };
  const read = call.request(request, async (response) => {
    const mediaType = mediaTypeOf(response, MANIFEST_TYPES);
    const said = digestHeader(response);
    const bytes = await response.read(MANIFEST_LIMIT);
    const asked = isDigest(reference) ? reference : undefined;
    const digest = checkDigest(request.what, bytes, asked, said);
    call.session.noteReadable(repository);
    return { bytes, digest, mediaType };
  });
  return read.catch((error) => {
    throw isDigest(reference) ? error : refusedTag(call, repository, reference, error);
  });
}

/**
 * Some registries refuse (401, 403) a tag that is not there, so as not to tell. To someone who was let into the repository
 * that says no more than 404 does; to others it may be either.
 */
function refusedTag(call: Call, repository: Repository, tag: string, error: unknown): unknown {
  if (!isRefused(error)) return error;
  const { message, found, http, hint } = error;
  if (!call.session.isReadable(repository)) {
    const other = `${hint ?? 'check the credentials'}; or the tag is not there: some registries do not say which`;
    return new DigestChainError('UNAUTHORIZED', message, { found, http, hint: other });
  }
  const reason = `${repository.registry} does not have manifest ${tag}, or does not show it`;
  return new DigestChainError('NOT_FOUND', reason, { found, http });
}

function isRefused(error: unknown): error is DigestChainError {
  return error instanceof DigestChainError && error.code === 'UNAUTHORIZED' && error.http !== undefined;
}

/** distribution-spec, "Checking if content exists in the registry". */
export function headManifest(
  call: Call,
  repository: Repository,
  reference: string | Digest,
): Promise<(BlobDescriptor & { mediaType: string }) | undefined> {
  const named = about(call, repository, reference);
  const request: Request = { ...named, method: 'HEAD', statuses: [200, 404], headers: ACCEPT };
  const asked = call.request(request, async (response) => {
    if (response.status === 404) return undefined;
    const mediaType = mediaTypeOf(response, MANIFEST_TYPES);
    const digest = digestHeader(response) ?? (isDigest(reference) ? reference : undefined);
    const size = response.length;
    await response.discard();
    if (digest === undefined || size === undefined) {
      throw new DigestChainError('RESPONSE_INVALID', `${response.url.host} does not say what ${request.what} is`, {
        expected: 'Docker-Content-Digest and Content-Length',
        found: digest === undefined ? 'no digest' : 'no length',
      });
    }
    if (isDigest(reference) && digest !== reference)
      throw mismatch(`the registry's ${request.what}`, reference, digest);
    call.session.noteReadable(repository);
    return { digest, size, mediaType };
  });
  return asked.catch((error) => {
    if (isRefused(error) && call.session.isReadable(repository)) return undefined;
    throw error;
  });
}

/** distribution-spec, "Pushing Manifests". The same bytes may be pushed again and again, so a lost answer is no harm. */
export async function putManifest(
  call: Call,
  repository: Repository,
  reference: string | Digest,
  { bytes, mediaType }: Pick<RawManifest, 'bytes' | 'mediaType'>,
): Promise<{ digest: Digest; subjectIndexed: boolean }> {
  const digest = digestOf(bytes, isDigest(reference) ? digestAlgorithm(reference) : 'sha256');
  const request: Request = {
    ...about(call, repository, reference),
    method: 'PUT',
    statuses: CREATED,
    headers: { 'content-type': mediaType },
    body: bytes,
    // Blobs are uploaded before the manifest that names them. A registry that doesn't see one yet (others upload the same
    // at this moment, or it has several stores) may see it soon.
    mayPass: ({ http }) => http?.codes.includes('MANIFEST_BLOB_UNKNOWN'),
  };
  if (isDigest(reference) && reference !== digest) throw mismatch(request.what, reference, digest);
  if (bytes.length > MANIFEST_LIMIT) {
    const message = `${request.what} is larger than a registry has to accept`;
    throw tooLarge('TOO_LARGE', message, MANIFEST_LIMIT, bytes.length);
  }
  try {
    const { status, subjectIndexed } = await call.request(request, async (response) => {
      const said = digestHeader(response);
      if (said !== undefined) checkDigest(request.what, bytes, undefined, said);
      return { status: response.status, subjectIndexed: response.header('oci-subject') !== undefined };
    });
    call.session.noteReadable(repository);
    if (status !== 201) {
      await call.retry(async () => {
        const there = await headManifest(call, repository, reference);
        if (there?.digest !== digest) throw unconfirmed(request, status, digest, there?.digest);
      });
    }
    return { digest, subjectIndexed };
  } catch (error) {
    if (isDigest(reference) || !(error instanceof DigestChainError) || error.code !== 'CONFLICT') throw error;
    // An immutable tag that names these very bytes is what was wanted; an earlier try may have written it.
    const there = await headManifest(call, repository, reference);
    if (there?.digest === digest) return { digest, subjectIndexed: false };
    throw error;
  }
}

// Without it some registries convert to formats of long ago.
const ACCEPT = { accept: MANIFEST_TYPES.join(', ') };

function about(
  call: Call,
  repository: Repository,
  reference: string | Digest,
): Pick<Request, 'repository' | 'url' | 'what'> {
  if (isDigest(reference) || isTag(reference)) {
    return { repository, url: call.url(repository, `manifests/${reference}`), what: `manifest ${reference}` };
  }
  const expected = 'a tag of up to 128 letters, digits, "_", "." and "-", or a digest';
  throw unexpected('REFERENCE_INVALID', 'neither a tag nor a digest', expected, reference);
}
