import { inTemporaryFolder } from '@multi-image/kit/temporary-folder';
import { type Containers, probeContainers, requireUsers } from '@multi-image/tekton-local';
import type { Isolation } from '../../options.ts';
import { trySandbox } from './isolation.ts';
import { type BuildahStorage, buildahStorage } from './tasks.ts';
import { setEnvironment, userEnvironment } from './user-environment.ts';

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
    containers: usableContainers(signal),
    sandbox: isolation === 'chroot' ? Promise.resolve(undefined) : trySandbox(signal),
    storage: buildahStorage(signal),
  };
}

/** Throws `CONTAINERS_UNUSABLE` where a run would find out in the midst of it. For a command that ends then. */
export async function checkContainers(signal: AbortSignal): Promise<Containers> {
  return inTemporaryFolder('multi-image-preflight', async (folder) => {
    setEnvironment(await userEnvironment(folder));
    return usableContainers(signal);
  });
}

async function usableContainers(signal: AbortSignal): Promise<Containers> {
  const containers = await probeContainers({ signal });
  await requireUsers(containers, 'steps run as other users than root, and base images have files of others');
  return containers;
}
