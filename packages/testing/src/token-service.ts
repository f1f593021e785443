import { randomUUID, sign, X509Certificate } from 'node:crypto';
import type { TestCertificate } from './certificate.ts';
import { type ReceivedRequest, startTestServer, type TestResponse, type TestServer } from './http-server.ts';

/** Who may have tokens for what. */
export const USER = {
  username: 'robot',
  password: 'tall-secret-of-robot',
  identity: 'identity-secret-of-robot',
} as const;

export interface TokenService extends TestServer {
  /** What {@link TestRegistryOptions.tokens} wants to know. */
  readonly settings: { realm: string; service: string; issuer: string; certificate: string };
  /** The scopes that were asked for, one entry a token. */
  readonly asked: string[][];
  /** Every token that was given out. */
  readonly issued: string[];
  /** What the next tokens are like, one after the other; others hold for five minutes. */
  next: { readonly expired?: boolean; readonly expiresIn?: number }[];
}

/**
 * A token service as the distribution project specifies it (auth/token, auth/oauth): everyone may pull `public/…`,
 * {@link USER} may do anything. Its tokens are signed, and a real registry checks them.
 */
export async function startTokenService({ key, certificate, file }: TestCertificate): Promise<TokenService> {
  const asked: string[][] = [];
  const issued: string[] = [];
  const server = await startTestServer(answer);
  const service: TokenService = {
    ...server,
    settings: {
      realm: `http://${server.host}/token`,
      service: 'test registry',
      issuer: 'test issuer',
      certificate: file,
    },
    asked,
    issued,
    next: [],
  };
  return service;

  function answer(request: ReceivedRequest): TestResponse {
    const form = new URLSearchParams(request.method === 'POST' ? request.body.toString() : request.path.split('?')[1]);
    const scopes = form.getAll('scope').flatMap((scope) => scope.split(' '));
    const known = isUser(request, form);
    if (known === false) return { status: 401, body: `{"errors":[{"code":"UNAUTHORIZED","message":"bad login"}]}` };
    asked.push(scopes);
    const access = scopes.map(accessOf).filter(({ name }) => known || name.startsWith('public/'));
    const { expired = false, expiresIn = 300 } = service.next.shift() ?? {};
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: service.settings.issuer,
      aud: form.get('service'),
      sub: known ? USER.username : '',
      jti: randomUUID(),
      nbf: now - 600,
      // The registry takes tokens for a minute after their end, since clocks differ.
      exp: expired ? now - 300 : now + 300,
      access: known ? access : access.map((entry) => ({ ...entry, actions: ['pull'] })),
    };
    const token = jwt(claims, key, certificate);
    issued.push(token);
    return {
      body: JSON.stringify({ [request.method === 'POST' ? 'access_token' : 'token']: token, expires_in: expiresIn }),
    };
  }
}

/** True for the user, false for someone who pretends to be one, undefined for nobody. */
function isUser({ method, headers }: ReceivedRequest, form: URLSearchParams): boolean | undefined {
  if (method === 'POST') return form.get('refresh_token') === USER.identity;
  if (headers.authorization === undefined) return undefined;
  const expected = Buffer.from(`${USER.username}:${USER.password}`).toString('base64');
  return headers.authorization === `Basic ${expected}`;
}

function accessOf(scope: string): { type: string; name: string; actions: string[] } {
  const [type = '', name = '', actions = ''] = scope.split(':');
  return { type, name, actions: actions.split(',') };
}

function jwt(claims: object, key: string, certificate: string): string {
  const x5c = [new X509Certificate(certificate).raw.toString('base64')];
  const parts = [{ typ: 'JWT', alg: 'ES256', x5c }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  );
  const signature = sign('sha256', Buffer.from(parts.join('.')), { key, dsaEncoding: 'ieee-p1363' });
  return [...parts, signature.toString('base64url')].join('.');
}
