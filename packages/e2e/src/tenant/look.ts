import {
  DigestChainError,
  parseReference,
  type Registry,
  unseal,
  type VerificationKey,
  verify,
} from '@multi-image/digest-chain';
import type { Chain } from '@multi-image/manifests';
import { builtDigest } from '../criteria/criteria.ts';
import type { ImageView, ObservedImage, ProofCheck, RunFacts } from '../criteria/observation.ts';

export interface LookOptions {
  registry: Registry;
  chain: Chain;
  revision: string;
  build: RunFacts;
  keys: readonly VerificationKey[];
}

/** Looks at the images of a chain in their registry and proves the links; what is not there is part of what is seen. */
export function lookAtImages(options: LookOptions): Promise<ObservedImage[]> {
  const { registry, chain, revision, build, keys } = options;
  return Promise.all(
    chain.images.map(async (image): Promise<ObservedImage> => {
      const { repository } = image;
      const digest = builtDigest(build, image.name);
      const [origin, published, latest] = await Promise.all([
        digest === undefined ? missing(repository, 'it was not built') : viewImage(registry, `${repository}@${digest}`),
        viewImage(registry, `${repository}:${revision}`),
        viewImage(registry, `${repository}:latest`),
      ]);
      const observed: ObservedImage = {
        role: image.role,
        name: image.name,
        repository,
        argumentPrefix: image.argumentPrefix,
        embeds: image.embeds.map(({ role }) => role),
        embeddedBy: image.embeddedBy.map(({ role }) => role),
        origin,
        published,
        latest,
      };
      if (observed.embeddedBy.length > 0) {
        observed.proof = await prove(registry, published.reference, { prefix: chain.labelPrefix, revision, keys });
        if (chain.seal === 'label') observed.unsealed = await takeApart(registry, observed, chain.labelPrefix);
      }
      return observed;
    }),
  );
}

/** An image as the registry has it. */
export async function viewImage(registry: Registry, reference: string): Promise<ImageView> {
  try {
    const place = parseReference(reference);
    const manifest = await registry.getManifest(place, place.digest ?? place.tag ?? 'latest');
    let document = JSON.parse(Buffer.from(manifest.bytes).toString());
    if (Array.isArray(document.manifests)) {
      const child = await registry.getManifest(place, document.manifests[0]?.digest ?? '');
      document = JSON.parse(Buffer.from(child.bytes).toString());
    }
    const config = JSON.parse(Buffer.from(await registry.getBlob(place, document.config)).toString()).config ?? {};
    const env: string[] = config.Env ?? [];
    return {
      reference,
      digest: manifest.digest,
      labels: config.Labels ?? {},
      entrypoint: config.Entrypoint ?? [],
      env: Object.fromEntries(env.map((entry) => [entry.split('=', 1)[0] ?? '', entry.slice(entry.indexOf('=') + 1)])),
    };
  } catch (error) {
    return missing(reference, problemOf(error));
  }
}

function missing(reference: string, problem: string): ImageView {
  return { reference, labels: {}, env: {}, problem };
}

async function prove(
  registry: Registry,
  reference: string,
  options: { prefix: string; revision: string; keys: readonly VerificationKey[] },
): Promise<readonly ProofCheck[] | { problem: string }> {
  try {
    const { checks } = await verify(registry, parseReference(reference), options);
    return checks.map(({ id, status, evidence, expected, found }) => ({ id, status, text: evidence, expected, found }));
  } catch (error) {
    return { problem: problemOf(error) };
  }
}

async function takeApart(
  registry: Registry,
  { published, origin }: ObservedImage,
  prefix: string,
): Promise<ObservedImage['unsealed']> {
  try {
    const { manifest } = (await unseal(registry, parseReference(published.reference), { prefix })).origin;
    if (origin.digest === undefined) return { digest: manifest.digest, bytesEqual: false };
    const original = await registry.getManifest(parseReference(origin.reference), origin.digest);
    return { digest: manifest.digest, bytesEqual: Buffer.compare(original.bytes, manifest.bytes) === 0 };
  } catch (error) {
    return { problem: problemOf(error) };
  }
}

function problemOf(error: unknown): string {
  if (error instanceof DigestChainError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
