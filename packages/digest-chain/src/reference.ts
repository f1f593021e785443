import { type Digest, isDigest } from './digest.ts';
import { type DigestChainError, unexpected } from './errors.ts';
import type { Repository } from './registry/registry.ts';

/** Where an image is: a repository with a tag, a digest, both or neither. */
export interface Reference extends Repository {
  readonly tag?: string | undefined;
  readonly digest?: Digest | undefined;
}

/** A reference that names exactly one image for ever. The tag, if there is one, is kept but decides nothing. */
export interface DigestReference extends Reference {
  readonly digest: Digest;
}

/** A reference by a tag alone. */
export interface TagReference extends Repository {
  readonly tag: string;
  readonly digest?: undefined;
}

// The grammar of the field: github.com/distribution/reference, and distribution-spec, "Pulling manifests".
const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const HOST_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*$/;
const IPV6 = /^\[[0-9A-Fa-f:.]+\]$/;
const MAX_LENGTH = 255;
const MAX_TEXT = 1024;

/**
 * Reads `[registry/]repository[:tag][@digest]`. Names without a registry are Docker Hub's, and its one-word names are
 * under `library/`. Throws `REFERENCE_INVALID`, or `DIGEST_INVALID` where the part after `@` is no digest.
 */
export function parseReference(text: string): Reference {
  if (text.length > MAX_TEXT) throw invalid(text, `at most ${MAX_TEXT} characters`);
  const [name = '', digest, ...more] = text.split('@');
  // What is before a registry is who asks there, with a password: that is not repeated.
  const place = /^.*@([^@]*\/.*)$/s.exec(text)?.[1];
  if (place !== undefined) throw invalid(`…@${place}`, 'no credentials: they are found where a login has left them');
  if (more.length > 0) throw invalid(text, 'at most one @');
  const slash = name.lastIndexOf('/');
  const colon = name.indexOf(':', slash + 1);
  const tag = colon < 0 ? undefined : name.slice(colon + 1);
  if (tag !== undefined && !TAG.test(tag)) throw invalid(text, 'a tag of up to 128 letters, digits, "_", "." and "-"');
  const repository = parseRepository(text, colon < 0 ? name : name.slice(0, colon));
  if (digest !== undefined && !isDigest(digest)) {
    const expected = 'sha256:<64 lower-case hex digits> or sha512:<128> after the @';
    throw unexpected('DIGEST_INVALID', 'the reference holds a malformed digest', expected, text);
  }
  return { ...repository, tag, digest };
}

/** Reads a reference that must have a digest; throws `REFERENCE_INVALID` without one. */
export function parseDigestReference(text: string): DigestReference {
  const reference = parseReference(text);
  if (reference.digest !== undefined) return { ...reference, digest: reference.digest };
  throw invalid(text, 'a digest: repository@sha256:… or repository:tag@sha256:…');
}

/** Reads a reference that must have a tag and no digest; throws `REFERENCE_INVALID`. */
export function parseTagReference(text: string): TagReference {
  const { registry, repository, tag, digest } = parseReference(text);
  if (tag !== undefined && digest === undefined) return { registry, repository, tag };
  throw invalid(text, 'a tag and no digest: repository:tag');
}

/** The text of a reference, with its registry written out. {@link parseReference} of it gives the same again. */
export function formatReference({ registry, repository, tag, digest }: Reference): string {
  return `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** Where an image is, as links write it: `repo:tag`, or `repo`. */
export function placeOf({ registry, repository }: Repository, tag: string | undefined): string {
  return formatReference({ registry, repository, tag });
}

/** `registry/repository`, without tag and digest. */
export function repositoryName({ registry, repository }: Repository): string {
  return `${registry}/${repository}`;
}

export function isSameRepository(a: Repository, b: Repository): boolean {
  return a.registry === b.registry && a.repository === b.repository;
}

/** The tag or digest that a reference goes by; `latest` where it has neither. */
export function nameOf({ digest, tag }: Reference): string {
  return digest ?? tag ?? 'latest';
}

/** Cosign's tag scheme: what is attached to an image has a tag that spells the image's digest (`sha256-<hex>.sig`). */
export function attachmentTag(image: Digest, kind: 'sbom' | 'sig' | 'att'): string {
  return `${image.replace(':', '-')}.${kind}`;
}

/** Whether this can be a tag (distribution-spec, "Pulling manifests"). */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/**
 * Whatever built it: a repository that this accepts leads to nothing but a path of that name on that host. Throws
 * `REFERENCE_INVALID`.
 */
export function checkRepository({ registry, repository }: Repository): void {
  checkRegistry(`${registry}/${repository}`, registry);
  checkName(`${registry}/${repository}`, repository);
}

function parseRepository(text: string, name: string): Repository {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  // Hosts are kept in lower case, so capitals can't be what tells one from a part of the path.
  const named = first === 'localhost' || /[.:[]/.test(first);
  let registry = named ? first.toLowerCase() : 'docker.io';
  if (registry === 'index.docker.io') registry = 'docker.io';
  let repository = named ? name.slice(slash + 1) : name;
  if (registry === 'docker.io' && !repository.includes('/')) repository = `library/${repository}`;
  checkRegistry(text, registry);
  checkName(text, repository);
  return { registry, repository };
}

function checkName(text: string, repository: string): void {
  if (repository.length <= MAX_LENGTH && REPOSITORY.test(repository)) return;
  throw invalid(text, 'a repository of lower-case letters, digits, ".", "_", "-" and "/", up to 255 characters');
}

/** As many registries as were found to be good are remembered: a thousand links to one are read several times each. */
const MAX_GOOD = 64;
const good = new Set<string>();

function checkRegistry(text: string, registry: string): void {
  if (good.has(registry)) return;
  if (!isRegistry(registry)) throw invalid(text, 'a registry: host, host:port or [IPv6]:port');
  if (good.size >= MAX_GOOD) good.clear();
  good.add(registry);
}

function isRegistry(registry: string): boolean {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(registry);
  const host = match?.[1] ?? '';
  const port = Number(match?.[2] ?? 1);
  const named = host.length <= MAX_LENGTH && (host.startsWith('[') ? IPV6.test(host) : HOST_NAME.test(host));
  // URLs know more ways to write an address than people do: `0x7f.1` is 127.0.0.1. Only the plain one is taken.
  const url = URL.parse(`http://${registry}/`);
  const plain = host.startsWith('[') ? url !== null : url?.hostname === host.toLowerCase();
  return named && plain && port >= 1 && port <= 65535;
}

function invalid(text: string, expected: string): DigestChainError {
  return unexpected('REFERENCE_INVALID', 'not an image reference', expected, text);
}
