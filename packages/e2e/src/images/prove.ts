import { parseReference, type Registry, unseal, type VerificationKey, verify } from '@multi-image/digest-chain';
import type { ObservedImage, ProofCheck } from '../criteria/observation.ts';

/** Verifies the chain behind an image that is published; that nothing could be verified is part of what is seen. */
export async function prove(
  registry: Registry,
  { published }: ObservedImage,
  options: { prefix: string; revision: string; keys: readonly VerificationKey[] },
): Promise<readonly ProofCheck[] | { problem: string }> {
  try {
    const { checks } = await verify(registry, parseReference(published.reference), options);
    return checks.map(({ evidence, id, role, status, expected, found }) => ({
      id,
      role,
      status,
      text: evidence,
      expected,
      found,
    }));
  } catch (error) {
    return { problem: problemOf(error) };
  }
}

/** Takes the seal off an image that is published, and compares what is left with the image as it was built. */
export async function takeApart(
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

/** What went wrong, with its code where it has one. */
export function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? `${error.code}: ${error.message}` : error.message;
}
