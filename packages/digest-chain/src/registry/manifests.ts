import type { BlobDescriptor } from '../descriptor.ts';
import { type Digest, digestAlgorithm, digestOf, isDigest } from '../digest.ts';
import { DigestChainError, tooLarge, unexpected } from '../errors.ts';
import { MANIFEST_LIMIT, MANIFEST_TYPES } from '../media-types.ts';
import { isTag } from '../reference.ts';
import { checkDigest, digestHeader, mediaTypeOf, mismatch } from './headers.ts';
import type { RawManifest, Repository } from './registry.ts';
import { type Call, CREATED, type Request, unconfirmed } from './session.ts';
import { hasTag } from './tags.ts';

/** distribution-spec, "Pulling manifests". */
export function getManifest(call: Call, repository: Repository, reference: string | Digest): Promise<RawManifest> {
  return askForManifest(call, repository, reference).catch(async (error) => {
    throw isDigest(reference) || !isRefused(error) ? error : await refusedTag(call, repository, reference, error);
  });
}

/** As {@link getManifest}; of a tag that the registry refuses it is thrown that, whatever it means. */
export function askForManifest(call: Call, repository: Repository, reference: string | Digest): Promise<RawManifest> {
  const request: Request = { ...about(call, repository, reference), method: 'GET', headers: ACCEPT };
  return call.request(request, async (response) => {
    const mediaType = mediaTypeOf(response, MANIFEST_TYPES);
    const said = digestHeader(response);
    const bytes = await response.read(MANIFEST_LIMIT);
    const asked = isDigest(reference) ? reference : undefined;
    const digest = checkDigest(request.what, bytes, asked, said);
    call.session.noteReadable(repository);
    return { bytes, digest, mediaType };
  });
}

/**
 * Some registries refuse (401, 403) a tag that is not there, so as not to tell. To someone who was let into the repository
 * that says no more than 404 does; to others it may be either, which the list of tags may tell.
 */
async function refusedTag(
  call: Call,
  repository: Repository,
  tag: string,
  error: DigestChainError,
): Promise<DigestChainError> {
  const { message, found, http, hint } = error;
  const own = call.url(repository, '');
  const asked = http === undefined ? null : URL.parse(http.url);
  // Of what somebody else says, to whom the registry sent its client on, it knows nothing.
  if (asked?.origin !== own.origin) return error;
  // A token service of its own has not looked for the tag, where it does not know who asks.
  if (!asked.pathname.startsWith(own.pathname) && http?.status === 401) return error;
  const isReadable = call.session.isReadable(repository);
  const isListed = isReadable ? undefined : await hasTag(call, repository, tag);
  if (isListed) return error;
  if (isReadable || isListed === false) {
    const reason = `${repository.registry} does not have manifest ${tag} in ${repository.repository}, or does not show it`;
    return new DigestChainError('NOT_FOUND', reason, { found, http });
  }
  const other = `${hint ?? 'check the credentials'}; or the tag is not there: some registries do not say which`;
  return new DigestChainError('UNAUTHORIZED', message, { found, http, hint: other });
}

/** Whether a registry says that this client may not read something, or does not say whether it is there. */
export function isRefused(error: unknown): error is DigestChainError {
  return error instanceof DigestChainError && error.code === 'UNAUTHORIZED' && error.http !== undefined;
}

/** distribution-spec, "Checking if content exists in the registry". */
export async function headManifest(
  call: Call,
  repository: Repository,
  reference: string | Digest,
): Promise<(BlobDescriptor & { mediaType: string }) | undefined> {
  const named = about(call, repository, reference);
  const request: Request = { ...named, method: 'HEAD', statuses: [200, 404, 405], headers: ACCEPT };
  const asked = call.request(request, async (response) => {
    if (response.status === 404) return undefined;
    if (response.status === 405) return 'unsaid';
    const mediaType = mediaTypeOf(response, MANIFEST_TYPES);
    const digest = digestHeader(response) ?? (isDigest(reference) ? reference : undefined);
    const size = response.length;
    await response.discard();
    // Neither header has to be there. What it is, is in its bytes.
    if (digest === undefined || size === undefined) return 'unsaid';
    if (isDigest(reference) && digest !== reference)
      throw mismatch(`the registry's ${request.what}`, reference, digest);
    call.session.noteReadable(repository);
    return { digest, size, mediaType };
  });
  try {
    const found = await asked;
    if (found !== 'unsaid') return found;
    const { bytes, digest, mediaType } = await askForManifest(call, repository, reference);
    return { digest, size: bytes.length, mediaType };
  } catch (error) {
    if (error instanceof DigestChainError && error.code === 'NOT_FOUND') return undefined;
    if (!isRefused(error)) throw error;
    if (call.session.isReadable(repository)) return undefined;
    if (!isDigest(reference) && (await hasTag(call, repository, reference)) === false) return undefined;
    throw error;
  }
}

/**
 * distribution-spec, "Pushing Manifests". The same bytes may be pushed again and again, so a lost answer is no harm; where
 * others may have written the tag meanwhile it is one, so with `once` it is the caller who tries again after `Transient`.
 */
export async function putManifest(
  call: Call,
  repository: Repository,
  reference: string | Digest,
  { bytes, mediaType }: Pick<RawManifest, 'bytes' | 'mediaType'>,
  { once = false }: { readonly once?: boolean } = {},
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
    const send = once ? call.attempt.bind(call) : call.request.bind(call);
    const { status, subjectIndexed } = await send(request, async (response) => {
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
    if (isDigest(reference) || !isImmutable(error)) throw error;
    // An immutable tag that names these very bytes is what was wanted; an earlier try may have written it.
    const there = await headManifest(call, repository, reference).catch(() => undefined);
    if (there?.digest === digest) return { digest, subjectIndexed: false };
    throw error;
  }
}

/** Whether an answer may be about a tag that stays as it is: 409 in most registries, 400, 403, 405 or 412 in others. */
function isImmutable(error: unknown): boolean {
  if (!(error instanceof DigestChainError) || error.http === undefined) return false;
  const { status, codes } = error.http;
  return [400, 403, 405, 409, 412].includes(status) && !codes.includes('MANIFEST_BLOB_UNKNOWN');
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
