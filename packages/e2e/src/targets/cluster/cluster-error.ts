import { ApiException } from '@kubernetes/client-node';
import { E2eError, type E2eErrorCode } from '../../errors.ts';
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

/** An answer that no API server of Kubernetes gives: of a proxy, a login page, another service. */
export class ForeignAnswer extends Error {
  readonly found: string;

  constructor(found: string) {
    super(found);
    this.found = found;
  }
}

const FOREIGN_HINT =
  'something else answers there, such as a proxy or a login page: check the server in the kubeconfig';

/** Why a server is not who it says, as OpenSSL and Node.js name it. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/;
const CERTIFICATE_HINT =
  'the cluster’s certificate-authority in the kubeconfig (or certificate-authority-data) must be the one that signed the server’s certificate, for the name by which it is reached, and be valid today';

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
    if (isPage(cause.body)) return foreign(`${status} with a page of HTML`, status >= 500 || status === 429);
    const code = CODES[status] ?? 'CLUSTER_ERROR';
    const hint = HINTS[code];
    const found = `${status} ${messageOf(cause.body)}`.trim();
    const error = new E2eError(code, `${server}: ${what} was refused`, { found, ...(hint ? { hint } : {}) });
    return { error, passing: status === 429 || status >= 500, retryAfter: retryAfterOf(cause.headers ?? {}) };
  }
  if (cause instanceof ForeignAnswer) return foreign(cause.found, false);
  // What the client stumbles over in an answer; of a connection it says what caused it.
  if (cause instanceof SyntaxError) return foreign('an answer that is not JSON, or not all of it', true);
  if (cause instanceof TypeError && /Cannot read prop/.test(cause.message))
    return foreign('JSON of another kind', false);
  const message = cause instanceof Error ? cause.message : String(cause);
  if (message.startsWith('Unrecognized API version and kind')) {
    return {
      error: new E2eError('KIND_MISSING', `${what}: the cluster has no such kind`),
      passing: false,
      retryAfter: undefined,
    };
  }
  const reason = networkReason(cause);
  const isCertificate = codesOf(cause).some((code) => CERTIFICATE.test(code));
  const hint = isCertificate ? CERTIFICATE_HINT : HINTS.CLUSTER_UNREACHABLE;
  const error = new E2eError(
    'CLUSTER_UNREACHABLE',
    `${server} ${isCertificate ? 'can not be trusted' : 'does not answer'}`,
    {
      expected: `an answer to ${what}`,
      found: reason,
      ...(hint ? { hint } : {}),
    },
  );
  return { error, passing: !isCertificate, retryAfter: undefined };

  function foreign(found: string, passing: boolean): Trouble {
    const error = new E2eError('CLUSTER_ERROR', `${server} gives no answer of Kubernetes`, {
      expected: `Kubernetes’ answer to ${what}`,
      found,
      hint: FOREIGN_HINT,
    });
    return { error, passing, retryAfter: undefined };
  }
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

function isPage(body: unknown): boolean {
  return typeof body === 'string' && /^\s*<(?:!doctype|html|head|body)/i.test(body);
}

function codesOf(cause: unknown): readonly string[] {
  if (!(cause instanceof Error)) return [];
  const inner = cause instanceof AggregateError ? cause.errors : [cause.cause];
  return [String((cause as { code?: unknown }).code ?? ''), ...inner.flatMap(codesOf)];
}

/** `fetch failed` says nothing: the cause does. */
function networkReason(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const inner = cause.cause;
  if (inner instanceof AggregateError) return inner.errors.map((entry) => networkReason(entry)).join(', ');
  if (inner instanceof Error) return networkReason(inner);
  // The client adds words to what ended its request, and stumbles over that of a signal, which nobody may change.
  const isTimeout = cause.name === 'TimeoutError' || cause.message.startsWith('Cannot set property message');
  return isTimeout ? 'no answer in time' : cause.message;
}
