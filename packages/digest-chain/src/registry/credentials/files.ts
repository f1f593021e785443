import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { DigestChainError } from '../../errors.ts';
import { repositoryName } from '../../reference.ts';
import type { Environment, RegistryOptions } from '../options.ts';
import type { Repository } from '../registry.ts';
import { findInConfig } from './config.ts';
import type { Credentials } from './credentials.ts';

/** Bytes. */
const FILE_LIMIT = 8 * 1024 * 1024;

/**
 * Looks for credentials in the files of docker and podman: the first file that has some for the repository wins. What
 * is named by a variable comes before what lies in a usual place. A file that isn't there is passed over; one that
 * can't be read or understood is `CREDENTIALS_INVALID`, never a silent "no credentials".
 */
export async function findInFiles(
  repository: Repository,
  options: { readonly environment: Environment; readonly authFile: string | undefined; readonly signal: AbortSignal },
): Promise<Credentials | undefined> {
  for (const path of placesOf(options.environment, options.authFile)) {
    const bytes = await readIfThere(path);
    if (bytes === undefined && path === options.authFile) throw notThere(path);
    const found = bytes === undefined ? undefined : await findInConfig(bytes, path, repository, options);
    if (found !== undefined) return found;
  }
  return undefined;
}

function placesOf(environment: Environment, authFile: string | undefined): readonly string[] {
  if (authFile !== undefined) return [authFile];
  const { REGISTRY_AUTH_FILE, DOCKER_CONFIG, XDG_RUNTIME_DIR, HOME } = environment;
  const home = HOME || homedir();
  return [
    ...(REGISTRY_AUTH_FILE ? [REGISTRY_AUTH_FILE] : []),
    join(DOCKER_CONFIG || join(home, '.docker'), 'config.json'),
    ...(XDG_RUNTIME_DIR ? [join(XDG_RUNTIME_DIR, 'containers', 'auth.json')] : []),
    join(home, '.config', 'containers', 'auth.json'),
  ];
}

function notThere(path: string): DigestChainError {
  return new DigestChainError('CREDENTIALS_INVALID', 'the file of credentials is not there', { expected: path });
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    const bytes = await readFile(path);
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

/** The credentials for a repository, looked up once for each: most registries ask for none. */
export function credentialSource({
  environment,
  authFile,
  credentials,
}: Pick<RegistryOptions, 'authFile' | 'credentials'> & { readonly environment: Environment }): (
  repository: Repository,
  signal: AbortSignal,
) => Promise<Credentials | undefined> {
  const found = new Map<string, Promise<Credentials | undefined>>();
  const find =
    credentials ??
    ((repository: Repository, signal: AbortSignal) => findInFiles(repository, { environment, authFile, signal }));
  return (repository, signal) => {
    const key = repositoryName(repository);
    const known = found.get(key) ?? find(repository, signal);
    found.set(key, known);
    return known;
  };
}
