import type { Clock } from '../../../kit/src/retry.ts';
import { DigestChainError } from '../errors.ts';
import type { Credentials } from './credentials/credentials.ts';
import { quote } from './failure.ts';
import type { HttpResponse } from './http-response.ts';
import { reachOfHost, redacted } from './reach.ts';
import type { Repository } from './registry.ts';
import {
  basic,
  fetchToken,
  furtherScopes,
  type Need,
  REALM_HINT,
  type Secrets,
  type SendToRealm,
  scopesOf,
  type Token,
  type TokenService,
} from './token.ts';

export interface AuthorizerOptions {
  /** Where the registry answers. */
  readonly base: URL;
  /** Whether plain HTTP was asked for, for every host. */
  readonly plainHttp: boolean;
  /** Looked up again where `anew` is true. */
  readonly credentials: (repository: Repository, anew?: boolean) => Promise<Credentials | undefined>;
  /** Sends a request to a token service; what is transient comes as `Transient`. */
  readonly send: SendToRealm;
  readonly secrets: Secrets;
  readonly clock: Clock;
}

/**
 * Milliseconds in which a login that a token service has refused is not shown to it again: whoever counts wrong ones locks
 * out who sends too many (Quay, Docker Hub), and one call asks in several places.
 */
const REFUSED_FOR = 30_000;

/**
 * What one registry wants to be shown. It starts with nothing, learns from the first challenge, and from then on shows
 * it unasked: a token for each set of scopes, fetched once for all who need it at the same time.
 */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #tokens = new Map<string, Promise<Token>>();
  readonly #issued = new Map<string, { readonly key: string; readonly token: Promise<Token> }>();
  readonly #further = new Map<string, readonly string[]>();
  readonly #pushes = new Set<string>();
  #service: TokenService | undefined;
  /** What a registry has asked for with a Basic challenge alone, though it may have a token service for the rest. */
  readonly #basic = new Set<Need['access']>();
  /** Why a login was refused, and until when it is not tried again; by the login and what it was to let in to. */
  readonly #refused = new Map<string, { readonly error: DigestChainError; readonly until: number }>();
  /** By the identity tokens that a service has replaced. */
  readonly #replaced = new Map<string, string>();

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** The Authorization to send unasked, if the registry is known to want one. */
  async authorization(need: Need): Promise<string | undefined> {
    // The token for a first write is good for the reads that follow, too.
    if (need.access === 'push') this.#pushes.add(need.repository.repository);
    const basically = this.#basic.has(need.access);
    if (this.#service === undefined && this.#basic.size === 0) return undefined;
    const credentials = await this.#credentials(need.repository);
    if (credentials?.type === 'bearer') return `Bearer ${credentials.token}`;
    if (this.#service !== undefined && !(basically && credentials?.type === 'basic')) {
      return this.#token(this.#service, need, credentials);
    }
    return credentials?.type === 'basic' ? basic(credentials) : undefined;
  }

  /**
   * The Authorization that answers a 401; undefined where there is nothing that was not refused just now. Throws
   * `REALM_REFUSED`, and what fetching a token throws.
   */
  async answer(need: Need, response: HttpResponse, sent: string | undefined): Promise<string | undefined> {
    const challenges = parseChallenges(response.header('www-authenticate') ?? '');
    const wantsBasic = challenges.some((challenge) => challenge.scheme === 'basic');
    const learned = this.#learnAny(challenges, need, wantsBasic);
    // A token that was refused was too weak for this; then what is also asked for may do, or all that is asked for.
    if (wantsBasic && (!learned || this.#issued.has(sent ?? ''))) this.#basic.add(need.access);
    else if (learned) this.#basic.delete(need.access);
    const refused = this.#issued.get(sent ?? '');
    if (refused !== undefined && this.#tokens.get(refused.key) === refused.token) this.#tokens.delete(refused.key);
    const authorization = await this.authorization(need);
    if (authorization !== sent || authorization === undefined) return authorization;
    // The same as was refused just now: unless where it comes from has another by now.
    await this.#credentials(need.repository, true);
    const anew = await this.authorization(need);
    return anew === sent ? undefined : anew;
  }

  /** Takes the first Bearer challenge that can be followed; throws where none can and nothing else is asked for. */
  #learnAny(challenges: readonly Challenge[], need: Need, orElse: boolean): boolean {
    let failure: unknown;
    for (const challenge of challenges.filter(({ scheme }) => scheme === 'bearer')) {
      try {
        this.#learn(challenge, need);
        return true;
      } catch (error) {
        failure ??= error;
      }
    }
    if (failure !== undefined && !orElse) throw failure;
    return false;
  }

  #learn(challenge: Challenge, need: Need): void {
    const realm = this.#checkRealm(challenge.parameters.get('realm'));
    this.#service = { realm, service: challenge.parameters.get('service')?.slice(0, 255) };
    const asked = scopesOf(need, this.#pushes);
    this.#further.set(asked.join(' '), furtherScopes(challenge.parameters.get('scope'), asked));
  }

  async #token(service: TokenService, need: Need, credentials: Credentials | undefined): Promise<string> {
    const asked = scopesOf(need, this.#pushes);
    const scopes = [...asked, ...(this.#further.get(asked.join(' ')) ?? [])];
    const key = scopes.join(' ');
    const known = this.#tokens.get(key);
    // Of all who find it expired only the first drops it.
    if (known !== undefined && (await known).endsAt <= this.#options.clock.now() && this.#tokens.get(key) === known) {
      this.#tokens.delete(key);
    }
    let token = this.#tokens.get(key);
    if (token === undefined) {
      token = this.#fetch(service, scopes, need, credentials);
      this.#tokens.set(key, token);
      // The next one tries again; those who wait for this one hear why it failed.
      token.catch(() => this.#tokens.delete(key));
    }
    const authorization = `Bearer ${(await token).value}`;
    this.#issued.set(authorization, { key, token });
    return authorization;
  }

  /** Credentials that hold for minutes may be over: those that are refused are looked up again, once. */
  async #fetch(
    service: TokenService,
    scopes: readonly string[],
    { repository }: Need,
    credentials: Credentials | undefined,
  ): Promise<Token> {
    try {
      return await this.#fetchAs(service, scopes, credentials);
    } catch (error) {
      const refused = error instanceof DigestChainError && error.code === 'UNAUTHORIZED' && credentials !== undefined;
      const anew = refused ? await this.#credentials(repository, true) : undefined;
      if (anew === undefined || JSON.stringify(anew) === JSON.stringify(credentials)) throw error;
      return this.#fetchAs(service, scopes, anew);
    }
  }

  async #fetchAs(
    service: TokenService,
    scopes: readonly string[],
    credentials: Credentials | undefined,
  ): Promise<Token> {
    const { clock } = this.#options;
    const login = JSON.stringify([scopes, credentials]);
    const refused = this.#refused.get(login);
    if (refused !== undefined && refused.until > clock.now()) throw refused.error;
    try {
      return this.#noting(credentials, await fetchToken(service, scopes, credentials, this.#options));
    } catch (error) {
      if (credentials !== undefined && error instanceof DigestChainError && error.code === 'UNAUTHORIZED') {
        this.#refused.set(login, { error, until: clock.now() + REFUSED_FOR });
      }
      throw error;
    }
  }

  /** A service may replace an identity token each time it is shown. */
  #noting(credentials: Credentials | undefined, token: Token): Token {
    if (credentials?.type === 'identity' && token.identity !== undefined) {
      const [first] = [...this.#replaced].find(([, latest]) => latest === credentials.token) ?? [credentials.token];
      this.#replaced.set(first, token.identity);
    }
    return token;
  }

  async #credentials(repository: Repository, anew: boolean = false): Promise<Credentials | undefined> {
    const found = await this.#options.credentials(repository, anew);
    if (anew && found?.type === 'identity') this.#replaced.delete(found.token);
    const latest = found?.type === 'identity' ? this.#replaced.get(found.token) : undefined;
    const credentials = latest === undefined ? found : ({ type: 'identity', token: latest } as const);
    if (credentials !== undefined) {
      const { secrets } = this.#options;
      secrets.add(credentials.type === 'basic' ? credentials.password : credentials.token);
      if (credentials.type === 'basic') secrets.add(basic(credentials).slice('Basic '.length));
    }
    return credentials;
  }

  /**
   * A token service may be on another host than its registry (auth.docker.io), so the credentials go there: it is the
   * registry, to whom they belong, that says so. But nobody else may say it or listen: what came over TLS stays on TLS.
   */
  #checkRealm(text: string | undefined): URL {
    const { base, plainHttp, secrets } = this.#options;
    const realm = text === undefined ? null : URL.parse(text);
    const plain = base.protocol === 'http:' && realm?.protocol === 'http:';
    const here = realm?.host === base.host || reachOfHost(realm?.hostname ?? '') === 'loopback';
    if (
      realm !== null &&
      (realm.protocol === 'https:' || (plain && (plainHttp || here))) &&
      realm.username === '' &&
      realm.password === ''
    ) {
      realm.hash = '';
      return realm;
    }
    const found = realm === null ? (text === undefined ? 'none' : `no URL: ${text}`) : redacted(realm);
    throw new DigestChainError('REALM_REFUSED', `${base.host} names a token service that gets no credentials`, {
      expected: base.protocol === 'https:' ? 'an https URL' : `an https URL, or one on ${base.host}`,
      found: quote(secrets.redact(found)),
      hint: REALM_HINT,
    });
  }
}

/** One challenge of a WWW-Authenticate header (RFC 9110, 11.6.1). */
export interface Challenge {
  /** In lower case. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const TOKEN68 = /[0-9A-Za-z._~+/-]+=*(?=\s*(?:,|$))/y;
const QUOTED = /"(?:[^"\\]|\\.)*"/y;
// More than RFC 9110 lets stand without quotes: a realm is a URL.
const UNQUOTED = /[^\s,"]+/y;
const BETWEEN = /[\s,]*/y;
const SPACES = / +/y;
const EQUALS = /[ \t]*=[ \t]*/y;

/**
 * Reads all challenges of a WWW-Authenticate header, several of which may stand in one line. What follows the first
 * thing that is no challenge is left out: a registry's typing errors are no reason to fail where a challenge is plain.
 */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(header)?.[0];
    if (match !== undefined) at += match.length;
    return match;
  };
  for (;;) {
    take(BETWEEN);
    const word = take(TOKEN)?.toLowerCase();
    if (word === undefined) return challenges;
    if (take(EQUALS) === undefined) {
      challenges.push({ scheme: word, parameters: new Map() });
      // One value instead of parameters (`Negotiate abc==`): not ours.
      if (take(SPACES) !== undefined) take(TOKEN68);
      continue;
    }
    const quoted = take(QUOTED);
    const value = quoted === undefined ? take(UNQUOTED) : quoted.slice(1, -1).replace(/\\(.)/g, '$1');
    const parameters = challenges.at(-1)?.parameters;
    if (value === undefined || parameters === undefined) return challenges;
    if (!parameters.has(word)) parameters.set(word, value);
  }
}
