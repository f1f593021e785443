import { findCycle } from '../../../kit/src/cycles.ts';
import { COMMIT } from '../../../kit/src/git-commit.ts';
import { type Digest, isDigest } from '../digest.ts';
import { DigestChainError, unexpected } from '../errors.ts';
import { isRole } from '../label-names.ts';
import { formatReference, parseReference } from '../reference.ts';

/** The images that one pipeline run built, and which of them embeds which. */
export interface Chain {
  readonly images: readonly ChainImage[];
  readonly embeds: readonly Embeds[];
  /** What they were built from. */
  readonly source?: Source | undefined;
  /** The name of the pipeline run that built them. */
  readonly pipelineRun?: string | undefined;
}

export interface ChainImage {
  /** The image's part in the chain, unique in it. */
  readonly role: string;
  /** Where it is: `repo:tag`, or `repo`. */
  readonly url: string;
  /** As it is published: of the sealed image, if it was sealed. */
  readonly digest: Digest;
  /** As its builder pushed it; absent where that is what is published. */
  readonly origin?: Digest | undefined;
  /** Built elsewhere: others embed it as it is, it embeds none of them, and the statement is not attached to it. */
  readonly external?: boolean | undefined;
}

/** `image` was built with the origin digest of `embedded`; both are roles. */
export interface Embeds {
  readonly image: string;
  readonly embedded: string;
}

export interface Source {
  /** Of the git repository. */
  readonly url?: string | undefined;
  /** The git commit. */
  readonly commit: string;
}

/** A chain of more images is refused. */
const MAX_IMAGES = 2048;

/** The digest that other images embed. */
export function originDigest(image: ChainImage): Digest {
  return image.origin ?? image.digest;
}

/** The roles of all images that hang together with one by what embeds what, each after one that it is connected with. */
export function connectedWith(role: string, embeds: readonly Embeds[]): ReadonlySet<string> {
  const found = new Set([role]);
  for (const next of found) {
    for (const { image, embedded } of embeds) {
      if (image === next) found.add(embedded);
      if (embedded === next) found.add(image);
    }
  }
  return found;
}

/**
 * Validates a chain and puts it in its one order (by role), so that the same chain always has the same bytes. Throws
 * `STATEMENT_INVALID`: roles repeat or are unknown, a digest or url is malformed, an image embeds itself through others.
 */
export function orderChain(chain: Chain): Chain {
  const { source, pipelineRun } = chain;
  if (chain.images.length === 0 || chain.images.length > MAX_IMAGES) {
    throw invalid('how many images it names', `1 to ${MAX_IMAGES}`, `${chain.images.length}`);
  }
  const images = chain.images.map(orderImage).toSorted((a, b) => compare(a.role, b.role));
  const roles = new Set(images.map((image) => image.role));
  if (roles.size < images.length) throw invalid('its roles', 'each once', 'one twice');
  const embeds = chain.embeds
    .map(({ image, embedded }) => ({ image, embedded }))
    .toSorted((a, b) => compare(a.image, b.image) || compare(a.embedded, b.embedded));
  checkEdges(embeds, roles);
  checkExternal(images, embeds);
  return {
    images,
    embeds,
    source: source && orderSource(source),
    pipelineRun: pipelineRun === undefined ? undefined : checkText('the pipeline run', pipelineRun, RUN),
  };
}

/** A statement that is malformed in `what`. */
export function invalid(what: string, expected: string, found: string): DigestChainError {
  return unexpected('STATEMENT_INVALID', `the chain statement is malformed in ${what}`, expected, found);
}

const RUN = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;

/** Whether this can be the name of a pipeline run. */
export function isRunName(text: string): boolean {
  return RUN.test(text);
}

/** A URL's characters (RFC 3986), or scp's form; no spaces, double quotes or control characters. */
export const GIT_URL: RegExp = /^[A-Za-z0-9][A-Za-z0-9+.@:/?#[\]!$&'()*,;=%_~-]{0,2047}$/;

function orderImage({ role, url, digest, origin, external = false }: ChainImage): ChainImage {
  if (!isRole(role)) throw invalid('a role', 'lower-case letters, digits and "-"', role);
  for (const text of [digest, origin ?? digest]) {
    if (!isDigest(text)) throw invalid(`a digest of ${role}`, 'sha256:<64 hex digits>', text);
  }
  checkUrl(url, role);
  return { role, url, digest, origin: origin === digest ? undefined : origin, external: external || undefined };
}

function checkUrl(url: string, role: string): void {
  try {
    const reference = parseReference(url);
    // Written in full, or readers on different registries would look in different places.
    if (reference.digest === undefined && formatReference(reference) === url) return;
  } catch (cause) {
    if (!(cause instanceof DigestChainError)) throw cause;
  }
  throw invalid(`the url of ${role}`, 'registry/repository:tag or registry/repository', url);
}

function orderSource({ url, commit }: Source): Source {
  return {
    url: url === undefined ? undefined : checkText('the git url', url, GIT_URL),
    commit: checkText('the git commit', commit, COMMIT),
  };
}

function checkText(what: string, text: string, pattern: RegExp): string {
  if (pattern.test(text)) return text;
  throw invalid(what, `${pattern}`, text);
}

function checkEdges(edges: readonly Embeds[], roles: ReadonlySet<string>): void {
  for (const [index, { image, embedded }] of edges.entries()) {
    const next = edges[index + 1];
    if (!roles.has(image) || !roles.has(embedded)) throw invalid('what embeds what', 'roles that it names', image);
    if (next?.image === image && next.embedded === embedded) throw invalid('what embeds what', 'each once', image);
  }
  // An image can't embed the digest of what is built from it.
  const embedded = Map.groupBy(edges, ({ image }) => image);
  const cycle = findCycle(new Map([...embedded].map(([image, all]) => [image, all.map((edge) => edge.embedded)])));
  if (cycle !== undefined) throw invalid('what embeds what', 'no cycle', cycle.join(' → '));
}

/** An image that was built elsewhere is the end of every way: nothing leads through it. */
function checkExternal(images: readonly ChainImage[], edges: readonly Embeds[]): void {
  if (images.every(({ external }) => external)) throw invalid('its images', 'one that the run built', 'none');
  for (const { role, external, origin } of images) {
    if (!external) continue;
    if (origin !== undefined) throw invalid(`the external image ${role}`, 'no origin', origin);
    const embeds = edges.find(({ image }) => image === role);
    if (embeds !== undefined) throw invalid(`the external image ${role}`, 'that it embeds none', embeds.embedded);
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
