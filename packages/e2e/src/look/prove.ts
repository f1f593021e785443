import { parseReference, type Registry, unseal, type VerificationKey, verify } from '@multi-image/digest-chain';
import type { ObservedImage, ProofCheck } from '../judge/observation.ts';

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

/**
 * Takes the seal off an image that is published, and compares what is left with the image as it was built; undefined where
 * nobody knows what was built.
 */
export async function takeApart(
  registry: Registry,
  { published, origin }: ObservedImage,
  prefix: string,
): Promise<ObservedImage['unsealed']> {
  try {
    const { manifest } = (await unseal(registry, parseReference(published.reference), { prefix })).origin;
    if (origin.digest === undefined) return undefined;
    const original = await registry.getManifest(parseReference(origin.reference), origin.digest);
    return { digest: manifest.digest, bytesEqual: Buffer.compare(original.bytes, manifest.bytes) === 0 };
  } catch (error) {
    return { problem: problemOf(error) };
  }
}

/**
 * What an image was before it was sealed, where no task is there to say so: what its seal names, once that is proved to be
 * its very bytes without the seal.
 */
export function provedOrigin({ role, published, proof }: ObservedImage, prefix: string): string | undefined {
  if (proof === undefined || 'problem' in proof) return undefined;
  const checks = proof.filter(({ id, role: about = role }) => id === 'origin-reconstructed' && about === role);
  if (checks.length === 0 || checks.some(({ status }) => status !== 'passed')) return undefined;
  return published.labels[`${prefix}.sealed-from.digest`];
}

/** What went wrong, with its code where it has one. */
export function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? `${error.code}: ${error.message}` : error.message;
}
