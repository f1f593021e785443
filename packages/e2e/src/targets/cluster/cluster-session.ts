import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeConfig } from '@kubernetes/client-node';
import { E2eError } from '../../errors.ts';
import { type ApiClients, createClients } from './api-clients.ts';
import { fromApi } from './cluster-error.ts';
import { type KubeConfigOptions, loadKubeConfig } from './kubeconfig.ts';

export interface ClusterOptions extends KubeConfigOptions {
  /** Ends everything that is under way. */
  signal?: AbortSignal;
  /** Milliseconds for one request and its answer; 30 s by default. */
  timeout?: number;
  /** Milliseconds of the first pause after a passing failure, and of the longest; 1 s and 30 s by default. */
  pauses?: { first: number; longest: number };
  /** Called once where the login expired and a new one is waited for. */
  onExpired?: (hint: string) => void;
  /** Called once for each request that is tried for long, with what stands in its way. */
  onTrouble?: (what: string) => void;
  /** Milliseconds to wait for a new login where the old one expired; 15 minutes by default. */
  loginPatience?: number;
}

const TRIES = 6;

/** A login at a cluster: which requests are made with, tried again, and which is renewed when it expires. */
export class ClusterSession {
  protected config: KubeConfig;
  protected clients: ApiClients;
  readonly #options: ClusterOptions;
  readonly #secrets = new Set<string>();
  #renewing: Promise<void> | undefined;
  /** Whether the login was good once: only then a new one is waited for. */
  #worked = false;

  constructor(options: ClusterOptions = {}) {
    this.#options = options;
    this.config = loadKubeConfig(options, (secret) => this.#secrets.add(secret));
    this.clients = createClients(this.config, options);
    this.#noteSecrets();
  }

  /** The API server's address, without credentials. */
  get server(): string {
    const url = URL.parse(this.config.getCurrentCluster()?.server ?? '');
    return url === null ? '' : `${url.protocol}//${url.host}`;
  }

  get context(): string {
    return this.config.getCurrentContext();
  }

  /** The namespace that the context names. */
  get namespace(): string | undefined {
    return this.config.getContextObject(this.context)?.namespace;
  }

  /** Everything of this login and of earlier ones that must appear nowhere. */
  get secrets(): readonly string[] {
    return [...this.#secrets];
  }

  /**
   * Reads the kubeconfig again. Where the login stays refused, waits for a new one: `oc login` in another terminal is
   * enough. Throws `CLUSTER_UNAUTHORIZED` when patience ends.
   */
  renewLogin(): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  /**
   * Waits before the next try: twice as long each time, with some chance in it, so that clients don't come in step.
   *
   * @param atLeast Milliseconds that the server asked for.
   */
  async pause(attempt: number, signal?: AbortSignal, atLeast = 0): Promise<void> {
    const { first, longest } = this.#options.pauses ?? { first: 1000, longest: 30_000 };
    const time = Math.min(longest, first * 2 ** attempt) * (0.75 + Math.random() / 2);
    await sleep(Math.max(time, atLeast), undefined, { signal: signal ?? this.#options.signal });
  }

  /**
   * @param patience Until when it is tried again after what passes; a few times where there is none. A run of hours
   *   outlasts an API server that is away for minutes.
   */
  protected async request<T>(what: string, call: () => Promise<T>, patience?: AbortSignal): Promise<T> {
    const { onExpired, onTrouble } = this.#options;
    const signal = patience ?? this.#options.signal;
    for (let attempt = 0; ; attempt++) {
      signal?.throwIfAborted();
      try {
        const answer = await call();
        this.#worked = true;
        return answer;
      } catch (cause) {
        signal?.throwIfAborted();
        const { error, passing, retryAfter } = fromApi(cause, what, this.server);
        const mayRenew = error.code === 'CLUSTER_UNAUTHORIZED' && this.#worked && onExpired !== undefined;
        if (mayRenew && attempt + 1 < TRIES) {
          await this.renewLogin();
          // Whoever is refused with a login that is good elsewhere must not ask on and on.
          if (attempt > 0) await this.pause(attempt, signal);
          continue;
        }
        if (!passing || (attempt + 1 >= TRIES && patience === undefined)) throw error;
        if (attempt + 1 === TRIES) onTrouble?.(`${error.message} (${error.found ?? ''}); trying on`);
        await this.pause(attempt, signal, retryAfter);
      }
    }
  }

  async #renew(): Promise<void> {
    const hint = 'log in again (for example: oc login); what was begun is taken up with --resume';
    const deadline = Date.now() + (this.#options.loginPatience ?? 15 * 60_000);
    for (let told = false; !(await this.#tryLogin()); told = true) {
      if (!told) this.#options.onExpired?.(hint);
      if (Date.now() > deadline) {
        throw new E2eError('CLUSTER_UNAUTHORIZED', `${this.server} no longer accepts the login`, {
          expected: 'a login that is valid for the whole run',
          found: '401 Unauthorized',
          hint,
        });
      }
      await this.pause(2);
    }
  }

  /** Whether what the kubeconfig says now is accepted; a server that doesn't answer says nothing against it. */
  async #tryLogin(): Promise<boolean> {
    try {
      this.config = loadKubeConfig(this.#options, (secret) => this.#secrets.add(secret));
    } catch (error) {
      // Whoever logs in right now has written half of the file.
      if (error instanceof E2eError) return false;
      throw error;
    }
    this.#noteSecrets();
    this.clients = createClients(this.config, this.#options);
    return this.clients.objects.find('v1', 'Pod').then(
      () => true,
      (error) => fromApi(error, '', this.server).error.code !== 'CLUSTER_UNAUTHORIZED',
    );
  }

  #noteSecrets(): void {
    const { token, password, keyData } = this.config.getCurrentUser() ?? {};
    // A key can come out line by line, too.
    const lines = Buffer.from(keyData ?? '', 'base64')
      .toString()
      .split('\n');
    const body = lines.filter((line) => /^[A-Za-z0-9+/=]{20,}$/.test(line));
    for (const secret of [token, password, keyData, ...body]) {
      if (typeof secret === 'string') this.#secrets.add(secret);
    }
  }
}
