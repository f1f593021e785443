import { type Clock, systemClock } from '../../../kit/src/retry.ts';
import type { Digest } from '../digest.ts';
import { DigestChainError, tooLarge } from '../errors.ts';
import { heldSize, type ReadTree, readTree } from '../read-image.ts';
import type { Registry, Repository } from '../registry/registry.ts';
import { withCallOptions } from '../registry/with-call-options.ts';

/** Milliseconds for a whole proof. */
const DEFAULT_DEADLINE = 5 * 60_000;

/** Bytes of manifests and configs that a proof reads. */
const MAX_CHAIN_SIZE = 128 * 1024 * 1024;

export interface Limits {
  readonly deadline?: number | undefined;
  /** For tests. */
  readonly clock?: Clock | undefined;
}

/**
 * Runs a proof with a client that ends it after `deadline` milliseconds, all calls together: each has a deadline of its
 * own, but how many there are is for those to say who push. Throws `VERIFY_DEADLINE` then.
 */
export async function withinDeadline<T>(
  registry: Registry,
  { deadline = DEFAULT_DEADLINE, clock = systemClock }: Limits,
  work: (registry: Registry) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const done = new AbortController();
  const watch = clock.sleep(deadline, done.signal).then(
    () => over.abort(),
    () => undefined,
  );
  try {
    return await work(withCallOptions(registry, () => ({ signal: over.signal })));
  } catch (error) {
    if (!over.signal.aborted) throw error;
    throw new DigestChainError('VERIFY_DEADLINE', 'the proof took too long', {
      expected: `all answers within ${deadline / 1000} s`,
      found: error instanceof Error ? error.message : undefined,
      hint: 'a registry is slow, or somebody attached much to the images; a longer time can be given (--deadline)',
      cause: error,
    });
  } finally {
    done.abort();
    await watch;
  }
}

/**
 * The client that a proof follows links with: what an image or a statement names is where whoever pushed it sends us. So
 * hosts that neither the start nor the caller named may not be further in than the start's, as with a redirect
 * (`LINK_REFUSED`).
 */
export function followingLinks(registry: Registry, start: Repository, named: Iterable<Repository>): Registry {
  const own = ownRegistries(start, named);
  return withCallOptions(registry, (repository) => (own.has(repository.registry) ? {} : { namedBy: start.registry }));
}

/** The registries that the caller named. */
export function ownRegistries(start: Repository, named: Iterable<Repository>): ReadonlySet<string> {
  return new Set([start, ...named].map(({ registry }) => registry));
}

/**
 * Reads what a chain links to, until its images are too large together (`TOO_LARGE`): how many there are is for those to
 * say who push.
 */
export function readerOf(registry: Registry): (repository: Repository, digest: Digest) => Promise<ReadTree> {
  let size = 0;
  return async (repository, digest) => {
    const tree = await readTree(registry, repository, digest);
    size += heldSize(tree);
    if (size <= MAX_CHAIN_SIZE) return tree;
    throw tooLarge('TOO_LARGE', 'the images of the chain are too large together, without layers', MAX_CHAIN_SIZE, size);
  };
}
