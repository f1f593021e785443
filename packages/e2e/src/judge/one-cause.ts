import { buildTasksOf, builtDigest, describeTask, runsOf } from './chain-view.ts';
import { type Criterion, criterion, type Evidence, failed, skipped } from './criterion.ts';
import type { Observation, RunFacts, TaskFacts } from './observation.ts';
import type { CriterionId } from './titles.ts';

/** What a run failed by. */
export interface Culprit {
  criterion: CriterionId;
  run: RunFacts;
  /** The first that failed by itself; none of a run that was cancelled. */
  task: TaskFacts | undefined;
  /** Whether an image that is sealed was published all the same: then what is wrong with its seal can be seen. */
  isSealed: boolean;
}

/** By what the runs failed; undefined where all of them succeeded. */
export function culpritOf(seen: Observation, criteria: readonly Criterion[]): Culprit | undefined {
  const runs = runsOf(seen).filter(({ status }) => status !== 'Succeeded');
  const run = runs.find(({ tasks }) => tasks.some(isFailed)) ?? runs[0];
  if (run === undefined) return undefined;
  const task = run.tasks.find(isFailed);
  const isSealed = seen.images.some(({ embeddedBy, published }) => embeddedBy.length > 0 && published.digest);
  return { criterion: criterionOf(seen, criteria, run, task), run, task, isSealed };
}

/**
 * The criteria with one that fell for what the run failed by. What else could not be looked at for that reason was not
 * judged; what was looked at and is wrong (a check of the verifier) stays so.
 */
export function judgedByOneCause(criteria: readonly Criterion[], culprit: Culprit | undefined): readonly Criterion[] {
  if (culprit === undefined) return criteria;
  const { run, task } = culprit;
  const own = [...OWN[culprit.criterion], ...(culprit.isSealed ? SEAL : [])];
  const what = whatFailed(culprit);
  return criteria.map((entry) => {
    if (entry.status !== 'failed') return entry;
    const isCause = entry.id === culprit.criterion;
    const follows = ({ check, status }: Evidence): boolean =>
      status === 'failed' && !check.startsWith('proof/') && !(isCause && own.includes(check));
    const kept = entry.evidence.filter((evidence) => !follows(evidence));
    const more = [
      ...(isCause && !kept.some(({ status }) => status === 'failed')
        ? [failed('task', what, 'Succeeded', task === undefined ? endOf(run) : describeTask(task))]
        : []),
      ...(kept.length < entry.evidence.length ? [skipped('not-judged', `the rest was not judged: ${what}`)] : []),
    ];
    return criterion(entry.id, entry.title, [...more, ...kept]);
  });
}

/** In words: the task, or of a run without one that failed, the run. */
export function whatFailed({ run, task }: Pick<Culprit, 'run' | 'task'>): string {
  if (task !== undefined) return `${task.name} of ${run.name} failed`;
  return `${run.name} ${run.status === 'Cancelled' ? 'was cancelled' : 'failed'}`;
}

/** How a run ended, in its own words. */
export function endOf({ status, message }: RunFacts): string {
  return [status, message].filter(Boolean).join(': ');
}

/** What says itself what is wrong, of the criterion that a run failed by; all else follows from that. */
const OWN: Readonly<Record<CriterionId, readonly string[]>> = {
  'single-pipeline': ['runs', 'expect', 'greeting'],
  'image-2-embeds-image-1': ['build-args', 'env', 'label', 'runs', 'expect', 'greeting', 'prints-digest', 'prints-url'],
  'image-1-labelled': [],
  'scanner-extracts': [],
  'scanned-and-signed': ['scan'],
  'no-manual-step': [],
};

const SEAL: readonly string[] = ['label', 'sealed-from', 'unseal', 'unchanged'];

function criterionOf(
  seen: Observation,
  criteria: readonly Criterion[],
  run: RunFacts,
  task: TaskFacts | undefined,
): CriterionId {
  if (run !== seen.build) return 'scanner-extracts';
  const embeds = criteria.find(({ id }) => id === 'image-2-embeds-image-1');
  const allBuilt = seen.images.every(({ name }) => builtDigest(seen.build, name) !== undefined);
  // A build whose image does not hold what it was given is noticed by the task that seals.
  if (allBuilt && embeds?.status === 'failed' && !isBuild(seen, task)) return 'image-2-embeds-image-1';
  if (task?.name.startsWith('label-')) return 'image-1-labelled';
  if (seen.scans.some((scan) => scan.run === run.name && scan.task === task?.name)) return 'scanned-and-signed';
  return 'single-pipeline';
}

function isBuild(seen: Observation, task: TaskFacts | undefined): boolean {
  return task !== undefined && seen.images.some((image) => buildTasksOf(seen, image).includes(task));
}

function isFailed({ status }: TaskFacts): boolean {
  return status === 'Failed';
}
