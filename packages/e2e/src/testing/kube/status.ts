/** Reasons as the API machinery gives them with each code. */
const REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Expired',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

export interface StatusDetails {
  name?: string | undefined;
  group?: string;
  /** The plural, whatever its name says. */
  kind?: string;
  uid?: string;
  causes?: readonly { reason: string; message: string; field: string }[];
  retryAfterSeconds?: number;
}

/** The `Status` object of an answer that is no object of its own. */
export function statusObject(
  code: number,
  message: string,
  { details, reason, metadata = {} }: { details?: StatusDetails; reason?: string; metadata?: object } = {},
): object {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata,
    status: code < 300 ? 'Success' : 'Failure',
    message: message === '' ? undefined : message,
    reason: code < 300 ? undefined : (reason ?? REASONS[code] ?? 'Unknown'),
    details,
    code,
  };
}

/** A refusal, to be thrown; it ends as the answer. */
export class ApiError extends Error {
  readonly code: number;
  /** The answer's body: a Status, or a text where there is not even a resource of that name. */
  readonly body: object | string;

  constructor(code: number, message: string, more: Parameters<typeof statusObject>[2] | string = {}) {
    super(message);
    this.code = code;
    this.body = typeof more === 'string' ? more : statusObject(code, message, more);
  }
}

/** Nothing is installed at that path: not an object that is missing, but its kind. */
export function notFoundPage(): ApiError {
  return new ApiError(404, 'no such path', '404 page not found\n');
}

/** The field of a request that is not as it must be. */
export function invalid(kind: string, name: string, field: string, message: string): ApiError {
  const causes = [{ reason: 'FieldValueInvalid', message, field }];
  return new ApiError(422, `${kind} "${name}" is invalid: ${field}: ${message}`, { details: { name, kind, causes } });
}
