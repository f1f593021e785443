import { type KubeConfig, type RequestContext, Watch } from '@kubernetes/client-node';
import { E2eError } from '../../errors.ts';
import { retryAfterOf } from './cluster-error.ts';
import type { Resource } from './resource.ts';

/** How a watch ended. */
export interface WatchEnd {
  /** That the server ended it with (410: the version is too old); undefined where the connection ended, or the signal. */
  status: number | undefined;
  /** Milliseconds that the server asked for before the next one. */
  retryAfter: number | undefined;
  /** Whether the answer came to its end, as one does that a server or a proxy has had open for long enough. */
  isClean: boolean;
}

/** Opens one watch, and resolves when it ended. */
export async function openWatch(
  config: KubeConfig,
  path: string,
  query: { selector?: string | undefined; version: string },
  onEvent: (type: string, object: Resource) => void,
  signal: AbortSignal,
): Promise<WatchEnd> {
  const parameters = {
    allowWatchBookmarks: true,
    resourceVersion: query.version,
    labelSelector: query.selector,
    timeoutSeconds: 290,
  };
  let retryAfter: number | undefined;
  const watch = new Watch(
    withHeaders(config, (headers) => {
      retryAfter = retryAfterOf(headers);
    }),
  );
  // The default, 30 s without a byte, would reopen a quiet watch all the time: bookmarks come about once a minute.
  Object.assign(watch, { requestTimeoutMs: 120_000 });
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  let isClean = false;
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
        // Lines that were read before the end was told are of no use to anybody.
        if (over) return;
        if (type === 'ERROR') resolve((object as { code?: number }).code ?? 500);
        else onEvent(type, object as Resource);
      },
      (error) => {
        isClean = !error;
        resolve(error?.statusCode);
      },
    )
    .then(
      (opened) => {
        connection = opened;
        // It may have taken so long to open that nobody wants it any more.
        if (over) opened.abort();
      },
      // A login that can't be used is refused before it is sent.
      (error) => (error instanceof E2eError && error.code === 'CLUSTER_UNAUTHORIZED' ? resolve(401) : reject(error)),
    );
  try {
    return { status: await promise, retryAfter, isClean };
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}

/** The same login, which shows the headers of an answer: the client's watch keeps them to itself. */
function withHeaders(
  config: KubeConfig,
  onHeaders: (headers: Readonly<Record<string, string | string[] | undefined>>) => void,
): KubeConfig {
  const noting: KubeConfig = Object.create(config);
  noting.applySecurityAuthentication = async (context: RequestContext): Promise<void> => {
    await config.applySecurityAuthentication(context);
    // Where TLS needs nothing of its own, the client uses a dispatcher that it doesn't show.
    const composed = context.getDispatcher()?.compose((dispatch) => (options, handler) => {
      const start = handler.onResponseStart?.bind(handler);
      const seen: typeof start = (controller, status, headers, text) => {
        onHeaders(headers);
        return start?.(controller, status, headers, text);
      };
      const own = (target: typeof handler, name: string | symbol): unknown => {
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      };
      const get = (target: typeof handler, name: string | symbol): unknown =>
        name === 'onResponseStart' ? seen : own(target, name);
      return dispatch(options, new Proxy(handler, { get }));
    });
    if (composed !== undefined) context.setDispatcher(composed);
  };
  return noting;
}
