import type { Environment } from '../options.ts';
import type { Repository } from '../registry.ts';
import type { Credentials } from './credentials.ts';

export interface SourceOptions {
  readonly environment: Environment;
  readonly authFile?: string;
  readonly credentials?: (repository: Repository, signal: AbortSignal) => Promise<Credentials | undefined>;
}

export interface CredentialSource {
  /** Looked up once for each repository. */
  find(repository: Repository, signal: AbortSignal): Promise<Credentials | undefined>;
  /** Where it looks, for a hint. */
  readonly places: string;
}

/** The credentials of a client, read when a registry first asks for some: most ask for none. */
export function credentialSource({ environment, authFile, credentials }: SourceOptions): CredentialSource {
  const found = new Map<string, Promise<Credentials | undefined>>();
  return {
    places: credentials === undefined ? (authFile ?? 'docker login or podman login') : 'see the credentials option',
    find(repository, signal) {
      const key = `${repository.registry}/${repository.repository}`;
      let credential = found.get(key);
      if (credential === undefined) {
        credential = (credentials ?? fromFiles)(repository, signal);
        found.set(key, credential);
      }
      return credential;
    },
  };

  async function fromFiles(repository: Repository, signal: AbortSignal): Promise<Credentials | undefined> {
    const { findInFiles } = await import('./files.ts');
    return findInFiles(repository, { environment, authFile, signal });
  }
}
