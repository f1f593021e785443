import { createRegistry, parseReference, unseal, verify } from '@multi-image/digest-chain';
import { type CommandResult, run } from './command.ts';
import type { ImageView, Observation, ProofCheck, RunFacts } from './criteria/observation.ts';
import type { Janitor } from './janitor.ts';
import { observeImage } from './observe-image.ts';
import type { Progress } from './report/progress.ts';

export interface ObserveOptions {
  revision: string;
  labelPrefix: string;
  /** Repositories without tag. */
  primary: string;
  metadata: string;
  build: RunFacts;
  scanner: RunFacts;
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
  const { build, scanner, primary, metadata, revision, labelPrefix, progress, signal } = options;
  const originDigest = resultOf(build, 'build-image-1');
  const builtDigest = resultOf(build, 'build-image-2');
  const view = (repository: string, digest: string | undefined): Promise<ImageView> =>
    digest === undefined
      ? Promise.resolve({ reference: repository, labels: {}, env: {}, problem: 'it was not built' })
      : observeImage(`${repository}@${digest}`, signal);

  progress.started('look at the images');
  const [origin, sealed, primaryLatest, built, metadataLatest] = await Promise.all([
    view(primary, originDigest),
    observeImage(`${primary}:${revision}`, signal),
    observeImage(`${primary}:latest`, signal),
    view(metadata, builtDigest),
    observeImage(`${metadata}:latest`, signal),
  ]);
  progress.ended('look at the images', 'passed');

  progress.started('run both images');
  const outputs = await Promise.all([
    runImage(sealed.digest === undefined ? origin : sealed, options),
    runImage(built, options),
  ]);
  progress.ended('run both images', outputs.every((output) => output.exitCode === 0) ? 'passed' : 'failed');

  progress.started('verify the chain');
  const sealedReference = `${primary}:${revision}`;
  const [unsealed, proof] = await Promise.all([
    takeApart(sealedReference, origin, labelPrefix),
    prove(sealedReference, options),
  ]);
  const holds = !('problem' in unsealed) && !('problem' in proof) && proof.every((check) => check.status !== 'failed');
  progress.ended('verify the chain', holds ? 'passed' : 'failed');

  return {
    revision,
    labelPrefix,
    build,
    scanner,
    primary: { repository: primary, origin, sealed, latest: primaryLatest, output: outputs[0] },
    metadata: { repository: metadata, built, latest: metadataLatest, output: outputs[1] },
    unsealed,
    proof,
    scans: [build, scanner].flatMap(scansOf),
  };
}

async function runImage(image: ImageView, options: ObserveOptions): Promise<CommandResult> {
  const nothing = {
    exitCode: 125,
    stdout: '',
    stderr: image.problem ?? 'there is no image',
    stdoutBytes: new Uint8Array(),
  };
  if (image.digest === undefined) return nothing;
  const { janitor, signal } = options;
  const name = `multi-image-${janitor.marker}-${image.digest.slice(7, 19)}`;
  const exact = `${image.reference.replace(/[:@][^/]*$/, '')}@${image.digest}`;
  janitor.remember({ kind: 'image', name: exact });
  janitor.remember({ kind: 'containers', prefix: name });
  const args = [
    'run',
    '--rm',
    '--name',
    name,
    '--tls-verify=false',
    '--network',
    'none',
    ...options.runArguments,
    exact,
  ];
  return run('podman', args, { signal, timeout: 120_000 });
}

async function takeApart(reference: string, origin: ImageView, prefix: string): Promise<Observation['unsealed']> {
  try {
    const registry = createRegistry();
    const { origin: rebuilt } = await unseal(registry, parseReference(reference), { prefix });
    const { manifest } = rebuilt;
    if (origin.digest === undefined) return { digest: manifest.digest, bytesEqual: false };
    const original = await registry.getManifest(parseReference(origin.reference), origin.digest);
    return { digest: manifest.digest, bytesEqual: Buffer.compare(original.bytes, manifest.bytes) === 0 };
  } catch (error) {
    return { problem: problemOf(error) };
  }
}

async function prove(reference: string, { labelPrefix, revision }: ObserveOptions): Promise<Observation['proof']> {
  try {
    const { checks } = await verify(createRegistry(), parseReference(reference), { prefix: labelPrefix, revision });
    return checks.map(
      ({ id, status, evidence, expected, found }): ProofCheck => ({ id, status, text: evidence, expected, found }),
    );
  } catch (error) {
    return { problem: problemOf(error) };
  }
}

function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? `${error.code}: ${error.message}` : error.message;
}

function resultOf(run: RunFacts, task: string): string | undefined {
  const digest = run.tasks.find((entry) => entry.name === task)?.results.IMAGE_DIGEST;
  return typeof digest === 'string' && digest !== '' ? digest : undefined;
}

/** What Konflux' check tasks said: their result TEST_OUTPUT is JSON with `result` and, as the reason, `note`. */
function scansOf(run: RunFacts): Observation['scans'] {
  return run.tasks.flatMap(({ name, results }) => {
    if (typeof results.TEST_OUTPUT !== 'string') return [];
    try {
      const { result, note } = JSON.parse(results.TEST_OUTPUT);
      return [{ run: run.name, task: name, result: String(result), note: String(note ?? '') }];
    } catch {
      return [{ run: run.name, task: name, result: 'ERROR', note: 'its TEST_OUTPUT is not JSON' }];
    }
  });
}
