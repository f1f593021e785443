import { repositoryName } from '../../reference.ts';
import type { Environment, RegistryOptions } from '../options.ts';
import type { Repository } from '../registry.ts';
import type { Credentials } from './credentials.ts';
import { findInFiles } from './files.ts';

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
