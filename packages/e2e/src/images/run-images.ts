import { probeContainers } from '@multi-image/tekton-local';
import { type CommandResult, run } from '../command.ts';
import { title } from '../criteria/criteria.ts';
import { type Evidence, skipped } from '../criteria/criterion.ts';
import type { ObservedImage } from '../criteria/observation.ts';

/** Runs `repository@digest`; answers with what it printed, or why this machine can't. */
export type ImageRunner = (reference: string) => Promise<CommandResult | { problem: string }>;

/** The program of this repository's own images; it ends by itself, which an image of a fork need not do. */
export const OWN_PROGRAM = '/app/entrypoint.mts';

/** Runs the images that end by themselves; what could not be run is said. */
export async function runImages(
  images: readonly ObservedImage[],
  runner: ImageRunner = podman,
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

const podman: ImageRunner = async (reference) => {
  try {
    const { runArguments } = await probeContainers({});
    const args = ['run', '--rm', '--network', 'none', ...runArguments, reference];
    return await run('podman', args, { timeout: 300_000 });
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
};
