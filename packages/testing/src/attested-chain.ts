import { seal } from '@multi-image/digest-chain';
import { createRegistry, type Digest, parseDigestReference, parseTagReference } from '@multi-image/digest-chain/oci';
import { REVISION, type TestChain } from './chain.ts';
import { ONES } from './image.ts';
import { SOURCE, type TestTask } from './provenance.ts';
import { pushChain } from './pushed-chain.ts';
import { attestImage, type Signer, signImage } from './signer.ts';

export interface SealedChain extends TestChain {
  readonly sealed: Digest;
}

const registry = createRegistry();

/** Pushes a chain and seals its Image 1. */
export async function sealedChain(host: string, name: string, platforms?: readonly string[]): Promise<SealedChain> {
  const chain = await pushChain(host, name, platforms === undefined ? {} : { platforms });
  const linked = { role: 'metadata', image: parseDigestReference(`${chain.image2}:${REVISION}@${chain.metadata}`) };
  const tag = parseTagReference(`${chain.image1}:${REVISION}`);
  const origin = parseDigestReference(`${chain.image1}@${chain.origin}`);
  const { digest } = await seal(registry, origin, [linked], { tag });
  return { ...chain, sealed: digest };
}

/** The tasks of the run that built the chain. */
export function tasksOf(chain: SealedChain, buildArgs: readonly string[]): readonly TestTask[] {
  return [
    {
      name: 'clone-repository',
      params: { url: SOURCE },
      results: { 'CHAINS-GIT_URL': SOURCE, 'CHAINS-GIT_COMMIT': REVISION, SOURCE_ARTIFACT },
    },
    {
      name: 'build-image-1',
      params: { BUILD_ARGS: [], SOURCE_ARTIFACT },
      results: { IMAGE_URL: chain.image1, IMAGE_DIGEST: chain.origin },
    },
    {
      name: 'build-image-2',
      params: { BUILD_ARGS: buildArgs, SOURCE_ARTIFACT },
      results: { IMAGE_URL: chain.image2, IMAGE_DIGEST: chain.metadata },
    },
    { name: 'label-image-1', results: { IMAGE_URL: chain.image1, IMAGE_DIGEST: chain.sealed } },
    // A task that passes the digest on, as an index or a scanner does, is no build.
    { name: 'scan-image-2', params: { 'image-digest': chain.metadata }, results: { IMAGE_DIGEST: chain.metadata } },
  ];
}

const SOURCE_ARTIFACT = `oci:registry.example/source@${ONES}`;

/** What the build of Image 2 is called with. */
export const buildArgsOf = (chain: SealedChain): string[] => [
  `IMAGE1_DIGEST=${chain.origin}`,
  `IMAGE1_URL=${chain.image1}@${chain.origin}`,
];

/** Pushes a signature of an image. */
export const sign = (image: string, digest: Digest, by: Signer, payload?: Uint8Array): Promise<void> =>
  signImage(registry, image, digest, by, payload);

/** Signs both published images of a chain. */
export async function signBoth(chain: SealedChain, by: Signer): Promise<void> {
  await sign(chain.image1, chain.sealed, by);
  await sign(chain.image2, chain.metadata, by);
}

/** Pushes signed statements about an image, in place of those that were there. */
export const attest = (image: string, digest: Digest, by: Signer, ...statements: readonly object[]): Promise<void> =>
  attestImage(registry, image, digest, by, statements);
