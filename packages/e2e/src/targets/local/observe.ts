import { createRegistry, parsePublicKeys } from '@multi-image/digest-chain';
import { type CommandResult, run } from '@multi-image/kit/commands';
import type { Progress } from '@multi-image/kit/progress';
import { builtDigest } from '../../judge/chain-view.ts';
import type { Observation, ObservedImage } from '../../judge/observation.ts';
import { scansOf } from '../../judge/scans.ts';
import { unobserved } from '../../look/look-at-images.ts';
import { observeImage } from '../../look/observe-image.ts';
import { prove, takeApart } from '../../look/prove.ts';
import { OWN_PROGRAM } from '../../look/run-images.ts';
import type { Janitor } from './janitor.ts';
import type { PipelineRuns } from './pipelines.ts';

export interface ObserveOptions {
  revision: string;
  runs: PipelineRuns;
  /** PEM: of the key that the runs were signed with. */
  publicKey: string;
  /** Arguments for `podman run`, as this machine needs them. */
  runArguments: readonly string[];
  janitor: Janitor;
  progress: Progress;
  signal: AbortSignal;
}

/**
 * Looks at everything the criteria are judged by, after the runs: the images with skopeo, their output with podman, the
 * links with digest-chain. Whatever is not there is part of what is seen; nothing of it throws.
 */
export async function observe(options: ObserveOptions): Promise<Observation> {
  const { runs, revision, progress } = options;
  const { chain, build, scanners } = runs;
  const registry = createRegistry({ signal: options.signal });
  const keys = parsePublicKeys(options.publicKey);
  const step = async (name: string, work: (image: ObservedImage) => Promise<boolean>): Promise<void> => {
    progress.started(name);
    const went = await Promise.all(images.map(work));
    progress.ended(name, went.every(Boolean) ? 'passed' : 'failed');
  };

  const images = chain.images.map((image) => unobserved(image, runs.localRepository(image.repository)));
  await step('look at the images', (image) => lookAt(image, options));
  await step('run the images', async (image) => {
    if (!image.origin.entrypoint?.includes(OWN_PROGRAM)) return true;
    image.output = await runImage(image, options);
    return image.output.exitCode === 0;
  });
  await step('verify the chain', async (image) => {
    if (image.embeddedBy.length === 0) return true;
    image.proof = await prove(registry, image, { prefix: chain.labelPrefix, revision, keys });
    if (chain.seal === 'label') image.unsealed = await takeApart(registry, image, chain.labelPrefix);
    return !('problem' in image.proof) && image.proof.every((check) => check.status !== 'failed');
  });
  return {
    revision,
    labelPrefix: chain.labelPrefix,
    seal: chain.seal,
    signer: 'stand-in',
    build,
    scanners,
    images,
    scans: [build, ...scanners.map((scanner) => scanner.run)].flatMap(scansOf),
  };
}

async function lookAt(image: ObservedImage, { runs, revision, signal }: ObserveOptions): Promise<boolean> {
  const { repository } = image;
  const digest = builtDigest(runs.build, image.name);
  [image.origin, image.published, image.latest] = await Promise.all([
    digest === undefined ? image.origin : observeImage(`${repository}@${digest}`, signal),
    observeImage(`${repository}:${revision}`, signal),
    observeImage(`${repository}:latest`, signal),
  ]);
  return image.published.digest !== undefined;
}

async function runImage(
  { published, origin, repository }: ObservedImage,
  options: ObserveOptions,
): Promise<CommandResult> {
  const { janitor, signal } = options;
  const exact = `${repository}@${published.digest ?? origin.digest}`;
  const name = `multi-image-${janitor.marker}-${exact.slice(-12)}`;
  janitor.remember({ kind: 'image', name: exact });
  janitor.remember({ kind: 'containers', prefix: name });
  const args = [
    'run',
    '--rm',
    // What a pull says is not what the image says.
    '--quiet',
    '--name',
    name,
    '--tls-verify=false',
    '--network',
    'none',
    ...options.runArguments,
    exact,
  ];
  try {
    return await run('podman', args, { signal, timeout: 120_000 });
  } finally {
    // It stays in the registry; here it was only to be run.
    await run('podman', ['rmi', '--force', exact]);
  }
}
