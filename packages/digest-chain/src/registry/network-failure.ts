import { Transient } from '../../../kit/src/retry.ts';
import { DigestChainError } from '../errors.ts';
import { redacted } from './endpoint.ts';

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

/** What a connection died of, as this package's error; {@link Transient} where another try may do. */
export function networkFailure(error: unknown, url: URL, reused: boolean): DigestChainError | Transient {
  if (error instanceof DigestChainError || error instanceof Transient) return error;
  const code = codeOf(error);
  const text = error instanceof Error ? error.message : String(error);
  if (code.startsWith('HPE_') && !TRANSIENT.has(code)) {
    return new DigestChainError('RESPONSE_INVALID', `${url.host} did not answer in HTTP`, {
      expected: `an HTTP answer from ${redacted(url)}`,
      found: code,
      hint: 'check the address, and whether the registry wants TLS',
    });
  }
  const failure = new DigestChainError('REGISTRY_UNREACHABLE', `${url.host} can't be reached`, {
    expected: `an answer from ${redacted(url)}`,
    // A failed tunnel is told with the proxy's URL, whose password Node leaves out; the code says enough.
    found: code === 'ERR_PROXY_TUNNEL' ? code : text.slice(0, 300),
    hint: HINTS[code] ?? (/CERT|SIGNATURE/.test(code) ? TRUST_HINT : 'check the address, and that the registry is up'),
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
