import { ApiException } from '@kubernetes/client-node';
import { E2eError, type E2eErrorCode } from '../errors.ts';
import { text } from './resource.ts';

/** What an API call threw, as an error of this package, and whether it may pass by itself. */
export interface Trouble {
  error: E2eError;
  passing: boolean;
  /** Milliseconds that the server asked for. */
  retryAfter: number | undefined;
}

const CODES: Readonly<Record<number, E2eErrorCode>> = {
  401: 'CLUSTER_UNAUTHORIZED',
  403: 'CLUSTER_FORBIDDEN',
  404: 'KIND_MISSING',
  409: 'CLUSTER_CONFLICT',
};

const HINTS: Partial<Record<E2eErrorCode, string>> = {
  CLUSTER_UNAUTHORIZED: 'log in again (for example: oc login)',
  CLUSTER_FORBIDDEN: 'ask an admin of the namespace for this permission',
  CLUSTER_UNREACHABLE: 'check the network, the VPN, and the server in the kubeconfig',
};

/**
 * Of the client's exception only the Status' own message is kept: its text has the whole answer with all headers in it.
 */
export function fromApi(cause: unknown, what: string, server: string): Trouble {
  if (cause instanceof E2eError) return { error: cause, passing: false, retryAfter: undefined };
  if (cause instanceof ApiException) {
    const status = cause.code;
    const code = CODES[status] ?? 'CLUSTER_ERROR';
    const hint = HINTS[code];
    const found = `${status} ${messageOf(cause.body)}`.trim();
    const error = new E2eError(code, `${server}: ${what} was refused`, { found, ...(hint ? { hint } : {}) });
    return { error, passing: status === 429 || status >= 500, retryAfter: retryAfterOf(cause.headers ?? {}) };
  }
  const message = cause instanceof Error ? cause.message : String(cause);
  if (message.startsWith('Unrecognized API version and kind')) {
    return {
      error: new E2eError('KIND_MISSING', `${what}: the cluster has no such kind`),
      passing: false,
      retryAfter: undefined,
    };
  }
  const reason = networkReason(cause);
  const error = new E2eError('CLUSTER_UNREACHABLE', `${server} does not answer`, {
    expected: `an answer to ${what}`,
    found: reason,
    ...(HINTS.CLUSTER_UNREACHABLE ? { hint: HINTS.CLUSTER_UNREACHABLE } : {}),
  });
  return { error, passing: true, retryAfter: undefined };
}

/** Milliseconds that an answer asks to wait; at most a minute. */
export function retryAfterOf(headers: Readonly<Record<string, string | string[] | undefined>>): number | undefined {
  const seconds = Number(headers['retry-after']);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 60) * 1000 : undefined;
}

function messageOf(body: unknown): string {
  if (typeof body !== 'string') return text(body, 'message') ?? '';
  try {
    return text(JSON.parse(body), 'message') ?? '';
  } catch {
    return body.slice(0, 200);
  }
}

/** `fetch failed` says nothing: the cause does. */
function networkReason(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const inner = cause.cause;
  if (inner instanceof AggregateError) return inner.errors.map((entry) => networkReason(entry)).join(', ');
  if (inner instanceof Error) return networkReason(inner);
  return cause.name === 'TimeoutError' ? 'no answer in time' : cause.message;
}
