import { seal } from '@multi-image/digest-chain';
import {
  attachmentTag,
  createRegistry,
  type Digest,
  parseDigestReference,
  parseReference,
  parseTagReference,
  type Registry,
  SIMPLE_SIGNING,
} from '@multi-image/digest-chain/oci';
import { configOf, imageOf } from '@multi-image/testing/image';
import { annotationsOf, bundleOf, type KeylessInstance } from '@multi-image/testing/keyless-signer';
import { gitMaterial, provenanceV02 } from '@multi-image/testing/provenance';
import { attestImage, pushSigned, type Signer, signImage, simpleSigning } from '@multi-image/testing/signer';
import { reachElsewhere } from '../look/connect.ts';

/** A registry client for which `quay.io` is the test's registry: Konflux' references have no port. */
export function quayAt(host: string): Registry {
  return reachElsewhere(createRegistry(), 'quay.io', host);
}

/** What a run of the pipelines leaves in the registry. */
export interface PublishedChain {
  image1: string;
  image2: string;
  origin: Digest;
  sealed: Digest;
  metadata: Digest;
  revision: string;
}

/** Pushes, seals and tags a chain as the pipelines do. */
export async function publishChain(registry: Registry, repository: string, revision: string): Promise<PublishedChain> {
  const image1 = `${repository}-image1`;
  const image2 = `${repository}-image2`;
  const push = async (reference: string, config: object): Promise<Digest> => {
    const place = parseReference(reference);
    const bytes = configOf(JSON.stringify(config));
    const { manifest } = imageOf(bytes);
    await registry.putBlob(place, bytes);
    await registry.putManifest(place, place.tag ?? 'latest', manifest);
    return manifest.digest as Digest;
  };
  const source = { 'org.opencontainers.image.revision': revision };
  const origin = await push(`${image1}:${revision}-unsealed`, { Labels: source });
  const url = `${image1}@${origin}`;
  const metadata = await push(`${image2}:${revision}`, {
    Env: [`IMAGE1_DIGEST=${origin}`, `IMAGE1_URL=${url}`],
    Labels: { ...source, 'io.konflux.poc.primary-image.digest': origin, 'io.konflux.poc.primary-image.url': url },
  });
  const linked = { role: 'metadata', image: parseDigestReference(`${image2}:${revision}@${metadata}`) };
  const tag = parseTagReference(`${image1}:${revision}`);
  const { digest: sealed } = await seal(registry, parseDigestReference(url), [linked], { tag });
  for (const image of [image2, image1]) {
    const place = parseReference(image);
    await registry.putManifest(place, 'latest', await registry.getManifest(place, revision));
  }
  return { image1, image2, origin, sealed: sealed as Digest, metadata, revision };
}

/** Signs and attests as Tekton Chains does. */
export async function signChain(
  registry: Registry,
  chain: PublishedChain,
  signer: Signer,
  source: string = 'https://github.com/acme/chain',
): Promise<void> {
  const tasks = [
    { name: 'build-image-1', params: { BUILD_ARGS: [] }, results: { IMAGE_DIGEST: chain.origin } },
    {
      name: 'build-image-2',
      params: { BUILD_ARGS: [`IMAGE1_DIGEST=${chain.origin}`, `IMAGE1_URL=${chain.image1}@${chain.origin}`] },
      results: { IMAGE_DIGEST: chain.metadata },
    },
    { name: 'label-image-1', results: { IMAGE_DIGEST: chain.sealed } },
  ];
  const materials = [gitMaterial(source, chain.revision)];
  const statement = provenanceV02([chain.sealed, chain.origin, chain.metadata], tasks, { materials });
  for (const [image, digest] of [
    [chain.image1, chain.sealed],
    [chain.image2, chain.metadata],
  ] as const) {
    await signImage(registry, image, digest, signer);
    await attestImage(registry, image, digest, signer, [statement]);
  }
}

/** Signs with certificates what was signed with a key, in its place. */
export async function signByCertificate(
  registry: Registry,
  chain: PublishedChain,
  instance: KeylessInstance,
): Promise<void> {
  await signAgain(registry, instance, chain.image1, chain.sealed);
  await signAgain(registry, instance, chain.image2, chain.metadata);
}

async function signAgain(registry: Registry, instance: KeylessInstance, image: string, digest: Digest): Promise<void> {
  const place = parseReference(image);
  const { bytes: manifest } = await registry.getManifest(place, attachmentTag(digest, 'att'));
  const [layer] = JSON.parse(Buffer.from(manifest).toString()).layers;
  const { payload, payloadType } = JSON.parse(Buffer.from(await registry.getBlob(place, layer)).toString());
  const content = { payloadType, payload: Buffer.from(payload, 'base64') };
  const bundle = bundleOf(await instance.signEnvelope(payloadType, content.payload), content);
  await pushSigned(registry, place, attachmentTag(digest, 'att'), [
    { mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json', bytes: Buffer.from(JSON.stringify(bundle)) },
  ]);
  const bytes = simpleSigning(digest);
  const annotations = annotationsOf(await instance.sign(bytes));
  await pushSigned(registry, place, attachmentTag(digest, 'sig'), [{ mediaType: SIMPLE_SIGNING, bytes, annotations }]);
}
