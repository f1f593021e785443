import { join } from 'node:path';
import { readUpTo } from '../../bounded-file.ts';
import { DigestChainError } from '../../errors.ts';
import { decodeJson, member, members, textOf } from '../../json/decode.ts';
import { repositoryName } from '../../reference.ts';
import type { Environment, RegistryOptions } from '../options.ts';
import type { Repository } from '../registry.ts';
import { type Credentials, credentialsOf } from './credentials.ts';
import { askHelper, type HelperOptions } from './helper.ts';

/** Bytes. */
const FILE_LIMIT = 8 * 1024 * 1024;

/**
 * Looks for credentials in the files of docker and podman: the first file that has some for the repository wins. What
 * is named by a variable comes before what lies in a usual place. A file that isn't there is passed over; one that
 * can't be read or understood is `CREDENTIALS_INVALID`, never a silent "no credentials".
 */
export async function findInFiles(
  repository: Repository,
  options: HelperOptions & { readonly authFile: string | undefined },
): Promise<Credentials | undefined> {
  for (const path of placesOf(options.environment, options.authFile)) {
    const bytes = await readIfThere(path);
    if (bytes === undefined && path === options.authFile) {
      throw new DigestChainError('CREDENTIALS_INVALID', 'the file of credentials is not there', { expected: path });
    }
    const found = bytes === undefined ? undefined : await findInConfig(bytes, path, repository, options);
    if (found !== undefined) return found;
  }
  return undefined;
}

function placesOf(environment: Environment, authFile: string | undefined): readonly string[] {
  if (authFile !== undefined) return [authFile];
  const { REGISTRY_AUTH_FILE, DOCKER_CONFIG, XDG_RUNTIME_DIR, HOME } = environment;
  const home = HOME || process.getBuiltinModule('node:os').homedir();
  return [
    ...(REGISTRY_AUTH_FILE ? [REGISTRY_AUTH_FILE] : []),
    join(DOCKER_CONFIG || join(home, '.docker'), 'config.json'),
    ...(XDG_RUNTIME_DIR ? [join(XDG_RUNTIME_DIR, 'containers', 'auth.json')] : []),
    join(home, '.config', 'containers', 'auth.json'),
  ];
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    const bytes = await readUpTo(path, FILE_LIMIT + 1);
    if (bytes.length <= FILE_LIMIT) return bytes;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new DigestChainError('CREDENTIALS_INVALID', 'a file of credentials can not be read', {
      found: `${path}: ${String(code)}`,
      hint: 'make it readable, or point REGISTRY_AUTH_FILE elsewhere',
      cause: error,
    });
  }
  throw new DigestChainError('CREDENTIALS_INVALID', 'a file of credentials is too large', {
    expected: `at most ${FILE_LIMIT} bytes`,
    found: path,
  });
}

/**
 * The credentials for a repository, looked up once for each, as most registries ask for none; and once more where the caller
 * says that those it got are refused by now (`anew`): what helpers give out does not hold for long.
 */
export function credentialSource({
  environment,
  authFile,
  credentials,
}: Pick<RegistryOptions, 'authFile' | 'credentials'> & { readonly environment: Environment }): (
  repository: Repository,
  signal: AbortSignal,
  anew?: boolean,
) => Promise<Credentials | undefined> {
  const found = new Map<string, Promise<Credentials | undefined>>();
  const find =
    credentials ??
    ((repository: Repository, signal: AbortSignal) => findInFiles(repository, { environment, authFile, signal }));
  return (repository, signal, anew = false) => {
    const key = repositoryName(repository);
    const known = (anew ? undefined : found.get(key)) ?? find(repository, signal);
    found.set(key, known);
    return known;
  };
}

/**
 * The credentials that one config.json or auth.json has for a repository: by its longest key that fits
 * (`quay.io/org/image`, `quay.io/org`, `quay.io`), from a helper for that key, else as they stand there; and last from
 * the one helper for everything (`credsStore`).
 */
export async function findInConfig(
  bytes: Uint8Array,
  path: string,
  { registry, repository }: Repository,
  options: HelperOptions,
): Promise<Credentials | undefined> {
  const config = parse(bytes, path);
  const auths = byPlace(member(config, 'auths'));
  const helpers = byPlace(member(config, 'credHelpers'));
  for (const key of keysOf(registry, repository)) {
    const helper = textOf(helpers.get(key));
    const found = (helper ? await askHelper(helper, key, options) : undefined) ?? readEntry(auths.get(key), key, path);
    if (found !== undefined) return found;
  }
  const store = textOf(member(config, 'credsStore'));
  return store ? askHelper(store, registry, options) : undefined;
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
  } catch (error) {
    const isTwice = error instanceof DigestChainError && error.code === 'JSON_DUPLICATE_KEY';
    // Not even a part of what stands there is repeated: it may be a password.
    throw invalid(path, isTwice ? 'it has the same key twice' : 'it is not JSON');
  }
}

function invalid(path: string, found: string): DigestChainError {
  return new DigestChainError('CREDENTIALS_INVALID', 'a file of credentials can not be understood', {
    expected: 'what docker login and podman login write',
    found: `${path}: ${found}`,
    hint: 'log in again, or correct the file',
  });
}
