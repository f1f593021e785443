import type { Observation, ProofCheck } from '../judge/observation.ts';
import { title } from '../judge/wording.ts';
import type { ReportImage } from './report.ts';

/** The images of a chain as a report has them. */
export function imagesOf({ images, seal, revision }: Observation): readonly ReportImage[] {
  const checks = images.flatMap(({ proof }) => (proof === undefined || 'problem' in proof ? [] : proof));
  return images.map((image) => ({
    role: image.role,
    title: title(image),
    repository: image.repository,
    revisionTag: revision,
    embeds: image.embeds,
    originDigest: image.origin.digest ?? null,
    sealedDigest: image.embeddedBy.length > 0 && seal === 'label' ? (image.published.digest ?? null) : null,
    latestDigest: image.latest.digest ?? null,
    signature: signatureOf(image.role, checks),
    ran: image.output !== undefined && 'exitCode' in image.output,
  }));
}

/** What the verifier found of an image's signature. */
export function signatureOf(wanted: string, checks: readonly ProofCheck[]): ReportImage['signature'] {
  const check = checks.find(({ id, role }) => id === 'signature' && role === wanted);
  return check === undefined ? null : { status: check.status, text: check.evidence };
}

/** What is published under an image's name, by digest. */
export function publishedDigest({ sealedDigest, originDigest }: ReportImage): string | null {
  return sealedDigest ?? originDigest;
}
