import { byRole, describeTask, taskOf, textOf } from './chain-view.ts';
import { type Evidence, equal, failed, passed } from './criterion.ts';
import type { Observation } from './observation.ts';
import { succeeded } from './run-evidence.ts';
import { seconds } from './wording.ts';

/** Each scanner waited for the images of its own revision, and handed over its image. */
export function scannerExtracts({ build, scanners, images, revision }: Observation): Evidence[] {
  return scanners.flatMap(({ role, run }): Evidence[] => {
    const image = byRole(images, role);
    const apart = Math.abs(run.startedAt - build.startedAt);
    const extract = taskOf(run, `extract-${image.name}`);
    const seals = image.embeds.map((embedded) => taskOf(build, `label-${byRole(images, embedded).name}`));
    const waited = seals.some((seal) => seal?.status === 'Succeeded' && run.startedAt < (seal.finishedAt ?? 0));
    const took = seconds((extract?.finishedAt ?? 0) - (extract?.startedAt ?? 0));
    return [
      succeeded(run),
      passed(
        'same-push',
        `${run.name} started ${seconds(apart)} from ${build.name}` +
          (waited ? ', before the image was sealed, and waited for its own revision' : ''),
      ),
      extract?.status === 'Succeeded'
        ? passed('extract', `extract-${image.name} answered after ${took}`)
        : failed('extract', `extract-${image.name}`, 'Succeeded', describeTask(extract)),
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
