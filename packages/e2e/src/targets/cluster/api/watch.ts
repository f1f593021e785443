import type { Response } from 'undici';
import { ClusterError, retryAfterOf } from './cluster-error.ts';
import { type Resource, text } from './resource.ts';

/** How a watch ended. */
export interface WatchEnd {
  /** That the server ended it with (410: the version is too old); undefined where the connection ended, or the signal. */
  status: number | undefined;
  /** Milliseconds that the server asked for before the next one. */
  retryAfter: number | undefined;
  /** Whether the answer came to its end, as one does that a server or a proxy has had open for long enough. */
  isClean: boolean;
}

/** Milliseconds without a byte after which a watch is given up: bookmarks come about once a minute. */
const SILENCE = 120_000;

/** Opens one watch, tells its events, and resolves when it ended, however that was. */
export async function readWatch(
  open: (signal: AbortSignal) => Promise<Response>,
  onEvent: (type: string, object: Resource) => void,
  signal: AbortSignal,
): Promise<WatchEnd> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), SILENCE);
  let isClean = true;
  try {
    let refused: number | undefined;
    const response = await open(AbortSignal.any([signal, stop.signal])).catch((error: unknown) => {
      // A login that can't be used is refused before it is sent.
      if (error instanceof ClusterError && error.code === 'CLUSTER_UNAUTHORIZED') refused = 401;
      return undefined;
    });
    if (response === undefined) return { status: refused, retryAfter: undefined, isClean: false };
    const { ok, status, headers } = response;
    const retryAfter = retryAfterOf(headers);
    if (!ok) return { status, retryAfter, isClean: false };
    const lines = linesOf(response, {
      onBytes: () => timer.refresh(),
      onBroken() {
        isClean = false;
      },
    });
    for await (const line of lines) {
      // Lines that were read before the end was told are of no use to anybody.
      if (signal.aborted) break;
      const event = parseEvent(line);
      if (event?.type === 'ERROR') return { status: Number(event.object.code ?? 500), retryAfter, isClean: false };
      if (event !== undefined) onEvent(event.type, event.object);
    }
    return { status: undefined, retryAfter, isClean };
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}

/** An answer's lines, until it ends or breaks off. */
async function* linesOf(
  { body }: Response,
  { onBytes, onBroken }: { onBytes: () => void; onBroken: () => void },
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of body ?? []) {
      onBytes();
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } catch {
    onBroken();
  }
}

/** An event of a watch; undefined for a line that was cut. */
function parseEvent(line: string): { type: string; object: Resource } | undefined {
  try {
    const event: { object: Resource } = JSON.parse(line);
    const type = text(event, 'type');
    return type === undefined ? undefined : { type, object: event.object };
  } catch {
    return undefined;
  }
}
