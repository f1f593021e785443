import { setTimeout as sleep } from 'node:timers/promises';
import { TektonLocalError } from '../errors.ts';
import { type ImageReference, isLoopback } from './reference.ts';

/** Statuses that say nothing about the request itself. */
const PASSING_STATUS: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** Milliseconds before each further attempt. */
const PAUSES = [250, 500, 1000, 2000];

/** A failure that may be gone when the same is asked again. */
class PassingFailure extends TektonLocalError {}

/** The same failure, as one that {@link withRetries} tries again. */
export function passing({ code, message, ...details }: TektonLocalError): TektonLocalError {
  return new PassingFailure(code, message, details);
}

export interface RegistryRequest {
  headers?: Record<string, string>;
  body?: Uint8Array<ArrayBuffer> | Blob;
  signal?: AbortSignal | undefined;
}

/**
 * Runs an exchange with a registry again while it fails in a way that may pass. Not only far registries do that: CNCF
 * distribution 2 answers 500 about a manifest or a blob while another request writes the same one.
 */
export async function withRetries<T>(signal: AbortSignal | undefined, exchange: () => Promise<T>): Promise<T> {
  for (const pause of PAUSES) {
    try {
      return await exchange();
    } catch (error) {
      if (!(error instanceof PassingFailure)) throw error;
      // Tasks that failed together must not come back together.
      await sleep(pause * (0.5 + Math.random() / 2), undefined, { signal }).catch((cause) => {
        throw new TektonLocalError('INTERRUPTED', error.message, { cause });
      });
    }
  }
  return await exchange();
}

/** The URL of a repository's endpoint: without TLS on loopback alone. */
export function endpoint(reference: ImageReference, path: string): URL {
  const scheme = isLoopback(reference.registry) ? 'http' : 'https';
  return new URL(`${scheme}://${reference.registry}/v2/${reference.repository}/${path}`);
}

/** Sends one request; any answer that is not 2xx is thrown. */
export async function send(
  reference: ImageReference,
  url: URL,
  method: string,
  options: RegistryRequest,
): Promise<Response> {
  const { headers, body, signal } = options;
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    throw failed(reference, `${method} ${url.pathname}`, error);
  }
  if (response.ok) return response;
  const { status } = response;
  const said = (await response.text().catch(() => '')).slice(0, 300);
  // The blobs of a manifest were there when it was sent: what is said to be missing is being written by others.
  const passing = PASSING_STATUS.has(status) || said.includes('MANIFEST_BLOB_UNKNOWN');
  throw new (passing ? PassingFailure : TektonLocalError)(
    status === 404 ? 'NOT_FOUND' : 'REGISTRY_FAILED',
    `the registry ${reference.registry} refused ${method} ${url.pathname}`,
    {
      expected: 'a 2xx answer',
      found: `${status} ${JSON.stringify(said)}`,
      ...(status === 401 ? { hint: 'registries that ask for credentials are not supported here yet' } : {}),
    },
  );
}

/** An exchange that ended without an answer, or in the middle of one. */
export function failed(reference: ImageReference, what: string, cause: unknown): TektonLocalError {
  if (cause instanceof Error && cause.name === 'AbortError') {
    return new TektonLocalError('INTERRUPTED', `${what} was stopped before it was done`, { cause });
  }
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const reason = inner instanceof Error ? inner.message : String(inner);
  return new PassingFailure('REGISTRY_FAILED', `the registry ${reference.registry} did not answer: ${reason}`, {
    found: what,
    cause,
  });
}
