import { type CommandResult, run } from '@multi-image/kit/commands';
import { probeContainers } from '@multi-image/tekton-local';
import { type Evidence, skipped } from '../judge/criterion.ts';
import type { ObservedImage } from '../judge/observation.ts';
import { title } from '../judge/wording.ts';

/** Runs `repository@digest`; answers with what it printed, or why this machine can't. */
export type ImageRunner = (reference: string) => Promise<CommandResult | { problem: string }>;

/** The program of this repository's own images; it ends by itself, which an image of a fork need not do. */
export const OWN_PROGRAM = '/app/entrypoint.mts';

/** Runs the images that end by themselves; what could not be run is said. */
export async function runImages(
  images: readonly ObservedImage[],
  runner: ImageRunner = podmanRunner({}),
): Promise<readonly Evidence[]> {
  const notRun: Evidence[] = [];
  for (const image of images) {
    const digest = image.published.digest ?? image.origin.digest;
    if (digest === undefined || !image.published.entrypoint?.includes(OWN_PROGRAM)) continue;
    const output = await runner(`${image.repository}@${digest}`);
    if ('problem' in output) notRun.push(skipped('runs', `${title(image)} was not run: ${output.problem}`));
    else image.output = output;
  }
  return notRun;
}

/**
 * Runs images with this machine's podman, without a network.
 *
 * @param elsewhere The registry as references name it, and as it answers here.
 */
export function podmanRunner(where: {
  plainHttp?: boolean;
  elsewhere?: { from: string; to: string } | undefined;
}): ImageRunner {
  const { plainHttp = false, elsewhere } = where;
  return async (reference) => {
    const [host = '', ...path] = reference.split('/');
    const exact = [host === elsewhere?.from ? elsewhere.to : host, ...path].join('/');
    // Podman knows no loopback: every registry has TLS for it.
    const isPlain = plainHttp || /^(?:localhost|127\.0\.0\.1)(?::|$)/.test(exact.split('/')[0] ?? '');
    try {
      const { runArguments } = await probeContainers({});
      const tls = isPlain ? ['--tls-verify=false'] : [];
      const wasThere = (await run('podman', ['image', 'exists', exact])).exitCode === 0;
      const args = ['run', '--rm', '--quiet', '--network', 'none', ...tls, ...runArguments, exact];
      const output = await run('podman', args, { timeout: 300_000 });
      // It stays in its registry; here it was only to be run.
      if (!wasThere) await run('podman', ['rmi', exact]);
      return output;
    } catch (error) {
      return { problem: error instanceof Error ? error.message : String(error) };
    }
  };
}
