import { unseal, type VerificationKey, type VerifyOptions, verify } from '@multi-image/digest-chain';
import { LabelNames, parseReference, type Registry } from '@multi-image/digest-chain/oci';
import type { Progress } from '@multi-image/kit/progress';
import { type ChainPlan, namingFiles, type PlannedImage, releasedNames } from '@multi-image/manifests';
import { builtDigest, isPruned, isSealed, PRUNED_REASON, runsOf, taskOf } from '../judge/chain-view.ts';
import type { Observation, ObservedExternal, ObservedImage, RunFacts } from '../judge/observation.ts';
import { scansOf } from '../judge/scanned-and-signed.ts';
import { type ImageRunner, OWN_PROGRAM } from './run-images.ts';
import { codedReasonOf, unseen, viewImage } from './view-image.ts';

export interface ObserveOptions {
  readonly registry: Registry;
  readonly chain: ChainPlan;
  readonly revision: string;
  /** The PipelineRun that builds the chain. */
  readonly build: RunFacts;
  /** The PipelineRuns that hand an image to Konflux, with that image's role. */
  readonly scanners: Observation['scanners'];
  readonly keys: readonly VerificationKey[];
  readonly identities?: VerifyOptions['identities'];
  readonly signer: Observation['signer'];
  /** The builders that may have signed, where they are not a cluster's Chains. */
  readonly builders?: VerifyOptions['builders'];
  readonly runImage: ImageRunner;
  /** Of external images that are not what the config names: what they are, by role. */
  readonly external?: readonly Pick<ObservedExternal, 'role' | 'note' | 'standIn'>[] | undefined;
  /** Where an image of the chain is, if not in the repository that its config names. */
  readonly placeOf?: ((repository: string) => string) | undefined;
  readonly progress?: Pick<Progress, 'started' | 'ended'> | undefined;
}

/**
 * Looks at everything the criteria are judged by, after the runs: the images in their registry, what they print, and the
 * links between them. Whatever is not there is part of what is seen; nothing of it throws.
 */
export async function observe(options: ObserveOptions): Promise<Observation> {
  const { chain, revision, build, scanners, signer, progress } = options;
  const observer = new Observer(options);
  const step = async <Seen>(
    name: string,
    looks: readonly Promise<Seen>[],
    went: (seen: Seen) => boolean,
    wasSkipped: (seen: Seen) => boolean = () => false,
  ): Promise<readonly Seen[]> => {
    progress?.started(name);
    const seen = await Promise.all(looks);
    const skipped = chain.images.filter((_, index) => wasSkipped(seen[index] as Seen));
    if (skipped.length === 0) progress?.ended(name, seen.every(went) ? 'passed' : 'failed');
    else {
      const note = `not run: ${skipped.map((image) => image.name).join(', ')}`;
      progress?.ended(name, !seen.every(went) ? 'failed' : skipped.length === seen.length ? 'skipped' : 'passed', note);
    }
    return seen;
  };
  const looked = await step(
    'look at the images',
    chain.images.map((image) => observer.look(image)),
    ({ published }) => published.digest !== undefined,
  );
  // What they print says nothing of the links between them, nor the other way round.
  const [ran, proved] = await Promise.all([
    step(
      'run the images',
      looked.map((image, index) => observer.run(image, chain.images[index]?.run)),
      ({ output }) => output === undefined || 'problem' in output || output.exitCode === 0,
      ({ notRun }) => notRun !== undefined,
    ),
    step(
      'verify the chain',
      looked.map((image) => observer.prove(image)),
      ({ proof = [] }) => !('problem' in proof) && proof.every(({ status }) => status !== 'failed'),
    ),
  ]);
  const images = proved.map((image, index) => ({ ...image, ...ran[index] }));
  return {
    revision,
    labelNames: observer.names,
    signer,
    build,
    scanners,
    external: chain.external.map(({ role, image, argumentPrefix }) => {
      const { note, standIn } = options.external?.find((each) => each.role === role) ?? {};
      return { role, named: image, argumentPrefix, note, standIn };
    }),
    images,
    scans: runsOf({ build, scanners }).flatMap(scansOf),
  };
}

type ImageRun = Pick<ObservedImage, 'expected' | 'notRun' | 'output'>;

/** Looks at one image of a chain, step by step. */
class Observer {
  readonly names: LabelNames;
  readonly #options: ObserveOptions;

  constructor(options: ObserveOptions) {
    this.names = new LabelNames(options.chain.labelPrefix);
    this.#options = options;
  }

  async look(image: PlannedImage): Promise<ObservedImage> {
    const { registry, revision, build, placeOf = (repository) => repository } = this.#options;
    const repository = placeOf(image.repository);
    const [published, latest] = await Promise.all([
      viewImage(registry, `${repository}:${revision}`),
      viewImage(registry, `${repository}:latest`),
    ]);
    const seen = {
      role: image.role,
      name: image.name,
      repository,
      argumentPrefix: image.argumentPrefix,
      embeds: image.embeds.map(({ role }) => role),
      embedsExternal: image.embedsExternal.map(({ role }) => role),
      embeddedBy: image.embeddedBy.map(({ role }) => role),
      seal: image.seal,
      published,
      latest,
    };
    // Where the task that built it is gone, the image that is published may tell: nothing but a seal changes it.
    const digest =
      builtDigest(build, image.name) ?? (this.#isGone(seen) && !isSealed(seen) ? published.digest : undefined);
    return { ...seen, origin: await this.#origin(seen, digest) };
  }

  /** Runs an image that ends by itself: one whose config says how, or this template's own. */
  async run(image: ObservedImage, how: PlannedImage['run']): Promise<ImageRun> {
    const { digest, entrypoint = [] } = image.published.digest === undefined ? image.origin : image.published;
    if (digest === undefined) return { notRun: 'it is not there' };
    const reference = `${image.repository}@${digest}`;
    if (how === false) return { notRun: 'its config says run: false' };
    if (how !== undefined) {
      return { expected: how.expect ?? '', output: await this.#options.runImage(reference, how.args) };
    }
    if (entrypoint.includes(OWN_PROGRAM)) return { output: await this.#options.runImage(reference) };
    return {
      notRun: 'nobody knows whether it ends by itself: say how in its config, run: { args, expect }, or run: false',
    };
  }

  /** Verifies the chain behind an image that others embed, and takes its seal off. */
  async prove(image: ObservedImage): Promise<ObservedImage> {
    if (image.embeddedBy.length === 0 || image.seal === 'none') return image;
    const proof = await this.#verify(image);
    if (!isSealed(image)) return { ...image, proof };
    const told = this.#isGone(image) ? provedOrigin({ ...image, proof }, this.names) : undefined;
    const origin = told === undefined ? image.origin : await this.#origin(image, told);
    return { ...image, origin, proof, unsealed: await this.#takeApart({ ...image, origin }) };
  }

  async #verify({ published, role }: ObservedImage): Promise<ObservedImage['proof']> {
    const { registry, revision, keys, identities, builders, chain } = this.#options;
    const image = chain.images.find((each) => each.role === role);
    const files = image === undefined ? [] : namingFiles(image, chain);
    const released = new Map(
      [...releasedNames(chain)].map(([each, repository]) => [each, parseReference(repository)] as const),
    );
    const asked = { revision, keys, identities, builders, source: chain.gitUrl };
    const demands = { prefix: this.names.prefix, ...asked, files, released };
    try {
      return (await verify(registry, parseReference(published.reference), demands)).checks;
    } catch (error) {
      return { problem: codedReasonOf(error) };
    }
  }

  /** What is left of an image without its seal, beside what was built; undefined where nobody knows what was built. */
  async #takeApart({ published, origin }: ObservedImage): Promise<ObservedImage['unsealed']> {
    const { registry } = this.#options;
    try {
      const left = await unseal(registry, parseReference(published.reference), { prefix: this.names.prefix });
      if (origin.digest === undefined) return undefined;
      const built = await registry.getManifest(parseReference(origin.reference), origin.digest);
      const { digest, bytes } = left.origin.manifest;
      return { digest, bytesEqual: Buffer.compare(built.bytes, bytes) === 0 };
    } catch (error) {
      return { problem: codedReasonOf(error) };
    }
  }

  async #origin(
    image: Pick<ObservedImage, 'name' | 'repository'>,
    digest: string | undefined,
  ): Promise<ObservedImage['origin']> {
    const { repository } = image;
    if (digest !== undefined) return viewImage(this.#options.registry, `${repository}@${digest}`);
    return unseen(repository, this.#isGone(image) ? PRUNED_REASON : 'it was not built');
  }

  /** Whether the task that built it is gone. */
  #isGone({ name }: Pick<ObservedImage, 'name'>): boolean {
    const { build } = this.#options;
    return builtDigest(build, name) === undefined && isPruned(taskOf(build, `build-${name}`));
  }
}

/**
 * What an image was before it was sealed, where no task is there to say so: what its seal names, once that is proved to be
 * its very bytes without the seal.
 */
function provedOrigin({ role, published, proof }: ObservedImage, names: LabelNames): string | undefined {
  if (proof === undefined || 'problem' in proof) return undefined;
  const checks = proof.filter(({ id, role: about = role }) => id === 'origin-reconstructed' && about === role);
  if (checks.length === 0 || checks.some(({ status }) => status !== 'passed')) return undefined;
  return published.labels[names.sealedFrom];
}
