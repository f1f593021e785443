import { checkRepository } from '../reference.ts';
import { reachOfHost } from './reach.ts';
import type { Repository } from './registry.ts';

/** Whether the registry is this machine by its name alone: `localhost`, 127.0.0.0/8 or ::1. */
export function isLoopback(registry: string): boolean {
  const host = registry.replace(/:\d+$/, '').toLowerCase();
  // Other names under `localhost` are loopback by convention alone: where a name server says otherwise, TLS is needed.
  return reachOfHost(host) === 'loopback' && !host.endsWith('.localhost');
}

/** Where a registry answers. Docker Hub's is elsewhere than its name says. */
export function baseOf(registry: string, plainHttp: boolean | undefined): URL {
  const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry;
  return new URL(`${(plainHttp ?? isLoopback(registry)) ? 'http' : 'https'}://${host}/`);
}

/**
 * The URL of something in a repository (distribution-spec, "Endpoints"). Throws `REFERENCE_INVALID` for a repository that
 * would lead elsewhere; `path` is made of tags and digests that were checked.
 */
export function urlOf(repository: Repository, path: string, plainHttp: boolean | undefined): URL {
  checkRepository(repository);
  return new URL(`/v2/${repository.repository}/${path}`, baseOf(repository.registry, plainHttp));
}

/** A URL for a message: its query (which may be a signature that gives access), user and fragment are left out. */
export function redacted(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}${url.search === '' ? '' : '?…'}`.slice(0, 300);
}
