import { builtDigest, byRole, knownDigest } from './chain-view.ts';
import { type Evidence, equal, failed, skipped } from './criterion.ts';
import type { Observation, ObservedImage } from './observation.ts';
import { ATTESTED, proofChecks } from './proof-evidence.ts';
import { title } from './wording.ts';

/** Each image that is embedded leads to those that embed it, and is still what they embed. */
export function sealing(seen: Observation): Evidence[] {
  const embedded = seen.images.filter((image) => image.embeddedBy.length > 0 && image.seal !== 'none');
  return [
    ...embedded.flatMap((image): Evidence[] => [
      ...(image.seal === 'label' ? labelled(image, seen) : unchanged(image, seen)),
      ...unproved(image),
    ]),
    ...proofChecks(
      embedded,
      (id) => !ATTESTED.has(id),
      (role) => nameOf(seen, role),
    ),
  ];
}

export function nameOf({ images }: Observation, role: string): string {
  const image = images.find((entry) => entry.role === role);
  return image === undefined ? role : title(image);
}

/** Why a comparison with what was built can't be made. */
const UNKNOWN = 'no task of the run says what was built';

function unproved({ name, proof }: ObservedImage): Evidence[] {
  if (proof !== undefined && !('problem' in proof)) return [];
  const found = proof?.problem ?? 'it was not verified';
  return [failed('proof', `verification of the chain, from ${title({ name })}`, 'proof level linked', found)];
}

function labelled(image: ObservedImage, { build, images, labelNames }: Observation): Evidence[] {
  const { published, origin, unsealed } = image;
  const labelOf = (check: string, label: string, expected: string | undefined): Evidence => {
    const found = published.digest === undefined ? published.problem : published.labels[label];
    return equal(check, `${title(image)}: label ${label}`, expected, found || undefined);
  };
  const built = knownDigest(build, image);
  const labels = [
    ...image.embeddedBy.map((role) =>
      labelOf('label', labelNames.digestOf(role), byRole(images, role).published.digest),
    ),
    // What those that embed it name; the digest of what is published is another one, since labels are part of it.
    built === undefined && published.labels[labelNames.sealedFrom]
      ? skipped('sealed-from', `${title(image)}: label ${labelNames.sealedFrom}: ${UNKNOWN}`)
      : labelOf('sealed-from', labelNames.sealedFrom, built),
  ];
  if (unsealed === undefined) {
    return [...labels, skipped('unseal', `${title(image)} without its seal: ${UNKNOWN}`)];
  }
  if ('problem' in unsealed) {
    const expected = `the bytes of ${origin.digest ?? 'the origin'}`;
    return [...labels, failed('unseal', 'the seal taken off again', expected, unsealed.problem)];
  }
  return [
    ...labels,
    equal('unseal', `${title(image)} without its seal is`, origin.digest, unsealed.digest),
    ...(unsealed.bytesEqual
      ? []
      : [failed('unseal', 'the bytes without the seal', "the origin's bytes", 'other bytes')]),
  ];
}

/** Linked by the chain statement alone: what is published is what was built. */
function unchanged(image: ObservedImage, { build }: Observation): Evidence[] {
  const what = `${title(image)}: published as it was built`;
  const built = builtDigest(build, image.name);
  if (built === undefined) return [skipped('unchanged', `${what}: ${UNKNOWN}`)];
  return [equal('unchanged', what, built, image.published.digest)];
}
