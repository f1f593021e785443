import { type AttestedImage, checkAttestations } from '../attestation/checks.ts';
import { EvidenceReader } from '../attestation/evidence.ts';
import type { VerificationKey } from '../attestation/keys.ts';
import type { Check } from '../check.ts';
import type { Registry } from '../registry/registry.ts';
import { isIndex } from '../seal/image-index.ts';
import type { ChainMember, LinkProof } from './proof.ts';

/** The checks of level `attested`, on top of a proof of level `linked` that holds. */
export function proveAttested(
  registry: Registry,
  proof: LinkProof,
  keys: readonly VerificationKey[],
): Promise<readonly Check[]> {
  return checkAttestations(new EvidenceReader(registry, keys), proof.members.map(toAttested));
}

function toAttested({ role, repository, tree, origin, embeds }: ChainMember): AttestedImage {
  const index = isIndex(origin.manifest.mediaType);
  return {
    role,
    repository,
    manifest: tree.manifest,
    origin: origin.manifest.digest,
    built: index ? origin.images.map((image) => image.manifest.digest) : [origin.manifest.digest],
    embeds,
  };
}
