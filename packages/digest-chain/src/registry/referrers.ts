import { Turns } from '../../../kit/src/limiter.ts';
import { failureOf, pauseAfter, Transient } from '../../../kit/src/retry.ts';
import { readDescriptor } from '../descriptor.ts';
import { type Digest, digestAlgorithm, digestHex, digestOf, parseDigest } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import { at, decodeJson, items, member, textOf } from '../json/decode.ts';
import { get, scanJson } from '../json/scan.ts';
import { atEnd, splice } from '../json/splice.ts';
import { DOCKER_LIST, isIndex, MANIFEST_LIMIT, OCI_INDEX } from '../media-types.ts';
import { repositoryName } from '../reference.ts';
import { mediaTypeOf, nextPage } from './headers.ts';
import type { HttpResponse } from './http-response.ts';
import { askForManifest, isRefused, putManifest } from './manifests.ts';
import type { RawManifest, Referrer, Repository } from './registry.ts';
import { type Call, REFUSALS } from './session.ts';
import { hasTag } from './tags.ts';

/** More are not read: whoever may push to a repository may attach any number. */
const MAX_PAGES = 100;
const MAX_REFERRERS = 10_000;
/** Nor more of their pages. Bytes. */
const MAX_LIST_SIZE = 32 * 1024 * 1024;
/** Milliseconds before a list that could not be written is read again, at most; doubling. */
const PAUSE = 250;
/** How often an entry is put back into the fallback index after others have overwritten it. */
const MAX_ATTEMPTS = 20;

/** By these a registry says that it has no such API; Quay says 400 of a subject that it does not know. */
const NO_API: ReadonlySet<number> = new Set([400, 404, 405, 406, 501]);

/** What is attached to manifests, and which registries have no API for that. */
export class Referrers {
  /** Registries that are not asked for lists again. */
  readonly #withoutApi = new Set<string>();
  /** Registries that have answered with no list: what they say that they indexed is listed under the fallback tag, too. */
  readonly #withoutList = new Set<string>();
  /** Those who append to one list through this client do so one after the other. */
  readonly #appending = new Turns();

  /** distribution-spec, "Listing Referrers": the API with all its pages, else the fallback tag. */
  async list(
    call: Call,
    repository: Repository,
    subject: Digest,
    artifactType: string | undefined,
  ): Promise<readonly Referrer[]> {
    const found = this.#withoutApi.has(repository.registry)
      ? undefined
      : await this.#listByApi(call, repository, subject, artifactType);
    if (found !== undefined && !(found instanceof DigestChainError)) return found;
    const index = await fallbackIndex(call, repository, subject);
    if (index !== undefined) return ofType(artifactType, readReferrers(index.bytes, { written: true }));
    if (found === undefined) return [];
    // Refused, or answered by someone else: there may be a list all the same.
    throw unknownList(subject, found, 'and no tag lists it');
  }

  /** distribution-spec, "Pushing Manifests with Subject". */
  async put(
    call: Call,
    repository: Repository,
    manifest: Pick<RawManifest, 'bytes' | 'mediaType'>,
  ): Promise<{ digest: Digest; subjectIndexed: boolean; listed: boolean }> {
    const attachment = readAttachment(manifest);
    const pushed = await putManifest(call, repository, attachment.digest, manifest);
    const { registry } = repository;
    if (!pushed.subjectIndexed || this.#withoutList.has(registry)) {
      const list = `${repositoryName(repository)}@${attachment.subject}`;
      await this.#appending.run(list, () => append(call, repository, attachment), call.signal);
    } else {
      return { ...pushed, listed: false };
    }
    return { ...pushed, listed: this.#withoutApi.has(registry) || this.#withoutList.has(registry) };
  }

  /** Undefined where there is no such API; an error where the answer is no list, though there may be one. */
  async #listByApi(
    call: Call,
    repository: Repository,
    subject: Digest,
    artifactType: string | undefined,
  ): Promise<readonly Referrer[] | DigestChainError | undefined> {
    const first = call.url(repository, `referrers/${subject}`);
    if (artifactType !== undefined) first.searchParams.set('artifactType', artifactType);
    const about = { repository, what: 'the list of referrers', method: 'GET', headers: { accept: OCI_INDEX } } as const;
    const referrers = new Map<Digest, Referrer>();
    const visited = new Set<string>();
    let size = 0;
    for (let url = first; ; ) {
      if (visited.has(url.href)) throw endless(url, 'a Link header that leads on', 'a page that was there before');
      if (visited.size === MAX_PAGES) throw endless(url, `at most ${MAX_PAGES} pages`, 'more');
      visited.add(url.href);
      // Of a list that has begun every page has to be there.
      const statuses = url === first ? [200, ...REFUSALS] : [200];
      const answer = call.request(
        { ...about, url, statuses },
        async (response): Promise<URL | 'end' | 'no API' | DigestChainError> => {
          const { status } = response;
          if (status !== 200) this.#withoutList.add(repository.registry);
          if (NO_API.has(status)) {
            if (status !== 400) this.#withoutApi.add(repository.registry);
            return 'no API';
          }
          if (status !== 200) return call.session.refusal(response, about.what);
          const listed = await readPage(response).catch((error) => {
            if (url !== first || !isNoList(error)) throw error;
            this.#withoutList.add(repository.registry);
            return error;
          });
          if (listed instanceof DigestChainError) return listed;
          size += listed.size;
          if (size > MAX_LIST_SIZE) throw endless(url, `at most ${MAX_LIST_SIZE} bytes`, 'more');
          const applied = (response.header('oci-filters-applied') ?? '').split(',').map((name) => name.trim());
          const wanted = applied.includes('artifactType') ? listed.referrers : ofType(artifactType, listed.referrers);
          for (const referrer of wanted) referrers.set(referrer.digest, referrer);
          return nextPage(response, first) ?? 'end';
        },
      );
      const next = await answer.catch((error) => {
        // Its token service may say no in its place.
        if (url !== first || !isRefused(error)) throw error;
        this.#withoutList.add(repository.registry);
        return error;
      });
      if (next === 'no API') return undefined;
      if (next instanceof DigestChainError) return next;
      if (referrers.size > MAX_REFERRERS) throw endless(url, `at most ${MAX_REFERRERS} referrers`, 'more');
      if (next === 'end') return [...referrers.values()];
      url = next;
    }
  }
}

async function readPage(response: HttpResponse): Promise<{ referrers: readonly Referrer[]; size: number }> {
  mediaTypeOf(response, INDEXES);
  const bytes = await response.read(MANIFEST_LIMIT);
  return { referrers: readReferrers(bytes), size: bytes.length };
}

/** A page of HTML, another document: whoever answered does not know of lists. */
function isNoList(error: unknown): error is DigestChainError {
  if (!(error instanceof DigestChainError)) return false;
  return ['MEDIA_TYPE_UNSUPPORTED', 'JSON_INVALID', 'JSON_DUPLICATE_KEY', 'RESPONSE_INVALID'].includes(error.code);
}

// Tools that know Docker's formats alone write a list of referrers under that name.
const INDEXES = [OCI_INDEX, DOCKER_LIST];

/**
 * What the fallback tag lists (distribution-spec, "Referrers Tag Schema"). A tag that is refused may be one that is not
 * there; where that can't be told it is thrown: to take it for an empty list would lose what it lists.
 */
async function fallbackIndex(call: Call, repository: Repository, subject: Digest): Promise<RawManifest | undefined> {
  const tag = fallbackTag(subject);
  const manifest = await askForManifest(call, repository, tag).catch(async (error) => {
    if (error instanceof DigestChainError && error.code === 'NOT_FOUND') return undefined;
    if (!isRefused(error)) throw error;
    const isThere = await hasTag(call, repository, tag);
    if (isThere === false) return undefined;
    if (!isThere) throw unknownList(subject, error, 'nor can it be told by its list of tags whether it is there');
    // Another may have written it in between.
    return askForManifest(call, repository, tag).catch((again) => {
      throw isRefused(again) ? unknownList(subject, again, 'which it has') : again;
    });
  });
  // Some registries resolve such a tag to the subject itself.
  if (manifest === undefined || manifest.digest === subject) return undefined;
  if (isIndex(manifest.mediaType)) return manifest;
  throw new DigestChainError('RESPONSE_INVALID', `the tag ${tag} is taken by something that is no list of referrers`, {
    expected: OCI_INDEX,
    found: manifest.mediaType,
  });
}

function unknownList(subject: Digest, error: DigestChainError, reason: string): DigestChainError {
  const { code, message, expected, found, hint, http } = error;
  const unknown = `what is attached to ${subject} is unknown: ${message}, ${reason}`;
  return new DigestChainError(code, unknown, { expected, found, hint, http });
}

/**
 * Adds a referrer to the fallback index. The tag is read, changed and written, and others may do the same at the same
 * time: so it is looked at again, after as long as another needs to write what it had read before, and the entry is
 * put back if it was overwritten. Where others are seen to be writing, that goes on until the list comes to rest: one
 * of them may still be about to write what it read before this entry was there.
 */
async function append(call: Call, repository: Repository, attachment: Attachment): Promise<void> {
  const { digest, subject, descriptor } = attachment;
  const { clock } = call.session;
  const tag = fallbackTag(subject);
  let startedAt = clock.now();
  let window = 0;
  let index = await fallbackIndex(call, repository, subject);
  let expected = index?.digest;
  for (let attempt = 0; ; attempt++) {
    const listed =
      index !== undefined &&
      readReferrers(index.bytes, { written: true }).some((referrer) => referrer.digest === digest);
    if (listed && (index?.digest === expected || attempt === MAX_ATTEMPTS)) return;
    if (attempt === MAX_ATTEMPTS) break;
    if (listed) {
      expected = index?.digest;
    } else {
      const bytes = appendReferrer(index?.bytes, descriptor);
      const list = { bytes, mediaType: index?.mediaType ?? OCI_INDEX };
      try {
        ({ digest: expected } = await putManifest(call, repository, tag, list, { once: true }));
      } catch (error) {
        // To write the same again would undo what others have written by then.
        if (!(error instanceof Transient) || attempt === MAX_ATTEMPTS - 1) throw failureOf(error);
        await clock.sleep(Math.max(error.retryAfter ?? 0, pauseAfter(Math.min(attempt, 4), PAUSE)), call.signal);
      }
      window = Math.max(window, clock.now() - startedAt);
    }
    const settled = Math.min(window * 1.5, 2000) + Math.random() * window * Math.min(attempt, 8);
    await clock.sleep(settled, call.signal);
    startedAt = clock.now();
    index = await fallbackIndex(call, repository, subject);
  }
  throw new DigestChainError('CONFLICT', 'others keep overwriting the list of referrers', {
    expected: `${digest} in the list under the tag ${tag}`,
    found: `lost ${MAX_ATTEMPTS} races`,
    hint: 'try again when fewer clients attach to this image',
  });
}

/** `<algorithm>-<first 64 hex digits>` (distribution-spec, "Referrers Tag Schema"). */
export function fallbackTag(subject: Digest): string {
  return `${digestAlgorithm(subject)}-${digestHex(subject).slice(0, 64)}`;
}

function ofType(artifactType: string | undefined, referrers: readonly Referrer[]): readonly Referrer[] {
  return artifactType === undefined ? referrers : referrers.filter((each) => each.artifactType === artifactType);
}

function endless(url: URL, expected: string, found: string): DigestChainError {
  return new DigestChainError('RESPONSE_INVALID', `${url.host} has a list of referrers without an end`, {
    expected,
    found,
  });
}

/**
 * The members of an index that are whole descriptors, each digest once; whoever may push may have written anything. In one that
 * somebody wrote, null is a list of none, as Go writes it; a registry that answers with it has no list.
 */
export function readReferrers(
  bytes: Uint8Array,
  { written = false }: { readonly written?: boolean } = {},
): readonly Referrer[] {
  const document = decodeJson(bytes);
  const type = member(document, 'mediaType');
  const other = type !== undefined && type !== OCI_INDEX && type !== DOCKER_LIST;
  const listed = member(document, 'manifests');
  if (!(Array.isArray(listed) || (written && listed === null)) || other) throw notAnIndex();
  const referrers = items(listed)
    .flatMap((entry) => readDescriptor(entry) ?? [])
    .filter(({ mediaType }) => mediaType !== '');
  return [...new Map(referrers.toReversed().map((referrer) => [referrer.digest, referrer])).values()].toReversed();
}

/** A manifest that is to be attached, and how an index lists it. */
export interface Attachment {
  readonly digest: Digest;
  readonly subject: Digest;
  /** JSON. */
  readonly descriptor: string;
}

/**
 * Reads what the fallback index needs of a manifest (distribution-spec, "Pushing Manifests with Subject"): its
 * artifactType, or its config's media type, and all of its annotations. Throws `DIGEST_INVALID` without a subject.
 */
function readAttachment({ bytes, mediaType }: { bytes: Uint8Array; mediaType: string }): Attachment {
  const document = decodeJson(bytes);
  const digest = digestOf(bytes);
  const subject = parseDigest(textOf(at(document, 'subject', 'digest')) ?? '');
  const artifactType = textOf(member(document, 'artifactType')) || textOf(at(document, 'config', 'mediaType'));
  const annotations = member(document, 'annotations') ?? undefined;
  const descriptor = JSON.stringify({ mediaType, digest, size: bytes.length, artifactType, annotations });
  return { digest, subject, descriptor };
}

/** An index with one more member, every other byte as it was; a new one where there is none. */
export function appendReferrer(index: Uint8Array | undefined, descriptor: string): Uint8Array {
  if (index === undefined) {
    return Buffer.from(`{"schemaVersion":2,"mediaType":"${OCI_INDEX}","manifests":[${descriptor}]}`);
  }
  const manifests = get(scanJson(index), 'manifests');
  if (manifests?.type === 'null') {
    return splice(index, [{ start: manifests.start, end: manifests.end, text: `[${descriptor}]` }]);
  }
  if (manifests?.type !== 'array') throw notAnIndex();
  return splice(index, [atEnd(manifests, descriptor)]);
}

function notAnIndex(): DigestChainError {
  return new DigestChainError('RESPONSE_INVALID', 'the list of referrers is no image index', {
    expected: `{"schemaVersion":2,"mediaType":"${OCI_INDEX}","manifests":[…]}`,
    found: 'something else',
  });
}
