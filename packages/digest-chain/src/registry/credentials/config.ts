import { DigestChainError } from '../../errors.ts';
import { decodeJson, member, members, textOf } from '../../json/decode.ts';
import type { Environment } from '../options.ts';
import type { Repository } from '../registry.ts';
import { type Credentials, credentialsOf } from './credentials.ts';
import { askHelper } from './helper.ts';

/**
 * The credentials that one config.json or auth.json has for a repository: by its longest key that fits
 * (`quay.io/org/image`, `quay.io/org`, `quay.io`), from a helper for that key, else as they stand there; and last from
 * the one helper for everything (`credsStore`).
 */
export async function findInConfig(
  bytes: Uint8Array,
  path: string,
  { registry, repository }: Repository,
  options: { readonly environment: Environment; readonly signal: AbortSignal },
): Promise<Credentials | undefined> {
  const config = parse(bytes, path);
  const auths = byPlace(member(config, 'auths'));
  const helpers = byPlace(member(config, 'credHelpers'));
  for (const key of keysOf(registry, repository)) {
    const helper = textOf(helpers.get(key));
    const found = (helper ? await ask(helper, key, options) : undefined) ?? readEntry(auths.get(key), key, path);
    if (found !== undefined) return found;
  }
  const store = textOf(member(config, 'credsStore'));
  return store ? ask(store, registry, options) : undefined;
}

async function ask(
  helper: string,
  key: string,
  options: { readonly environment: Environment; readonly signal: AbortSignal },
): Promise<Credentials | undefined> {
  // Docker's own tools keep Docker Hub's credentials under this address.
  return askHelper(helper, key === 'docker.io' ? 'https://index.docker.io/v1/' : key, options);
}

/** `registry/a/b/c`, `registry/a/b`, `registry/a`, `registry`. */
function keysOf(registry: string, repository: string): readonly string[] {
  const parts = [registry.toLowerCase(), ...repository.split('/')];
  return parts.map((_, index) => parts.slice(0, parts.length - index).join('/'));
}

/** The members of an object by the place that their keys mean: tools have written them as URLs, and Docker Hub's in many ways. */
function byPlace(value: unknown): ReadonlyMap<string, unknown> {
  const places = new Map<string, unknown>();
  for (const [key, entry] of members(value)) {
    const place = key
      .replace(/^https?:\/\//, '')
      .replace(/\/+$/, '')
      .replace(/^([^/]*)\/v[12]$/, '$1')
      .replace(/^[^/]*/, (host) => host.toLowerCase())
      .replace(/^(?:index|registry-1)\.docker\.io(?=\/|$)/, 'docker.io');
    // One that is written plainly comes before one that is not.
    if (!places.has(place) || key === place) places.set(place, entry);
  }
  return places;
}

function readEntry(entry: unknown, key: string, path: string): Credentials | undefined {
  const identity = textOf(member(entry, 'identitytoken'));
  if (identity) return { type: 'identity', token: identity };
  const bearer = textOf(member(entry, 'registrytoken'));
  if (bearer) return { type: 'bearer', token: bearer };
  const auth = textOf(member(entry, 'auth'));
  if (!auth) {
    const username = textOf(member(entry, 'username'));
    const password = textOf(member(entry, 'password'));
    return username && password ? credentialsOf(username, password) : undefined;
  }
  const decoded = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '');
  const colon = decoded.indexOf(':');
  if (colon > 0) return credentialsOf(decoded.slice(0, colon), decoded.slice(colon + 1));
  throw invalid(path, `auths["${key}"].auth is not base64 of "user:password"`);
}

function parse(bytes: Uint8Array, path: string): unknown {
  try {
    return decodeJson(bytes);
  } catch {
    // Not even a part of what stands there is repeated: it may be a password.
    throw invalid(path, 'it is not JSON');
  }
}

function invalid(path: string, found: string): DigestChainError {
  return new DigestChainError('CREDENTIALS_INVALID', 'a file of credentials can not be understood', {
    expected: 'what docker login and podman login write',
    found: `${path}: ${found}`,
    hint: 'log in again, or correct the file',
  });
}
