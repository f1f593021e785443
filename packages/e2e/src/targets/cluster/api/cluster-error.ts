import { type ErrorDetails, reasonOf } from '@multi-image/kit/errors';
import { parseRetryAfter } from '@multi-image/kit/retry';
import { E2eError, type E2eErrorCode } from '../../../errors.ts';
import { text } from './resource.ts';

/** A request to an API server: what for, and to whom. */
export interface Asked {
  /** As messages name it: `GET PipelineRun app`. */
  readonly what: string;
  readonly server: string;
}

/** What an answer says beside its words. */
interface Answer {
  /** Its HTTP status; undefined where there was none. */
  status?: number | undefined;
  /** As Kubernetes' Status has it, for programs: `AlreadyExists`, `Expired`. */
  reason?: string | undefined;
  /** Milliseconds that the server asked for before the next try. */
  retryAfter?: number | undefined;
  /** Whether it may pass by itself. */
  isTransient?: boolean | undefined;
}

/** Why a request to an API server failed. Of an answer nothing is kept but its status and its Status object's own words. */
export class ClusterError extends E2eError implements Answer {
  readonly status: Answer['status'];
  readonly reason: Answer['reason'];
  readonly retryAfter: Answer['retryAfter'];
  readonly isTransient: boolean;

  constructor(code: E2eErrorCode, message: string, details: ErrorDetails & Answer = {}) {
    super(code, message, details);
    ({ status: this.status, reason: this.reason, retryAfter: this.retryAfter } = details);
    this.isTransient = details.isTransient === true;
  }
}

/** For `catch`: this answer in place of an error with this code; every other is thrown on. */
export function instead<T>(code: E2eErrorCode, answer: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof E2eError && error.code === code) return answer;
    throw error;
  };
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
};

/** What a server refused, by the status and the body of its answer. */
export function refusal(
  answer: { status: number; retryAfter: number | undefined; body: string },
  { what, server }: Asked,
): ClusterError {
  const { status, retryAfter, body } = answer;
  const isTransient = status === 429 || status >= 500;
  if (/^\s*<(?:!doctype|html|head|body)/i.test(body))
    return foreignAnswer(`${status} with a page of HTML`, { what, server }, { status, isTransient });
  const code = CODES[status] ?? 'CLUSTER_ERROR';
  const { message, reason } = readStatus(body);
  return new ClusterError(code, `${server}: ${what} was refused`, {
    found: `${status} ${message}`.trim(),
    hint: HINTS[code],
    status,
    reason,
    retryAfter,
    isTransient,
  });
}

/** An answer that no API server of Kubernetes gives: of a proxy, a login page, another service. */
export function foreignAnswer(found: string, { what, server }: Asked, more: Answer = {}): ClusterError {
  return new ClusterError('CLUSTER_ERROR', `${server} gives no answer of Kubernetes`, {
    expected: `Kubernetes’ answer to ${what}`,
    found,
    hint: 'something else answers there, such as a proxy or a login page: check the server in the kubeconfig',
    ...more,
  });
}

/** Why a server is not who it says, as OpenSSL and Node.js name it. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/;

/** Why no answer came, or not all of it. */
export function unreachable(cause: unknown, { what, server }: Asked): ClusterError {
  const isUntrusted = codesOf(cause).some((code) => CERTIFICATE.test(code));
  return new ClusterError(
    'CLUSTER_UNREACHABLE',
    `${server} ${isUntrusted ? 'can not be trusted' : 'does not answer'}`,
    {
      expected: `an answer to ${what}`,
      found: networkReason(cause),
      hint: isUntrusted
        ? 'the cluster’s certificate-authority in the kubeconfig (or certificate-authority-data) must be the one that signed the server’s certificate, for the name by which it is reached, and be valid today'
        : 'check the network, the VPN, and the server in the kubeconfig',
      isTransient: !isUntrusted,
    },
  );
}

/** Milliseconds that an answer asks to wait; at most a minute. */
export function retryAfterOf(headers: { get(name: string): string | null }): number | undefined {
  const asked = parseRetryAfter(headers.get('retry-after') ?? undefined);
  return asked === undefined ? undefined : Math.min(asked, 60_000);
}

function readStatus(body: string): { message: string; reason: string | undefined } {
  try {
    const status: unknown = JSON.parse(body);
    return { message: text(status, 'message') ?? '', reason: text(status, 'reason') };
  } catch {
    return { message: body.slice(0, 200), reason: undefined };
  }
}

function codesOf(cause: unknown): readonly string[] {
  if (!(cause instanceof Error)) return [];
  const inner = cause instanceof AggregateError ? cause.errors : [cause.cause];
  return [String((cause as { code?: unknown }).code ?? ''), ...inner.flatMap(codesOf)];
}

/** `fetch failed` says nothing: the cause does. */
function networkReason(cause: unknown): string {
  if (!(cause instanceof Error)) return reasonOf(cause);
  const inner = cause.cause;
  if (inner instanceof AggregateError) return inner.errors.map((entry) => networkReason(entry)).join(', ');
  if (inner instanceof Error) return networkReason(inner);
  return cause.name === 'TimeoutError' ? 'no answer in time' : cause.message;
}
