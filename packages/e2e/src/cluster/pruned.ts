import { builtDigest, describeTask, taskOf } from '../criteria/chain-view.ts';
import { judge } from '../criteria/criteria.ts';
import { type Criterion, type Evidence, extend, skipped } from '../criteria/criterion.ts';
import type { Observation, RunFacts } from '../criteria/observation.ts';
import { isPruned, PRUNED_REASON } from '../criteria/single-pipeline.ts';
import { title } from '../criteria/wording.ts';

/**
 * Judges runs of which TaskRuns may be gone. What only those could say was not checked, and is reported as that; what an
 * image's own bytes prove is judged by them.
 */
export function judgeWithGaps(seen: Observation): readonly Criterion[] {
  const runs = [seen.build, ...seen.scanners.map(({ run }) => run)];
  const pruned = runs.flatMap(({ tasks }) => tasks.filter(isPruned));
  if (pruned.length === 0) return judge(seen);
  const gaps = new Set(pruned.map(describeTask));
  const known = (entry: Evidence): Evidence => {
    const isGap = entry.status === 'failed' && gaps.has(entry.found ?? '');
    if (isGap) return skipped(entry.check, `${entry.text}: ${PRUNED_REASON}`);
    const noScans = entry.check === 'scan' && seen.scans.length === 0;
    return noScans ? skipped('scan', 'what check tasks said is not known: their TaskRuns are gone') : entry;
  };
  const criteria = judge({ ...seen, build: withDigests(seen) });
  return extend(
    criteria.map((entry) => ({ ...entry, evidence: entry.evidence.map(known) })),
    { 'image-2-embeds-image-1': unseenArguments(seen) },
  );
}

/** The build as if its tasks, of which nothing is left, had said what the registry proves of their images. */
function withDigests({ build, images }: Observation): RunFacts {
  const tasks = build.tasks.map((task) => {
    const image = images.find(({ name }) => task.name === `build-${name}`);
    const digest = image?.origin.digest;
    if (!isPruned(task) || digest === undefined || builtDigest(build, image?.name ?? '') !== undefined) return task;
    return { ...task, results: { ...task.results, IMAGE_DIGEST: digest } };
  });
  return { ...build, tasks };
}

function unseenArguments({ build, images }: Observation): Evidence[] {
  return images
    .filter(({ name, embeds }) => embeds.length > 0 && isPruned(taskOf(build, `build-${name}`)))
    .map((image) =>
      skipped('build-args', `what build-${image.name} (${title(image)}) was called with: ${PRUNED_REASON}`),
    );
}
