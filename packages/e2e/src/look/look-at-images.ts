import {
  type Digest,
  parseReference,
  type RawManifest,
  type Registry,
  type VerificationKey,
} from '@multi-image/digest-chain';
import type { ChainPlan, PlannedImage } from '@multi-image/manifests';
import { builtDigest, isPruned, PRUNED_REASON, taskOf } from '../judge/chain-view.ts';
import type { ImageView, ObservedImage, RunFacts } from '../judge/observation.ts';
import { childrenOf, unseen, viewOf } from './image-facts.ts';
import { problemOf, prove, provedOrigin, takeApart } from './prove.ts';

export interface LookOptions {
  registry: Registry;
  chain: ChainPlan;
  revision: string;
  build: RunFacts;
  keys: readonly VerificationKey[];
}

/** Looks at the images of a chain in their registry and proves the links; what is not there is part of what is seen. */
export function lookAtImages({ registry, chain, revision, build, keys }: LookOptions): Promise<ObservedImage[]> {
  const { labelPrefix: prefix } = chain;
  return Promise.all(
    chain.images.map(async (image): Promise<ObservedImage> => {
      const observed = unobserved(image, image.repository);
      [observed.published, observed.latest] = await Promise.all([
        viewImage(registry, `${image.repository}:${revision}`),
        viewImage(registry, `${image.repository}:latest`),
      ]);
      const isSealed = observed.embeddedBy.length > 0 && chain.seal === 'label';
      if (observed.embeddedBy.length > 0) {
        observed.proof = await prove(registry, observed, { prefix, revision, keys });
      }
      const gone = isPruned(taskOf(build, `build-${image.name}`));
      // Where the task that built it is gone, the image that is published may tell: nothing but a seal changes it.
      const told = isSealed ? provedOrigin(observed, prefix) : observed.published.digest;
      const digest = builtDigest(build, image.name) ?? (gone ? told : undefined);
      if (digest !== undefined) observed.origin = await viewImage(registry, `${image.repository}@${digest}`);
      else if (gone) observed.origin = unseen(image.repository, PRUNED_REASON);
      if (isSealed) observed.unsealed = await takeApart(registry, observed, prefix);
      return observed;
    }),
  );
}

/** An image of the chain of which nothing was seen yet. */
export function unobserved(image: PlannedImage, repository: string): ObservedImage {
  const nothing = unseen(repository, 'it was not built');
  return {
    role: image.role,
    name: image.name,
    repository,
    argumentPrefix: image.argumentPrefix,
    embeds: image.embeds.map(({ role }) => role),
    embeddedBy: image.embeddedBy.map(({ role }) => role),
    origin: nothing,
    published: nothing,
    latest: nothing,
  };
}

/** An image as the registry has it; of an index, every platform. */
async function viewImage(registry: Registry, reference: string): Promise<ImageView> {
  try {
    const place = parseReference(reference);
    const manifest = await registry.getManifest(place, place.digest ?? place.tag ?? 'latest');
    const children = childrenOf(text(manifest.bytes));
    const manifests: readonly RawManifest[] =
      children === undefined
        ? [manifest]
        : await Promise.all(children.map(({ digest }) => registry.getManifest(place, digest as Digest)));
    const configs = await Promise.all(
      manifests.map(async ({ bytes }) => text(await registry.getBlob(place, JSON.parse(text(bytes)).config))),
    );
    return viewOf(reference, manifest.digest, children, configs);
  } catch (error) {
    return unseen(reference, problemOf(error));
  }
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}
