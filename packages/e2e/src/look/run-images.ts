import { isLoopback } from '@multi-image/digest-chain/oci';
import { type CommandOptions, type CommandResult, run } from '@multi-image/kit/commands';
import { reasonOf } from '@multi-image/kit/errors';
import { probeContainers } from '@multi-image/tekton-local';
import { asReachedHere, type Elsewhere } from '../elsewhere.ts';

/** Runs `repository@digest` by its entrypoint, with these arguments; answers with what it printed, or why this machine can't. */
export type ImageRunner = (
  reference: string,
  imageArgs?: readonly string[],
) => Promise<CommandResult | { problem: string }>;

/** The program of this repository's own images; it ends by itself, which an image of a fork need not do. */
export const OWN_PROGRAM = '/app/entrypoint.mts';

/** Runs images with this machine's podman, without a network. */
export function podmanRunner({
  plainHttp = false,
  elsewhere,
}: {
  plainHttp?: boolean;
  elsewhere?: Elsewhere | undefined;
}): ImageRunner {
  return async (reference, imageArgs) => {
    const exact = asReachedHere(reference, elsewhere);
    // Podman knows no loopback: every registry has TLS for it.
    const isPlain = plainHttp || isLoopback(exact.split('/')[0] ?? '');
    try {
      const { runArguments } = await probeContainers({});
      const wasThere = (await run('podman', ['image', 'exists', exact])).exitCode === 0;
      const tls = isPlain ? ['--tls-verify=false'] : [];
      return await runOnce(exact, [...tls, ...runArguments], { timeout: 300_000, imageArgs }, wasThere);
    } catch (error) {
      return { problem: reasonOf(error) };
    }
  };
}

/** Runs an image by its exact name. It stays in its registry: unless it is to be kept, it is here only to be run. */
export async function runOnce(
  exact: string,
  args: readonly string[],
  { imageArgs = [], signal, ...options }: CommandOptions & { imageArgs?: readonly string[] | undefined },
  keep: boolean = false,
): Promise<CommandResult> {
  try {
    // What a pull says is not what the image says.
    const create = ['create', '--rm', '--quiet', '--network', 'none', ...args, exact, ...imageArgs];
    // Not ended by the signal: stopped in the midst of it, podman leaves layers which belong to nothing.
    const created = await run('podman', create, { ...options, group: true });
    if (created.exitCode !== 0) return created;
    return await run('podman', ['start', '--attach', created.stdout.trim()], { ...options, signal });
  } finally {
    if (!keep) await run('podman', ['rmi', '--force', exact]);
  }
}
