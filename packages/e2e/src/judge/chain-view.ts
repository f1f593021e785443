import type { Observation, ObservedExternal, ObservedImage, RunFacts, TaskFacts } from './observation.ts';

/** All PipelineRuns of a chain: the one that builds it, then the scanners'. */
export function runsOf({ build, scanners }: Pick<Observation, 'build' | 'scanners'>): readonly RunFacts[] {
  return [build, ...scanners.map(({ run }) => run)];
}

/** The digest that the task which built an image reported. */
export function builtDigest(run: RunFacts, imageName: string): string | undefined {
  return textOf(taskOf(run, `build-${imageName}`)?.results.IMAGE_DIGEST);
}

/**
 * The digest of an image as it was built: what its task reported; of a task that is gone, what the registry proves of its
 * image.
 */
export function knownDigest(run: RunFacts, { name, origin }: ObservedImage): string | undefined {
  return builtDigest(run, name) ?? (isPruned(taskOf(run, `build-${name}`)) ? origin.digest : undefined);
}

/** What a run found of an image that was built elsewhere, before it built with it. */
export function foundExternal(
  build: RunFacts,
  { role }: Pick<ObservedExternal, 'role'>,
): { digest: string | undefined; url: string | undefined } {
  const results = taskOf(build, `resolve-${role}`)?.results;
  return { digest: textOf(results?.DIGEST), url: textOf(results?.URL) };
}

/** The status of a task that a run names as its own and of which nothing else is left. */
export const PRUNED = 'Pruned';
export const PRUNED_REASON = 'its TaskRun is gone: pruned, or deleted';

/** Of such a task nothing was checked. */
export function isPruned(task: TaskFacts | undefined): boolean {
  return task?.status === PRUNED;
}

/** The tasks that built an image, of a run in which other images were built as well: one, or one for each platform. */
export function buildTasksOf({ build, images }: Observation, { name }: ObservedImage): readonly TaskFacts[] {
  const builds = (task: TaskFacts, image: string): boolean => `${task.name}-`.startsWith(`build-${image}-`);
  // Of `app` and `app-proxy`, `build-app-proxy` builds the one whose name is longer.
  const longer = images.map((image) => image.name).filter((other) => other.startsWith(`${name}-`));
  return build.tasks.filter((task) => builds(task, name) && !longer.some((other) => builds(task, other)));
}

export function taskOf(run: RunFacts, name: string): TaskFacts | undefined {
  return run.tasks.find((entry) => entry.name === name);
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function byRole(images: readonly ObservedImage[], role: string): ObservedImage {
  const image = images.find((entry) => entry.role === role);
  if (image === undefined) throw new RangeError(`no image with the role ${role} was observed`);
  return image;
}

/** What a task came to, with the end of its log. */
export function describeTask(facts: TaskFacts | undefined): string {
  if (facts === undefined) return 'no such task in the run';
  const lines = [`${facts.name} ${facts.status}`, facts.message, ...(facts.logTail ?? [])];
  return lines.filter(Boolean).join('\n');
}

/** Whether labels made another image of it than what was built. */
export function isSealed({ embeddedBy, seal }: Pick<ObservedImage, 'embeddedBy' | 'seal'>): boolean {
  return embeddedBy.length > 0 && seal === 'label';
}
