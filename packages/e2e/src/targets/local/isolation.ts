import { run } from '@multi-image/kit/commands';
import { inTemporaryFolder } from '@multi-image/kit/temporary-folder';
import { E2eError } from '../../errors.ts';
import type { Isolation } from '../../options.ts';
import { readScript } from '../stand-ins.ts';

export interface IsolationOptions {
  /** What was asked for; without it a sandbox, and no other before `confirm` says so. */
  asked?: Isolation | undefined;
  /** Answers whether to go on without a sandbox. */
  confirm: (question: string) => Promise<boolean>;
  /** What {@link trySandbox} found, where it has been tried already. */
  tried?: Promise<string | undefined> | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Finds out what builds run in, by trying the sandbox once. Throws `ISOLATION_UNAVAILABLE` where this machine lets this
 * user have none and nobody asked to do without.
 */
export async function chooseIsolation({ asked, confirm, tried, signal }: IsolationOptions): Promise<Isolation> {
  if (asked === 'chroot') return asked;
  const failure = await (tried ?? trySandbox(signal));
  if (failure === undefined) return 'sandbox';
  const question = `No build can be put into a sandbox here: ${failure}
A Containerfile's RUN would have the rights of this user: over processes, files and devices of this machine.
Type yes to build all the same: `;
  if (asked === undefined && (await confirm(question))) return 'chroot';
  throw new E2eError('ISOLATION_UNAVAILABLE', 'no build can be put into a sandbox on this machine', {
    expected:
      'namespaces for mounts and processes, which root has, and others where the machine allows user namespaces',
    found: failure,
    hint: 'nothing was built. Allow user namespaces (`unshare --user --map-root-user --mount --pid --fork true` tells); or --isolation chroot, for Containerfiles that you would run as this user',
  });
}

/** Runs buildah in a sandbox. Returns why that can't be done. */
export async function trySandbox(signal: AbortSignal | undefined): Promise<string | undefined> {
  const script = `set -euo pipefail\n${readScript('machine/sandbox.sh', 'machine')}\nsandbox_writes=()\nsandbox -- "$1" buildah --version`;
  return inTemporaryFolder('sandbox-probe', async (folder) => {
    const { exitCode, stderr } = await run('bash', ['-c', script, 'sandbox', folder], { signal, group: true });
    return exitCode === 0 ? undefined : stderr.trim().split('\n').slice(-3).join('\n') || `exit code ${exitCode}`;
  });
}
