import type { Clock } from '../../../kit/src/retry.ts';
import { DigestChainError } from '../errors.ts';
import { decodeJson, member, textOf } from '../json/decode.ts';
import type { Credentials } from './credentials/credentials.ts';
import { refusal } from './failure.ts';
import type { HttpResponse } from './http-response.ts';
import type { Repository } from './registry.ts';

/** Bytes. */
const TOKEN_LIMIT = 1024 * 1024;
/** Seconds that a token holds if its service does not say (distribution: auth/token). */
const DEFAULT_LIFE = 60;
const CLIENT_ID = 'digest-chain';

export interface Token {
  readonly value: string;
  /** By this client's clock: those of others are not asked. */
  readonly endsAt: number;
  /** The identity token to show from now on, where the service gave another one (RFC 6749, section 6). */
  readonly identity: string | undefined;
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
  { send, secrets, clock }: { readonly send: SendToRealm; readonly secrets: Secrets; readonly clock: Clock },
): Promise<Token> {
  const response = await send(tokenRequest({ realm, service }, scopes, credentials));
  if (response.status !== 200) {
    const hint = hintAbout(response, credentials);
    throw await refusal(response, `a token for ${scopes.join(' ')}`, secrets.redact, { code: 'UNAUTHORIZED', hint });
  }
  const startedAt = clock.now();
  const body = parseAnswer(await response.read(TOKEN_LIMIT));
  const value = textOf(member(body, 'token')) || textOf(member(body, 'access_token')) || '';
  // It becomes a header.
  if (!/^[\x21-\x7e]+$/.test(value)) {
    throw new DigestChainError('RESPONSE_INVALID', `${realm.host} answered without a token`, {
      expected: '{"token": …} or {"access_token": …} (distribution: auth/token)',
      found: value === '' ? 'neither' : 'a token with characters that none may have',
      hint: REALM_HINT,
    });
  }
  secrets.add(value);
  const seconds = member(body, 'expires_in');
  const life = typeof seconds === 'number' && seconds > 0 ? seconds : DEFAULT_LIFE;
  // Not to the last second: the request still has to get there.
  const identity = credentials?.type === 'identity' ? textOf(member(body, 'refresh_token')) || undefined : undefined;
  if (identity !== undefined) secrets.add(identity);
  return { value, endsAt: startedAt + life * 900, identity };
}

/** What is no JSON holds no token. */
function parseAnswer(bytes: Uint8Array): unknown {
  try {
    return decodeJson(bytes);
  } catch {
    return undefined;
  }
}

/** Who may be wrong: whoever logged in, or whoever says that tokens are had there. */
function hintAbout({ status }: HttpResponse, credentials: Credentials | undefined): string {
  if (![400, 401, 403].includes(status)) return REALM_HINT;
  return credentials === undefined ? 'log in to the registry' : 'log in again: the credentials were refused';
}

export const REALM_HINT = 'ask the owner of the registry: its WWW-Authenticate header names it as realm';

function tokenRequest(
  { realm, service }: TokenService,
  scopes: readonly string[],
  credentials: Credentials | undefined,
): Parameters<SendToRealm>[0] {
  const url = new URL(realm);
  if (credentials?.type === 'identity') {
    const { token } = credentials;
    const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: CLIENT_ID, refresh_token: token });
    if (service !== undefined) form.set('service', service);
    form.set('scope', scopes.join(' '));
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return { method: 'POST', url, headers, body: Buffer.from(form.toString()) };
  }
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  return { method: 'GET', url, headers: credentials?.type === 'basic' ? { authorization: basic(credentials) } : {} };
}

export function basic({ username, password }: Extract<Credentials, { type: 'basic' }>): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** What a call needs access to. */
export interface Need {
  readonly repository: Repository;
  readonly access: 'pull' | 'push';
  /** A repository on the same registry that is read as well (cross-repository mount). */
  readonly from?: Repository;
}

const SCOPE = /^[a-z]+(?:\([a-z0-9]+\))?:[A-Za-z0-9._/:-]{1,255}:(?:\*|[a-z]+(?:,[a-z]+)*)$/;

/** The scopes of a need (distribution: auth/scope). Who is to push gets to read with the same token. */
export function scopesOf({ repository, access, from }: Need, pushes: ReadonlySet<string>): readonly string[] {
  const own = access === 'push' || pushes.has(repository.repository) ? 'pull,push' : 'pull';
  const scopes = [`repository:${repository.repository}:${own}`];
  if (from !== undefined && from.repository !== repository.repository)
    scopes.push(`repository:${from.repository}:pull`);
  return scopes;
}

/** Those scopes of a challenge that go beyond what is asked for already. */
export function furtherScopes(challenge: string | undefined, asked: readonly string[]): readonly string[] {
  return (challenge ?? '')
    .split(' ')
    .filter((scope) => SCOPE.test(scope) && !asked.some((other) => covers(other, scope)))
    .slice(0, 8);
}

function covers(one: string, other: string): boolean {
  const [resource, actions] = split(one);
  const [otherResource, otherActions] = split(other);
  return resource === otherResource && otherActions.every((action) => actions.includes(action));
}

function split(scope: string): [resource: string, actions: readonly string[]] {
  const colon = scope.lastIndexOf(':');
  return [scope.slice(0, colon), scope.slice(colon + 1).split(',')];
}

/**
 * What must not come out: every secret that a client has sent. A registry may repeat in an error what it was told, and
 * errors are printed.
 */
export class Secrets {
  readonly #known = new Set<string>();

  /** Remembers a secret, and the forms in which it goes over the wire. */
  add(secret: string): void {
    // Shorter ones would turn up in every other word; nobody's security hangs on them.
    if (secret.length < 4) return;
    const escaped = JSON.stringify(secret).slice(1, -1);
    const form = new URLSearchParams({ '': secret }).toString().slice(1);
    for (const written of [secret, escaped, encodeURIComponent(secret), form]) this.#known.add(written);
  }

  redact = (text: string): string => {
    // Longer ones first: one may be part of another.
    const secrets = [...this.#known].sort((one, other) => other.length - one.length);
    return secrets.reduce((redacted, secret) => redacted.replaceAll(secret, '***'), text);
  };
}
