import { checkAttestations } from '../attestation/checks.ts';
import { EvidenceReader } from '../attestation/evidence.ts';
import type { VerificationKey } from '../attestation/keys.ts';
import type { Check } from '../check.ts';
import type { Registry } from '../registry/registry.ts';
import type { LinkProof } from './proof.ts';

/** The checks of level `attested`, on top of a proof of level `linked` that holds. */
export function proveAttested(
  registry: Registry,
  proof: LinkProof,
  keys: readonly VerificationKey[],
): Promise<readonly Check[]> {
  return checkAttestations(new EvidenceReader(registry, keys), proof.members);
}
