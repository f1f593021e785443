import { title } from '../criteria/criteria.ts';
import { type Criterion, criterion, type Evidence } from '../criteria/criterion.ts';
import type { Observation } from '../criteria/observation.ts';
import type { ReportImage } from '../report/report.ts';

/** The criteria with more evidence: what only this target could see. */
export function extend(
  criteria: readonly Criterion[],
  more: Readonly<Record<string, readonly Evidence[]>>,
): readonly Criterion[] {
  return criteria.map(({ id, title, evidence }) => criterion(id, title, [...evidence, ...(more[id] ?? [])]));
}

export function imagesOf({ images, seal, revision }: Observation): readonly ReportImage[] {
  return images.map((image) => ({
    role: image.role,
    title: title(image),
    repository: image.repository,
    revisionTag: revision,
    embeds: image.embeds,
    originDigest: image.origin.digest ?? null,
    sealedDigest: image.embeddedBy.length > 0 && seal === 'label' ? (image.published.digest ?? null) : null,
    latestDigest: image.latest.digest ?? null,
  }));
}
