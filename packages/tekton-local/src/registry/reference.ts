import { TektonLocalError } from '../errors.ts';

/** The parts of an image reference: `registry/repository[:tag][@digest]`. */
export interface ImageReference {
  /** host, or host:port */
  readonly registry: string;
  /** The path, without the registry. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
}

const DIGEST = /^sha256:[0-9a-f]{64}$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const REGISTRY = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$/;

/**
 * Takes a reference apart (distribution-spec, "Pulling manifests"). The registry has to be there: a name without one
 * means something else on every machine. Throws `INVALID`.
 */
export function parseReference(text: string): ImageReference {
  const at = text.indexOf('@');
  const digest = at === -1 ? undefined : text.slice(at + 1);
  const name = at === -1 ? text : text.slice(0, at);
  const slash = name.lastIndexOf('/');
  const colon = name.indexOf(':', slash + 1);
  const tag = slash === -1 || colon === -1 ? undefined : name.slice(colon + 1);
  const path = tag === undefined ? name : name.slice(0, colon);
  const first = path.indexOf('/');
  const registry = path.slice(0, Math.max(first, 0));
  const repository = path.slice(first + 1);
  const named = registry === 'localhost' || /[.:]/.test(registry);
  if (!named || !REGISTRY.test(registry) || !REPOSITORY.test(repository)) throw malformed(text);
  if ((tag !== undefined && !TAG.test(tag)) || (digest !== undefined && !DIGEST.test(digest))) throw malformed(text);
  return { registry, repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** `registry/repository`, without tag and digest. */
export function repositoryName(reference: ImageReference): string {
  return `${reference.registry}/${reference.repository}`;
}

/** `registry/repository:tag`; the tag is `latest` where there is none. */
export function taggedName(reference: ImageReference): string {
  return `${repositoryName(reference)}:${reference.tag ?? 'latest'}`;
}

/** Throws `INVALID` unless the text is a sha256 digest. */
export function requireDigest(text: string, what: string): string {
  if (DIGEST.test(text)) return text;
  throw new TektonLocalError('INVALID', `${what} is not a digest`, {
    expected: 'sha256: and 64 hexadecimal digits',
    found: JSON.stringify(text),
  });
}

/** Throws `INVALID` unless the text can be a tag. */
export function requireTag(text: string): string {
  if (TAG.test(text)) return text;
  throw new TektonLocalError('INVALID', 'a tag is malformed', {
    expected: '1 to 128 letters, digits, `_`, `.` and `-`',
    found: JSON.stringify(text),
  });
}

/** Whether the registry is this machine: only then is plain HTTP used. */
export function isLoopback(registry: string): boolean {
  const host = registry.replace(/:[0-9]+$/, '');
  return host === 'localhost' || /^127\.[0-9]+\.[0-9]+\.[0-9]+$/.test(host) || host === '[::1]';
}

function malformed(text: string): TektonLocalError {
  return new TektonLocalError('INVALID', 'an image reference is malformed', {
    expected: 'registry/repository, with :tag or @sha256:digest',
    found: JSON.stringify(text),
  });
}
