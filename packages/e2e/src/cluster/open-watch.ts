import { type KubeConfig, Watch } from '@kubernetes/client-node';
import type { Resource } from './resource.ts';

/**
 * Opens one watch, and resolves when it ended: with the status the server ended it with (410: the version is too old), or
 * undefined where the connection did, or the signal.
 */
export async function openWatch(
  config: KubeConfig,
  path: string,
  query: { selector?: string | undefined; version: string },
  onEvent: (type: string, object: Resource) => void,
  signal: AbortSignal,
): Promise<number | undefined> {
  const parameters = {
    allowWatchBookmarks: true,
    resourceVersion: query.version,
    labelSelector: query.selector,
    timeoutSeconds: 290,
  };
  const watch = new Watch(config);
  // The default, 30 s without a byte, would reopen a quiet watch all the time: bookmarks come about once a minute.
  Object.assign(watch, { requestTimeoutMs: 120_000 });
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  let over = false;
  let connection: AbortController | undefined;
  const stop = (): void => {
    over = true;
    connection?.abort();
    resolve(undefined);
  };
  signal.addEventListener('abort', stop, { once: true });
  watch
    .watch(
      path,
      parameters,
      (type, object) => {
        if (type === 'ERROR') resolve((object as { code?: number }).code ?? 500);
        else onEvent(type, object as Resource);
      },
      (error) => resolve(error?.statusCode),
    )
    .then((opened) => {
      connection = opened;
      // It may have taken so long to open that nobody wants it any more.
      if (over) opened.abort();
    }, reject);
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}
