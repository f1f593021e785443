import { byRole } from './chain-view.ts';
import { type Criterion, criterion, type Evidence } from './criterion.ts';
import { embedding } from './embedding.ts';
import type { Observation } from './observation.ts';
import { noManualStep } from './runs.ts';
import { scannedAndSigned } from './scanned-and-signed.ts';
import { scannerExtracts } from './scanner-extracts.ts';
import { sealing } from './sealing.ts';
import { singlePipeline } from './single-pipeline.ts';
import { type CriterionId, titlesOf } from './titles.ts';
import { title } from './wording.ts';

/** In the order in which they are reported. */
const CRITERIA: Readonly<Record<CriterionId, (seen: Observation) => Evidence[]>> = {
  'single-pipeline': singlePipeline,
  'image-2-embeds-image-1': embedding,
  'image-1-labelled': sealing,
  'scanner-extracts': scannerExtracts,
  'scanned-and-signed': scannedAndSigned,
  'no-manual-step': noManualStep,
};

/**
 * Judges the six success criteria by what was observed, for a chain of any number of images. Pure: the same facts give
 * the same verdict on any target.
 */
export function judge(seen: Observation): readonly Criterion[] {
  const titles = titlesOf(
    seen.images.map((image) => ({ role: image.role, embeds: image.embeds, seal: image.seal, title: title(image) })),
    seen.scanners.map(({ role }) => title(byRole(seen.images, role))),
  );
  return (Object.keys(CRITERIA) as CriterionId[]).map((id) => criterion(id, titles[id], CRITERIA[id](seen)));
}
