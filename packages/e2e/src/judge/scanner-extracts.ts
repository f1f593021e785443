import { formatSpan } from '@multi-image/kit/durations';
import { byRole, describeTask, isPruned, PRUNED_REASON, taskOf, textOf } from './chain-view.ts';
import { type Evidence, equal, failed, passed, skipped } from './criterion.ts';
import type { Observation, ObservedImage, RunFacts, TaskFacts } from './observation.ts';
import { succeeded } from './runs.ts';

/** Each scanner waited for the images of its own revision, and handed over its image. */
export function scannerExtracts({ build, scanners, images, revision }: Observation): Evidence[] {
  return scanners.flatMap(({ role, run }): Evidence[] => {
    const image = byRole(images, role);
    const apart = Math.abs(run.startedAt - build.startedAt);
    const extract = taskOf(run, `extract-${image.name}`);
    const { linked, waited } = linkingOf(image, { build, images, run });
    return [
      succeeded(run),
      passed(
        'same-push',
        `${run.name} started ${formatSpan(apart)} from ${build.name}` +
          (waited ? `, before the image was ${linked}, and waited for its own revision` : ''),
      ),
      extracted(`extract-${image.name}`, extract),
      equal(
        'image-digest',
        `${run.name}: pipeline result IMAGE_DIGEST`,
        image.published.digest,
        textOf(run.results.IMAGE_DIGEST),
      ),
      equal(
        'image-url',
        `${run.name}: pipeline result IMAGE_URL`,
        `${image.repository}:${revision}`,
        textOf(run.results.IMAGE_URL),
      ),
    ];
  });
}

/** What was done to the image that leads to this one, and whether the scanner's run was there before. */
function linkingOf(
  image: ObservedImage,
  { build, images, run }: Pick<Observation, 'build' | 'images'> & { run: RunFacts },
): { linked: string; waited: boolean } {
  const embedded = image.embeds.map((role) => byRole(images, role));
  const sealed = embedded.flatMap(({ name }) => taskOf(build, `label-${name}`) ?? []);
  // One image carries the statement of all that hang together; it need not be one that this one embeds.
  const stated = build.tasks.filter(({ name }) => images.some((each) => name === `link-${each.name}`));
  const linkings = sealed.length > 0 ? sealed : stated;
  const waited = linkings.some(({ status, finishedAt = 0 }) => status === 'Succeeded' && run.startedAt < finishedAt);
  return { linked: sealed.length > 0 ? 'sealed' : 'linked', waited };
}

function extracted(name: string, task: TaskFacts | undefined): Evidence {
  if (isPruned(task)) return skipped('extract', `${name}: ${PRUNED_REASON}`);
  if (task?.status !== 'Succeeded') return failed('extract', name, 'Succeeded', describeTask(task));
  const { PROOF } = task.results ?? {};
  const proof = typeof PROOF === 'string' ? `; its proof: ${PROOF}` : '';
  return passed(
    'extract',
    `${name} answered after ${formatSpan((task.finishedAt ?? 0) - (task.startedAt ?? 0))}${proof}`,
  );
}
