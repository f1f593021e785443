import { reasonOf } from '../../../kit/src/errors.ts';
import { parseRetryAfter, Transient } from '../../../kit/src/retry.ts';
import { printable } from '../../../kit/src/terminal.ts';
import { DigestChainError, type ErrorCode } from '../errors.ts';
import { decodeJson, items, member, textOf } from '../json/decode.ts';
import type { HttpResponse } from './http-response.ts';
import { redacted } from './reach.ts';

/** Of an error's body no more is read than this. Bytes. */
const BODY_LIMIT = 16 * 1024;
const TEXT_LIMIT = 300;

const CODES: Readonly<Record<number, ErrorCode>> = {
  401: 'UNAUTHORIZED',
  403: 'UNAUTHORIZED',
  404: 'NOT_FOUND',
  409: 'CONFLICT',
};

const MESSAGES: Readonly<Partial<Record<ErrorCode, string>>> = {
  UNAUTHORIZED: 'refused access to',
  NOT_FOUND: 'does not have',
  CONFLICT: 'will not overwrite',
  RESPONSE_INVALID: 'answered as no registry should about',
};

/** An answer that is not the one hoped for, as an error with what the registry says about it. */
export async function refusal(
  response: HttpResponse,
  what: string,
  redact: (text: string) => string,
  { hint, ...options }: { readonly hint?: string | undefined; readonly code?: ErrorCode } = {},
): Promise<DigestChainError> {
  const { method, status, url } = response;
  const code = options.code ?? CODES[status] ?? (status < 400 ? 'RESPONSE_INVALID' : 'REGISTRY_ERROR');
  // Credentials go out before the text is cut: half of one would be left.
  const { text, codes } = await explanationOf(response, redact);
  return new DigestChainError(code, `${url.host} ${MESSAGES[code] ?? 'failed on'} ${what}`, {
    found: `HTTP ${status}${redact(leadsTo(response))}${comeBack(response)}${text === '' ? '' : `: ${quote(text)}`}`,
    hint,
    http: { method, url: redacted(url), status, codes: codes.map(quote) },
  });
}

/** Where a redirect leads that is not followed: nothing that is sent goes to another place. */
function leadsTo(response: HttpResponse): string {
  const { status, url } = response;
  const location = response.header('location');
  const target = status >= 300 && status < 400 && location ? URL.parse(location, url.href) : null;
  return target === null ? '' : ` to ${redacted(target)}`;
}

function comeBack(response: HttpResponse): string {
  const wait = parseRetryAfter(response.header('retry-after'));
  return wait === undefined ? '' : `, and to come back in ${Math.ceil(wait / 1000)} s`;
}

/** What the registry says (distribution-spec, "Error Codes"), or how its answer begins. */
async function explanationOf(
  response: HttpResponse,
  redact: (text: string) => string,
): Promise<{ text: string; codes: readonly string[] }> {
  // An explanation that can't be read is no reason to lose what it was to explain.
  const body = await response.read(BODY_LIMIT).catch(() => Buffer.alloc(0));
  try {
    const said = items(member(decodeJson(body), 'errors')).map((error) =>
      ['code', 'message'].map((part) => redact(textOf(member(error, part)) ?? '')),
    );
    const lines = said.map((parts) => parts.filter((part) => part !== '').join(': ')).filter((line) => line !== '');
    const codes = said.flatMap(([code]) => code || []);
    if (lines.length > 0) return { text: lines.join('; '), codes };
  } catch {
    // Not every error comes from the registry itself; what stands before it answers in text or HTML.
  }
  return { text: redact(body.toString('utf8').trim()), codes: [] };
}

/** Text from outside on one line, cut, without characters that could steer a terminal or hide what is read. */
export function quote(text: string): string {
  return printable(text.length > TEXT_LIMIT ? `${text.slice(0, TEXT_LIMIT)}…` : text);
}

/** Cut connections (in the middle of the head, too), and a name server that was busy. A refused connection or an unknown name is an answer. */
const TRANSIENT: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'EAI_AGAIN',
  'HPE_INVALID_EOF_STATE',
]);

const HINTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'check the port, and that the registry is up',
  ENOTFOUND: "check the registry's name",
  ERR_PROXY_TUNNEL: 'check HTTPS_PROXY and NO_PROXY',
  EPROTO: 'is it a registry without TLS? Then ask for plain HTTP',
  ERR_SSL_WRONG_VERSION_NUMBER: 'is it a registry without TLS? Then ask for plain HTTP',
  CERT_HAS_EXPIRED: "the registry's certificate has to be renewed",
  ERR_TLS_CERT_ALTNAME_INVALID: "check the registry's name: its certificate is for another",
};
const TRUST_HINT = 'name the file of the certificate authority, or set NODE_EXTRA_CA_CERTS';

/** By these no connection comes about: where a proxy was to be asked, it is the proxy that is not there. */
const UNCONNECTED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
]);

/** What a connection died of, as this package's error; {@link Transient} where another try may do. */
export function networkFailure(
  error: unknown,
  url: URL,
  { reused = false, proxy }: { readonly reused?: boolean; readonly proxy?: string | undefined } = {},
): DigestChainError | Transient {
  if (error instanceof DigestChainError || error instanceof Transient) return error;
  const code = codeOf(error);
  const text = reasonOf(error);
  if (code.startsWith('HPE_') && !TRANSIENT.has(code)) {
    return new DigestChainError('RESPONSE_INVALID', `${url.host} did not answer in HTTP`, {
      expected: `an HTTP answer from ${redacted(url)}`,
      found: code,
      hint: 'check the address, and whether the registry wants TLS',
    });
  }
  const missing = proxy !== undefined && UNCONNECTED.has(code) ? `: its proxy ${redacted(new URL(proxy))} can't` : '';
  const hint =
    missing === ''
      ? (HINTS[code] ?? (/CERT|SIGNATURE/.test(code) ? TRUST_HINT : 'check the address, and that the registry is up'))
      : `check ${url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'} and NO_PROXY`;
  const failure = new DigestChainError('REGISTRY_UNREACHABLE', `${url.host} can't be reached${missing}`, {
    expected: `an answer from ${redacted(url)}`,
    // A failed tunnel is told with the proxy's URL, whose password Node leaves out; the code says enough.
    found: code === 'ERR_PROXY_TUNNEL' ? code : text.slice(0, 300),
    hint,
  });
  return TRANSIENT.has(code) ? new Transient(failure, { stale: reused }) : failure;
}

export function timedOut(url: URL, milliseconds: number): Transient {
  return new Transient(
    new DigestChainError('REGISTRY_TIMEOUT', `${url.host} did not answer in time`, {
      expected: `a whole answer from ${redacted(url)} within ${milliseconds / 1000} s`,
      found: 'none',
    }),
  );
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
