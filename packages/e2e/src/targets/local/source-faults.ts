import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ChainPlan, findInstruction, findLinkGaps } from '@multi-image/manifests';
import type { RunFacts } from '../../judge/observation.ts';
import type { SourceFault } from '../../report/first-cause.ts';

/** What is wrong in the Containerfiles, as far as reading them and what buildah said of the build can tell. */
export function findFaults(chain: ChainPlan, checkout: string, build: RunFacts): readonly SourceFault[] {
  const gaps = findLinkGaps(chain, checkout).map(({ role, containerfile, line, lacks, embeds, add }) => ({
    role,
    what: `${containerfile}:${line}: the image does not say which ${embeds} it embeds: ${lacks}`,
    todo: ['after that line, or in its place:', ...add],
  }));
  const broken = chain.images.flatMap(({ role, name, containerfile }) => {
    const { logTail = [] } =
      build.tasks.find((task) => task.name === `build-${name}` && task.status === 'Failed') ?? {};
    const [, step = ''] = /(?:building at STEP|error building at step) "(.*?)":/i.exec(logTail.join('\n')) ?? [];
    const line = findInstruction(readFileSync(join(checkout, containerfile), 'utf8'), step);
    return line === undefined ? [] : [{ role, what: `${containerfile}:${line}: ${step} failed`, todo: [] }];
  });
  return [...broken, ...gaps];
}
