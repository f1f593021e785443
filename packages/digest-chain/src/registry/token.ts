import { DigestChainError } from '../errors.ts';
import { decodeJson, member, textOf } from '../json/decode.ts';
import type { Credentials } from './credentials/credentials.ts';
import { refusal } from './failure.ts';
import type { HttpResponse } from './http-response.ts';
import type { Secrets } from './secrets.ts';

/** Bytes. */
const TOKEN_LIMIT = 1024 * 1024;
/** Seconds that a token holds if its service does not say (distribution: auth/token). */
const DEFAULT_LIFE = 60;
const CLIENT_ID = 'digest-chain';

export interface Token {
  readonly value: string;
  /** By `performance.now()`: the clocks of others are not asked. */
  readonly endsAt: number;
}

/** Where tokens are had, as the registry's challenge said. */
export interface TokenService {
  readonly realm: URL;
  readonly service: string | undefined;
}

export type SendToRealm = (request: {
  method: string;
  url: URL;
  headers: Readonly<Record<string, string>>;
  body?: Uint8Array;
}) => Promise<HttpResponse>;

/** Gets a token for scopes: with a GET (distribution: auth/token), or from an identity token with a POST (auth/oauth). */
export async function fetchToken(
  { realm, service }: TokenService,
  scopes: readonly string[],
  credentials: Credentials | undefined,
  send: SendToRealm,
  secrets: Secrets,
): Promise<Token> {
  const response =
    credentials?.type === 'identity'
      ? await send(refreshRequest(realm, service, scopes, credentials.token))
      : await send(tokenRequest(realm, service, scopes, credentials));
  if (response.status !== 200) {
    const hint = credentials === undefined ? 'log in to the registry' : 'log in again: the credentials were refused';
    throw await refusal(response, `a token for ${scopes.join(' ')}`, secrets.redact, { code: 'UNAUTHORIZED', hint });
  }
  const startedAt = performance.now();
  const body = decodeJson(await response.read(TOKEN_LIMIT));
  const value = textOf(member(body, 'token')) || textOf(member(body, 'access_token')) || '';
  // It becomes a header.
  if (!/^[\x21-\x7e]+$/.test(value)) {
    throw new DigestChainError('RESPONSE_INVALID', `${realm.host} answered without a token`, {
      expected: '{"token": …} or {"access_token": …} (distribution: auth/token)',
      found: value === '' ? 'neither' : 'a token with characters that none may have',
    });
  }
  secrets.add(value);
  const seconds = member(body, 'expires_in');
  const life = typeof seconds === 'number' && seconds > 0 ? seconds : DEFAULT_LIFE;
  // Not to the last second: the request still has to get there.
  return { value, endsAt: startedAt + life * 900 };
}

function tokenRequest(
  realm: URL,
  service: string | undefined,
  scopes: readonly string[],
  credentials: Credentials | undefined,
): Parameters<SendToRealm>[0] {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  if (credentials?.type !== 'basic') return { method: 'GET', url, headers: {} };
  return { method: 'GET', url, headers: { authorization: basic(credentials) } };
}

function refreshRequest(
  realm: URL,
  service: string | undefined,
  scopes: readonly string[],
  token: string,
): Parameters<SendToRealm>[0] {
  const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: CLIENT_ID, refresh_token: token });
  if (service !== undefined) form.set('service', service);
  form.set('scope', scopes.join(' '));
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return { method: 'POST', url: new URL(realm), headers, body: Buffer.from(form.toString()) };
}

export function basic({ username, password }: Extract<Credentials, { type: 'basic' }>): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
