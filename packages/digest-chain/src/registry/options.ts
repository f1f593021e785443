import type { Clock } from '../../../kit/src/retry.ts';
import type { Credentials } from './credentials/credentials.ts';
import type { Repository } from './registry.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface RegistryOptions {
  /** Ends everything that is under way with `ABORTED`, and lets nothing new begin. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds for one request and its answer, body included; 30 s by default. Of a blob that is copied as a stream,
   * for each piece of it.
   */
  readonly timeout?: number | undefined;
  /** Milliseconds for one call with all its requests, tries and pauses; 2 minutes by default. */
  readonly deadline?: number | undefined;
  /** How often a request that met a transient failure is tried again; 4 times by default. */
  readonly retries?: number | undefined;
  /** Milliseconds of the first pause between tries, at most; the next ones double. 250 by default. */
  readonly retryPause?: number | undefined;
  /** How many requests run at the same time; others wait their turn. 8 by default. */
  readonly concurrency?: number | undefined;
  /**
   * True: plain HTTP for every registry. False: for none. By default: for those on this machine's loopback; with a list of
   * registries (`host` or `host:port`) for these, too.
   */
  readonly plainHttp?: boolean | readonly string[] | undefined;
  /** A PEM file of certificate authorities to trust beside Node's own (which include NODE_EXTRA_CA_CERTS). */
  readonly caFile?: string | undefined;
  /** The only file to look for credentials in, in place of the usual ones. */
  readonly authFile?: string | undefined;
  /** Where credentials come from, in place of files and credential helpers. */
  readonly credentials?:
    | ((repository: Repository, signal: AbortSignal) => Promise<Credentials | undefined>)
    | undefined;
  /** Where proxies and credential files are named; this process's environment by default. */
  readonly environment?: Environment | undefined;
  /** Put before the package's own User-Agent. */
  readonly userAgent?: string | undefined;
  /**
   * Whether the registry takes a blob in one POST (distribution-spec, "Single POST": optional). By default: Quay does,
   * of others it is found out.
   */
  readonly singlePost?: boolean | undefined;
  /** Told what a registry warns of (distribution-spec, "Warnings"), each text once; credentials in it are left out. */
  readonly onWarning?: ((registry: string, text: string) => void) | undefined;
  /** What its pauses are taken by; the machine's time by default. */
  readonly clock?: Clock | undefined;
}

export const DEFAULTS = { timeout: 30_000, deadline: 120_000, retries: 4, retryPause: 250, concurrency: 8 } as const;
