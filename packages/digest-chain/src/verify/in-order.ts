import { CONCURRENCY } from '../../../kit/src/concurrent.ts';

/**
 * Reads what an image or a statement names, in its order, until something fails: then nothing more is read, for the proof
 * is lost, and whoever named it must not send us further. On the registries that the caller named, a few are read at the
 * same time; on others one after the other. The results of what was read, in order.
 */
export async function readInOrder<T, R>(
  items: readonly T[],
  options: {
    readonly read: (item: T) => Promise<R>;
    readonly isOwn: (item: T) => boolean;
    readonly failed: (result: R) => boolean;
  },
): Promise<readonly R[]> {
  const results: R[] = [];
  while (results.length < items.length && !results.some(options.failed)) {
    const rest = items.slice(results.length);
    const foreign = rest.findIndex((item) => !options.isOwn(item));
    const count = foreign === -1 ? CONCURRENCY : Math.max(1, Math.min(foreign, CONCURRENCY));
    results.push(...(await Promise.all(rest.slice(0, count).map(options.read))));
  }
  return results;
}
