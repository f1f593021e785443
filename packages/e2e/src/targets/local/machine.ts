import { type Containers, probeContainers } from '@multi-image/tekton-local';
import type { Isolation } from '../../options.ts';
import { trySandbox } from './isolation.ts';
import { type BuildahStorage, buildahStorage } from './tasks.ts';

/** What containers and builds find on this machine. */
export interface Machine {
  readonly containers: Promise<Containers>;
  /** Why builds can't be put into a sandbox; undefined where they can. */
  readonly sandbox: Promise<string | undefined>;
  readonly storage: Promise<BuildahStorage>;
}

/** Asks all of it at once. */
export function askMachine(isolation: Isolation | undefined, signal: AbortSignal): Machine {
  return {
    containers: probeContainers({ signal }),
    sandbox: isolation === 'chroot' ? Promise.resolve(undefined) : trySandbox(signal),
    storage: buildahStorage(signal),
  };
}
