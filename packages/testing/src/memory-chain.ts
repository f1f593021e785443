import { seal } from '@multi-image/digest-chain';
import {
  type Digest,
  parseDigestReference,
  parseReference,
  parseTagReference,
  type Registry,
} from '@multi-image/digest-chain/oci';
import type { SealedChain } from './attested-chain.ts';
import { REVISION } from './chain.ts';
import { configOf, imageOf } from './image.ts';
import { attestImage, type Signer, signImage } from './signer.ts';

export interface MemoryChainOptions {
  /** Labels beside, or in place of, those that Containerfiles write; one that is `undefined` is left out. */
  readonly labels1?: Readonly<Record<string, string | undefined>>;
  readonly labels2?: (chain: { origin: Digest; image1: string }) => Readonly<Record<string, string | undefined>>;
  /** The whole environment of Image 2. */
  readonly env2?: (chain: { origin: Digest; image1: string }) => readonly string[];
  /** A third image that embeds Image 1 as well, of this role. */
  readonly third?: string;
}

export interface MemoryChain extends SealedChain {
  readonly third: { readonly image: string; readonly digest: Digest } | undefined;
}

/** Pushes a chain, seals its Image 1 and publishes it under the revision, without a chain statement. */
export async function memoryChain(
  registry: Registry,
  name: string,
  options: MemoryChainOptions = {},
): Promise<MemoryChain> {
  const [image1, image2, image3] = ['image1', 'image2', 'image3'].map(
    (image) => `registry.example/${name}/${image}`,
  ) as [string, string, string];
  const revision = { 'org.opencontainers.image.revision': REVISION };
  const origin = await push(registry, `${image1}:${REVISION}-unsealed`, { ...revision, name, ...options.labels1 }, []);
  const url = `${image1}@${origin}`;
  const embeds = { 'io.konflux.poc.primary-image.digest': origin, 'io.konflux.poc.primary-image.url': url };
  const env = options.env2?.({ origin, image1 }) ?? [`IMAGE1_DIGEST=${origin}`, `IMAGE1_URL=${url}`];
  const labels2 = { ...embeds, ...revision, ...options.labels2?.({ origin, image1 }) };
  const metadata = await push(registry, `${image2}:${REVISION}`, labels2, env);
  const links = [{ role: 'metadata', image: parseDigestReference(`${image2}:${REVISION}@${metadata}`) }];
  let third: MemoryChain['third'];
  if (options.third !== undefined) {
    const digest = await push(registry, `${image3}:${REVISION}`, { ...embeds, ...revision, third: 'yes' }, env);
    third = { image: image3, digest };
    links.push({ role: options.third, image: parseDigestReference(`${image3}:${REVISION}@${digest}`) });
  }
  const tag = parseTagReference(`${image1}:${REVISION}`);
  const published = { tag, check: false, statement: false } as const;
  const { digest: sealed } = await seal(registry, parseDigestReference(`${image1}@${origin}`), links, published);
  return { image1, image2, origin, metadata, sealed, third };
}

/** A document to attach: a statement to be signed, or what is pushed as it is. */
export interface MemoryDocument {
  readonly image: string;
  readonly digest: Digest;
  readonly statement: object;
}

/** Signs all published images, and pushes statements where each says; those of one image share a tag, as with Chains. */
export async function signChain(
  registry: Registry,
  chain: MemoryChain,
  signer: Signer,
  documents: readonly MemoryDocument[],
): Promise<void> {
  const images = [
    { image: chain.image1, digest: chain.sealed },
    { image: chain.image2, digest: chain.metadata },
    ...(chain.third === undefined ? [] : [chain.third]),
  ];
  for (const { image, digest } of images) await signImage(registry, image, digest, signer);
  const places = new Map<string, MemoryDocument[]>();
  for (const document of documents) {
    const key = `${document.image}@${document.digest}`;
    places.set(key, [...(places.get(key) ?? []), document]);
  }
  for (const all of places.values()) {
    const [{ image, digest } = { image: '', digest: chain.sealed }] = all;
    const statements = all.map(({ statement }) => statement);
    await attestImage(registry, image, digest, signer, statements);
  }
}

async function push(
  registry: Registry,
  reference: string,
  labels: Readonly<Record<string, string | undefined>>,
  Env: readonly string[],
): Promise<Digest> {
  const place = parseReference(reference);
  const config = configOf(JSON.stringify({ Env, Labels: labels }));
  const { manifest } = imageOf(config);
  await registry.putBlob(place, config);
  await registry.putManifest(place, place.tag ?? 'latest', manifest);
  return manifest.digest;
}
