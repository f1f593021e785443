import { DEFAULT_PREFIX } from '@multi-image/digest-chain/oci';
import { parseDuration } from '@multi-image/kit/durations';
import { CHECKS, type ChainConfig, type ImageConfig } from '../config/schema.ts';
import { type PlannedExternal, planExternal } from './external.ts';
import { argumentPrefix, defaultName } from './names.ts';

/** An image with every default filled in and its edges followed. */
export interface PlannedImage
  extends Readonly<
    Required<Omit<ImageConfig, 'component' | 'embeds' | 'pullRequestExpiry' | 'releaseRepository' | 'run'>>
  > {
  readonly component: string | undefined;
  /** Another name of it, that files of others may use; the digest is the same. */
  readonly releaseRepository: string | undefined;
  /** How it is run to prove what it prints; undefined where the config does not say. */
  readonly run: ImageConfig['run'];
  /** Registry and repository, without a tag. */
  readonly repository: string;
  /** Images whose digests are baked into this one. */
  readonly embeds: readonly PlannedImage[];
  /** Images that have this one's digest baked in. An image that has any is linked back to them as its `seal` says. */
  readonly embeddedBy: readonly PlannedImage[];
  /** Images that were built elsewhere and whose digests are baked into this one. */
  readonly embedsExternal: readonly PlannedExternal[];
  /** Which of its files name an image that it embeds, by role. */
  readonly namedIn: readonly { readonly embeds: string; readonly in: readonly string[] }[];
  /** `IMAGE1`: the build arguments about this image are `IMAGE1_DIGEST` and `IMAGE1_URL`. */
  readonly argumentPrefix: string;
  /** Only where it differs from the chain's. */
  readonly pullRequestExpiry: string | undefined;
}

/** What a plan has of its config as it is there, or as it is by default. */
type Kept =
  | ('application' | 'displayName' | 'namespace' | 'registry' | 'labelPrefix' | 'imageFormat' | 'digestChain')
  | ('tasks' | 'release' | 'ownTasks')
  | ('pullRequestExpiry' | 'imageRepositories' | 'visibility' | 'pushSecret');

/** A checked config as the renderers read it. */
export interface ChainPlan extends Readonly<Required<Pick<ChainConfig, Kept>>> {
  readonly gitUrl: string;
  readonly branch: string;
  /** Runs pull requests, and pushes to repositories of their own; undefined where they run as pushes do. */
  readonly pullRequestAccount: string | undefined;
  /** By what Conforma judges releases; undefined where no policy is rendered. */
  readonly policy: ChainConfig['policy'];
  readonly buildSystem:
    | { readonly publicKey: string; readonly builderId: string | undefined; readonly waitFor: 'signed' | 'attested' }
    | undefined;
  /** Minutes. */
  readonly buildTimeout: number;
  /** Minutes, on top of the build's. */
  readonly checksTimeout: number;
  readonly external: readonly PlannedExternal[];
  /** In the order of the config. */
  readonly images: readonly PlannedImage[];
  readonly primary: PlannedImage;
  /** Every image after those that it embeds; otherwise in the order of the config. */
  readonly buildOrder: readonly PlannedImage[];
}

/** Fills in the defaults of a config that {@link checkConfig} let pass, and turns its roles into edges. */
export function planChain(config: ChainConfig): ChainPlan {
  const images = config.images.map((image, index) => resolveImage(image, index, config));
  const byRole = new Map(images.map((image) => [image.role, image]));
  const external = Object.entries(config.external ?? {}).map(([role, image]) => planExternal(role, image));
  for (const [index, image] of images.entries()) {
    for (const entry of config.images[index]?.embeds ?? []) {
      const { image: role, in: files } = typeof entry === 'string' ? { image: entry, in: [] } : entry;
      if (files.length > 0) image.namedIn.push({ embeds: role, in: files });
      const elsewhere = external.find((each) => each.role === role);
      if (elsewhere !== undefined) {
        image.embedsExternal.push(elsewhere);
        continue;
      }
      const embedded = byRole.get(role);
      if (embedded === undefined) throw new RangeError(`unchecked config: no image has the role ${role}`);
      image.embeds.push(embedded);
      embedded.embeddedBy.push(image);
    }
  }
  const [primary] = images;
  if (primary === undefined) throw new RangeError('unchecked config: no images');
  return {
    application: config.application,
    displayName: config.displayName ?? config.application,
    namespace: config.namespace,
    registry: config.registry,
    gitUrl: config.git.url,
    branch: config.git.branch ?? 'main',
    labelPrefix: config.labelPrefix ?? DEFAULT_PREFIX,
    // What nothing links is no chain, and would never be proved.
    release: primary.embeddedBy.length > 0 && primary.seal !== 'none' ? (config.release ?? 'chain') : 'components',
    imageFormat: config.imageFormat ?? 'oci',
    pullRequestExpiry: config.pullRequestExpiry ?? '5d',
    imageRepositories: config.imageRepositories ?? 'konflux',
    visibility: config.visibility ?? 'public',
    pushSecret: config.pushSecret ?? `${config.application}-push`,
    pullRequestAccount: config.pullRequestAccount,
    buildSystem: config.buildSystem && {
      publicKey: `${config.buildSystem.publicKey.trim()}\n`,
      builderId: config.buildSystem.builderId,
      waitFor: config.buildSystem.waitFor ?? 'signed',
    },
    tasks: config.tasks ?? {},
    ownTasks: config.ownTasks ?? 'source',
    policy: config.policy,
    buildTimeout: minutes(config.timeouts?.build ?? '2h'),
    checksTimeout: minutes(config.timeouts?.checks ?? '1h'),
    digestChain: config.digestChain ?? 'packages/digest-chain/src/cli.ts',
    external,
    images,
    primary,
    buildOrder: sortForBuilding(images),
  };
}

/**
 * Where the image of a pull request goes. With an account of their own, pull requests push to repositories of their own:
 * a registry's credentials are for a repository, never for a tag.
 */
export function pullRequestRepository({ repository }: PlannedImage, { pullRequestAccount }: ChainPlan): string {
  return pullRequestAccount === undefined ? repository : `${repository}-pull-requests`;
}

type Draft = PlannedImage & {
  embeds: PlannedImage[];
  embeddedBy: PlannedImage[];
  embedsExternal: PlannedExternal[];
  namedIn: { embeds: string; in: string[] }[];
};

function resolveImage(image: ImageConfig, index: number, config: ChainConfig): Draft {
  const name = image.name ?? defaultName(index);
  const checks = image.checks ?? config.checks ?? CHECKS;
  return {
    ...image,
    seal: image.seal ?? config.seal ?? 'label',
    name,
    component: image.component,
    run: image.run,
    serviceAccount: image.serviceAccount ?? `build-pipeline-${image.component ?? ''}`,
    repository: `${config.registry}/${image.repository}`,
    context: image.context ?? '.',
    embeds: [],
    embeddedBy: [],
    embedsExternal: [],
    namedIn: [],
    argumentPrefix: argumentPrefix(name),
    buildArgs: image.buildArgs ?? {},
    hermetic: image.hermetic ?? true,
    prefetch: image.prefetch ?? [],
    platforms: image.platforms ?? [],
    pullRequestExpiry: image.pullRequestExpiry,
    releaseRepository: image.releaseRepository,
    checks: CHECKS.filter((check) => checks.includes(check)),
  };
}

function sortForBuilding(images: readonly PlannedImage[]): PlannedImage[] {
  const waitsFor = new Map(images.map((image) => [image, image.embeds.length]));
  // The list grows while it is gone through: by each image of which everything that it embeds is in it.
  const order = images.filter((image) => image.embeds.length === 0);
  for (const { embeddedBy } of order) {
    for (const image of embeddedBy) {
      const left = (waitsFor.get(image) ?? 0) - 1;
      waitsFor.set(image, left);
      if (left === 0) order.push(image);
    }
  }
  return order;
}

function minutes(duration: string): number {
  return (parseDuration(duration) ?? 0) / 60_000;
}
