import { DEFAULT_PREFIX } from '@multi-image/digest-chain/oci';
import { parseDuration } from '@multi-image/kit/durations';
import type { ChainConfig, ImageConfig, KonfluxCheck } from '../config/schema.ts';
import { CHECKS } from '../config/schema.ts';
import { argumentPrefix, defaultName } from './names.ts';

/** An image with every default filled in and its edges followed. */
export interface PlannedImage {
  readonly role: string;
  readonly name: string;
  readonly component: string | undefined;
  readonly serviceAccount: string;
  /** Registry and repository, without a tag. */
  readonly repository: string;
  readonly containerfile: string;
  readonly context: string;
  /** Images whose digests are baked into this one. */
  readonly embeds: readonly PlannedImage[];
  /** Images that have this one's digest baked in. An image that has any is sealed with theirs. */
  readonly embeddedBy: readonly PlannedImage[];
  /** `IMAGE1`: the build arguments about this image are `IMAGE1_DIGEST` and `IMAGE1_URL`. */
  readonly argumentPrefix: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly hermetic: boolean;
  readonly prefetch: NonNullable<ImageConfig['prefetch']>;
  readonly platforms: readonly string[];
  /** Only where it differs from the chain's. */
  readonly pullRequestExpiry: string | undefined;
  readonly checks: readonly KonfluxCheck[];
}

/** A checked config as the renderers read it. */
export interface ChainPlan {
  readonly application: string;
  readonly displayName: string;
  readonly namespace: string;
  readonly registry: string;
  readonly gitUrl: string;
  readonly branch: string;
  readonly labelPrefix: string;
  readonly seal: 'label' | 'referrer';
  readonly imageFormat: 'oci' | 'docker';
  readonly pullRequestExpiry: string;
  readonly imageRepositories: 'konflux' | 'own';
  readonly visibility: 'public' | 'private';
  readonly pushSecret: string;
  /** Runs pull requests, and pushes to repositories of their own; undefined where they run as pushes do. */
  readonly pullRequestAccount: string | undefined;
  readonly buildSystem:
    | { readonly publicKey: string; readonly builderId: string | undefined; readonly waitFor: 'signed' | 'attested' }
    | undefined;
  /** Minutes. */
  readonly buildTimeout: number;
  /** Minutes, on top of the build's. */
  readonly checksTimeout: number;
  readonly digestChain: string;
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
  for (const [index, image] of images.entries()) {
    for (const role of config.images[index]?.embeds ?? []) {
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
    seal: config.seal ?? 'label',
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
    buildTimeout: minutes(config.timeouts?.build ?? '2h'),
    checksTimeout: minutes(config.timeouts?.checks ?? '1h'),
    digestChain: config.digestChain ?? 'packages/digest-chain/src/cli.ts',
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

type Draft = PlannedImage & { embeds: PlannedImage[]; embeddedBy: PlannedImage[] };

function resolveImage(image: ImageConfig, index: number, config: ChainConfig): Draft {
  const name = image.name ?? defaultName(index);
  const checks = image.checks ?? config.checks ?? CHECKS;
  return {
    role: image.role,
    name,
    component: image.component,
    serviceAccount: image.serviceAccount ?? `build-pipeline-${image.component ?? ''}`,
    repository: `${config.registry}/${image.repository}`,
    containerfile: image.containerfile,
    context: image.context ?? '.',
    embeds: [],
    embeddedBy: [],
    argumentPrefix: argumentPrefix(name),
    buildArgs: image.buildArgs ?? {},
    hermetic: image.hermetic ?? true,
    prefetch: image.prefetch ?? [],
    platforms: image.platforms ?? [],
    pullRequestExpiry: image.pullRequestExpiry,
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
