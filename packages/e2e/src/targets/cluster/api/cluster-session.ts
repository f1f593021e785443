import type { KubeConfig } from '@kubernetes/client-node';
import { type Clock, pauseAfter, retry, systemClock, Transient } from '@multi-image/kit/retry';
import { E2eError } from '../../../errors.ts';
import { ClusterError } from './cluster-error.ts';
import { KubeClient, type KubeClientOptions } from './kube-client.ts';
import { type KubeConfigOptions, loadKubeConfig } from './kubeconfig.ts';

export interface ClusterOptions extends KubeConfigOptions, Pick<KubeClientOptions, 'signal' | 'timeout'> {
  /** Milliseconds of the first pause after a transient failure, and of the longest; 1 s and 30 s by default. */
  pauses?: { first: number; longest: number };
  /** Called once where the login expired and a new one is waited for. */
  onExpired?: (hint: string) => void;
  /** Called once for each request that is tried for long, with what stands in its way. */
  onTrouble?: (what: string) => void;
  clock?: Clock;
}

const TRIES = 6;
/** Milliseconds to wait for a new login where the old one expired. */
const LOGIN_PATIENCE = 15 * 60_000;

/** A login at a cluster: with which requests are made, tried again, and which is renewed when it expires. */
export class ClusterSession {
  readonly clock: Clock;
  readonly #options: ClusterOptions;
  readonly #pauses: { first: number; longest: number };
  readonly #secrets = new Set<string>();
  #config: KubeConfig;
  #client: KubeClient;
  #renewing: Promise<void> | undefined;
  /** Whether the login was good once: only then a new one is waited for. */
  #worked = false;

  constructor(options: ClusterOptions = {}) {
    this.#options = options;
    this.#pauses = options.pauses ?? { first: 1000, longest: 30_000 };
    this.clock = options.clock ?? systemClock;
    this.#config = loadKubeConfig(options);
    this.#client = this.#connect();
  }

  /** The API server's address, without credentials. */
  get server(): string {
    return this.#client.server;
  }

  get context(): string {
    return this.#config.getCurrentContext();
  }

  /** The namespace that the context names. */
  get namespace(): string | undefined {
    return this.#config.getContextObject(this.context)?.namespace;
  }

  /** Everything of this login and of earlier ones that must appear nowhere. */
  get secrets(): readonly string[] {
    return [...this.#secrets];
  }

  protected get client(): KubeClient {
    return this.#client;
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
  pause(attempt: number, signal?: AbortSignal, atLeast = 0): Promise<void> {
    return this.clock.sleep(Math.max(this.#pauseAfter(attempt), atLeast), signal ?? this.#options.signal);
  }

  /** Does something when a time is over, unless the signal comes first. */
  after(timeout: number, signal: AbortSignal, action: () => void): void {
    this.clock.sleep(timeout, signal).then(action, () => {});
  }

  /** Asks again and again until the answer is true, every few seconds at least; false where the time is over. */
  async poll(
    ask: () => Promise<boolean>,
    { timeout, signal }: { timeout: number; signal: AbortSignal },
  ): Promise<boolean> {
    const deadline = this.clock.now() + timeout;
    for (let attempt = 0; !(await ask()); attempt++) {
      const left = deadline - this.clock.now();
      if (left <= 0) return false;
      await this.clock.sleep(Math.min(this.#pauseAfter(Math.min(attempt, 3)), left), signal);
    }
    return true;
  }

  #pauseAfter(attempt: number): number {
    return pauseAfter(attempt, this.#pauses.first, this.#pauses.longest);
  }

  /**
   * @param patience Until when it is tried again after what is transient; a few times where there is none. A run of
   *   hours outlasts an API server that is away for minutes.
   */
  protected request<T>(call: (client: KubeClient) => Promise<T>, patience?: AbortSignal): Promise<T> {
    const { onExpired, onTrouble } = this.#options;
    const signal = patience ?? this.#options.signal;
    let renewals = 0;
    const attempt = async (tries: number): Promise<T> => {
      signal?.throwIfAborted();
      try {
        const answer = await call(this.#client);
        this.#worked = true;
        return answer;
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof ClusterError)) throw error;
        const mayRenew = error.code === 'CLUSTER_UNAUTHORIZED' && this.#worked && onExpired !== undefined;
        if (mayRenew && ++renewals < TRIES) {
          await this.renewLogin();
          // Whoever is refused with a login that is good elsewhere must not ask on and on.
          throw new Transient(error, { stale: renewals === 1 });
        }
        if (!error.isTransient) throw error;
        if (patience !== undefined && tries + 1 === TRIES)
          onTrouble?.(`${error.message} (${error.found ?? ''}); trying on`);
        throw new Transient(error, { retryAfter: error.retryAfter });
      }
    };
    const { first: pause, longest } = this.#pauses;
    const retries = patience === undefined ? TRIES - 1 : Number.POSITIVE_INFINITY;
    return retry(attempt, { retries, pause, longest, signal, clock: this.clock });
  }

  async #renew(): Promise<void> {
    const hint = 'log in again (for example: oc login); what was begun is taken up with --resume';
    const deadline = this.clock.now() + LOGIN_PATIENCE;
    for (let told = false; !(await this.#tryLogin()); told = true) {
      if (!told) this.#options.onExpired?.(hint);
      if (this.clock.now() > deadline) {
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
      this.#config = loadKubeConfig(this.#options);
    } catch (error) {
      // Whoever logs in right now has written half of the file.
      if (error instanceof E2eError) return false;
      throw error;
    }
    this.#client = this.#connect();
    return this.#client.resource({ apiVersion: 'v1', kind: 'Pod' }).then(
      () => true,
      (error) => (error as ClusterError).code !== 'CLUSTER_UNAUTHORIZED',
    );
  }

  #connect(): KubeClient {
    const { token, password, keyData } = this.#config.getCurrentUser() ?? {};
    // A key can come out line by line, too.
    const lines = Buffer.from(keyData ?? '', 'base64')
      .toString()
      .split('\n');
    const body = lines.filter((line) => /^[A-Za-z0-9+/=]{20,}$/.test(line));
    for (const secret of [token, password, keyData, ...body]) {
      if (typeof secret === 'string') this.#secrets.add(secret);
    }
    const { signal, timeout } = this.#options;
    return new KubeClient(this.#config, { signal, timeout, onSecret: (secret) => this.#secrets.add(secret) });
  }
}
