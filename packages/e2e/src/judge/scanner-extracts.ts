import { formatSpan } from '@multi-image/kit/durations';
import { byRole, describeTask, isPruned, PRUNED_REASON, taskOf, textOf } from './chain-view.ts';
import { type Evidence, equal, failed, passed, skipped } from './criterion.ts';
import type { Observation, TaskFacts } from './observation.ts';
import { succeeded } from './runs.ts';

/** Each scanner waited for the images of its own revision, and handed over its image. */
export function scannerExtracts({ build, scanners, images, revision }: Observation): Evidence[] {
  return scanners.flatMap(({ role, run }): Evidence[] => {
    const image = byRole(images, role);
    const apart = Math.abs(run.startedAt - build.startedAt);
    const extract = taskOf(run, `extract-${image.name}`);
    const seals = image.embeds.map((embedded) => taskOf(build, `label-${byRole(images, embedded).name}`));
    const waited = seals.some((seal) => seal?.status === 'Succeeded' && run.startedAt < (seal.finishedAt ?? 0));
    return [
      succeeded(run),
      passed(
        'same-push',
        `${run.name} started ${formatSpan(apart)} from ${build.name}` +
          (waited ? ', before the image was sealed, and waited for its own revision' : ''),
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
