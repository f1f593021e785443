import { builtDigest, describeTask, foundExternal, isPruned, PRUNED_REASON, taskOf } from './chain-view.ts';
import { type Evidence, equal, failed, NOT_RUN, passed, skipped } from './criterion.ts';
import type { ImageView, Observation, ObservedImage } from './observation.ts';
import { outputEvidence } from './output.ts';
import { succeeded } from './runs.ts';
import { title } from './wording.ts';

/** One run built every image from one commit and published them; what embeds nothing also runs. */
export function singlePipeline({ build, images, external, revision }: Observation): Evidence[] {
  return [
    succeeded(build),
    ...external.map(({ role, named, note }): Evidence => {
      const what = `${role}, which is built elsewhere (${named}${note === undefined ? '' : `: ${note}`})`;
      const task = taskOf(build, `resolve-${role}`);
      if (isPruned(task)) return skipped('external', `${what}: ${PRUNED_REASON}`);
      const { url } = foundExternal(build, { role });
      return url === undefined
        ? failed('external', what, 'result URL', describeTask(task))
        : passed('external', `${what} was found once: ${url}`);
    }),
    ...images.map(({ name }): Evidence => {
      const what = `build-${name} in ${build.name}`;
      const task = taskOf(build, `build-${name}`);
      if (isPruned(task)) return skipped('built', `${what}: ${PRUNED_REASON}`);
      const digest = builtDigest(build, name);
      return digest === undefined
        ? failed('built', what, 'result IMAGE_DIGEST', describeTask(task))
        : passed('built', `${what} built ${digest}`);
    }),
    ...images.map(published),
    ...images.map((image) => {
      const what = `${title(image)}: its revision is the commit`;
      const isUnknown = image.origin.digest === undefined && isPruned(taskOf(build, `build-${image.name}`));
      if (isUnknown) return skipped('revision', `${what}: what was built is not known, ${PRUNED_REASON}`);
      return equal('revision', what, revision, revisionOf(image));
    }),
    ...images.map((image) => {
      const { digest, problem } = image.latest;
      return equal(
        'latest',
        `${title(image)}: latest is the image of this run`,
        image.published.digest,
        digest ?? problem,
      );
    }),
    ...images.flatMap((image) => platformEvidence(title(image), image.published)),
    ...images.filter((image) => image.embeds.length === 0).flatMap((image) => outputEvidence(image)),
    ...images.flatMap(notRun),
  ];
}

function published(image: ObservedImage): Evidence {
  const { digest, reference, problem = 'nothing' } = image.published;
  const what = `${title(image)} is in the registry by its revision tag`;
  return digest === undefined
    ? failed('published', what, reference, problem)
    : passed('published', `${what}: ${reference} is ${digest}`);
}

function notRun(image: ObservedImage): Evidence[] {
  if (image.notRun !== undefined) return [skipped(NOT_RUN, `${title(image)} was not run: ${image.notRun}`)];
  if (image.output === undefined || !('problem' in image.output)) return [];
  return [skipped('runs', `${title(image)} was not run: ${image.output.problem}`)];
}

function revisionOf({ origin }: ObservedImage): string | undefined {
  return origin.digest === undefined ? origin.problem : origin.labels['org.opencontainers.image.revision'];
}

/**
 * What an image for several platforms is, and which of its platforms were built without their base: those have links and
 * digests like the others, but were never run. Nothing for an image without an index.
 */
function platformEvidence(title: string, { platforms = [] }: ImageView): Evidence[] {
  if (platforms.length === 0) return [];
  const names = platforms.map(({ platform }) => platform).join(', ');
  return [
    passed('platforms', `${title}: one index over ${names}; its labels and environment were read from each`),
    ...platforms.flatMap(({ platform, withoutBase }) =>
      withoutBase === undefined ? [] : [passed('platform', `${title} for ${platform} was not run: ${withoutBase}`)],
    ),
  ];
}
