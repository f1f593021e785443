import type { Observation } from '../criteria/observation.ts';
import { title } from '../criteria/wording.ts';
import type { ReportImage } from './report.ts';

/** The images of a chain as a report has them. */
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
