import type { RunFacts } from '../../judge/observation.ts';
import { factsOf, isOver, type RunRecord, type TaskRecord } from './facts.ts';
import type { TenantState } from './state.ts';

/** What is known of the runs of a chain while they are followed; never changed, {@link reduceRuns} makes the next one. */
export interface RunsState {
  /** Whose runs are followed, the builder's first. */
  components: readonly string[];
  /** Names of runs that are older, and not meant. */
  before: ReadonlySet<string>;
  /** The commit that is followed; where nobody named one, the one that is taken for it by now. */
  revision: string | undefined;
  /** Runs of any commit, by uid, as long as it is not settled which commit is meant. */
  candidates: Map<string, RunRecord> | undefined;
  /** The run of each component. */
  records: Map<string, RunRecord>;
  /** By the names of the run and the task. */
  tasks: Map<string, TaskRecord>;
  /** Uids of the runs that are over, and at whose last tasks and logs somebody looks, or did. */
  settling: Set<string>;
  /** What the runs that are over did, by component. */
  finished: Map<string, RunFacts>;
  /** What Chains wrote on the runs, by component. */
  signed: Map<string, string>;
}

/** Something that was seen. */
export type RunsEvent =
  | { type: 'run'; run: RunRecord }
  /** Somebody deleted a run; when, in milliseconds since the epoch. */
  | { type: 'gone'; uid: string; at: number }
  | { type: 'task'; task: TaskRecord }
  /** The end of the log of a task that failed. */
  | { type: 'log'; task: string; lines: readonly string[] }
  /** All that there is of a run that is over was told. */
  | { type: 'settled'; run: RunRecord };

/** Something to be done about it. */
export type RunsEffect =
  | { type: 'line'; text: string }
  | { type: 'started'; what: string }
  | { type: 'ended'; what: string; status: 'passed' | 'failed'; note: string }
  /** Keep what a resumed run must not lose. */
  | { type: 'remember'; known: KnownRuns }
  /** Fetch the log of the step that failed, and answer with `log`. */
  | { type: 'fetch-log'; task: string; from: { pod: string; container: string } }
  /** Look at all tasks of this run once more, which is over, and answer with `settled`. */
  | { type: 'settle'; run: RunRecord }
  /** There is a run of every component: from now on their ends are waited for. */
  | { type: 'all-started' }
  | { type: 'all-finished' };

/** Of a run's state, what its PipelineRuns say. */
export type KnownRuns = Partial<Pick<TenantState, 'revision' | 'finished' | 'signed'>>;

/** The state before anything is seen. Where no revision is known, the first commit with a run of every component is meant. */
export function runsState(
  components: readonly string[],
  known: Pick<TenantState, 'revision' | 'before' | 'finished' | 'signed'>,
): RunsState {
  return {
    components,
    before: new Set(known.before),
    revision: known.revision,
    candidates: known.revision === undefined ? new Map() : undefined,
    records: new Map(),
    tasks: new Map(),
    settling: new Set(),
    finished: new Map(Object.entries(known.finished)),
    signed: new Map(
      Object.entries(known.signed ?? {}).filter(([component]) => known.finished[component] !== undefined),
    ),
  };
}

export function areFinished({ components, finished }: RunsState): boolean {
  return components.every((component) => finished.has(component));
}

/** What an event makes of a state, and what is to be done about it. */
export function reduceRuns(state: RunsState, event: RunsEvent): { state: RunsState; effects: readonly RunsEffect[] } {
  const effects: RunsEffect[] = [];
  const draft: Draft = {
    ...state,
    effects,
    candidates: state.candidates && new Map(state.candidates),
    records: new Map(state.records),
    tasks: new Map(state.tasks),
    settling: new Set(state.settling),
    finished: new Map(state.finished),
    signed: new Map(state.signed),
  };
  if (event.type === 'run') see(draft, event.run);
  else if (event.type === 'gone') lose(draft, event.uid, event.at);
  else if (event.type === 'task') seeTask(draft, event.task);
  else if (event.type === 'log') addLog(draft, event.task, event.lines);
  else finish(draft, event.run);
  const { effects: _, ...next } = draft;
  return { state: next, effects };
}

/** The next state while it is made. */
interface Draft extends RunsState {
  effects: RunsEffect[];
}

function see(draft: Draft, run: RunRecord): void {
  if (!draft.components.includes(run.component) || draft.before.has(run.name)) return;
  // Pull requests have runs of the same component and commit.
  if (!run.name.startsWith(`${run.component}-on-push`)) return;
  chooseCommit(draft, run);
  if (run.revision === draft.revision) take(draft, run);
}

/**
 * Builds were asked for, and the first runs that appear may be of somebody's push. The first run's commit is taken for
 * the one that is meant, until another one has a run of every component before it has: then that is settled.
 */
function chooseCommit(draft: Draft, run: RunRecord): void {
  const { components, candidates, effects } = draft;
  if (candidates === undefined || run.revision === undefined) return;
  candidates.set(run.uid, run);
  const own = [...candidates.values()].filter(({ revision }) => revision === run.revision);
  const isSettled = components.every((name) => own.some(({ component }) => component === name));
  if (draft.revision === undefined || (isSettled && draft.revision !== run.revision)) {
    const instead = draft.revision === undefined ? '' : `, not ${draft.revision}: it has all the runs`;
    effects.push({ type: 'line', text: `commit     ${run.revision}${instead}` });
    // Where none was followed yet, what is finished is what a resumed run remembers of this one.
    if (draft.revision !== undefined) {
      for (const known of [draft.records, draft.finished, draft.signed]) known.clear();
      effects.push({ type: 'remember', known: { finished: {}, signed: {} } });
    }
    draft.revision = run.revision;
    for (const other of own) take(draft, other);
  }
  // One that has not all its runs may be somebody else's: a resumed run must be free to see that.
  if (!isSettled) return;
  draft.candidates = undefined;
  effects.push({ type: 'remember', known: { revision: run.revision } });
}

function take(draft: Draft, run: RunRecord): void {
  const { components, records, tasks, settling, finished, signed, effects } = draft;
  const known = records.get(run.component);
  const isOther = known !== undefined && known.uid !== run.uid;
  // A commit that was built twice: the later run counts, also after an earlier one has ended.
  if (isOther && !isLater(run, known)) return;
  const ended = finished.get(run.component);
  if (ended !== undefined && ended.name !== run.name) {
    if ((run.startedAt ?? run.created) <= ended.startedAt) return;
    finished.delete(run.component);
    signed.delete(run.component);
  }
  // What Chains wrote on the run whose place this one takes says nothing of this one.
  if (isOther) signed.delete(run.component);
  records.set(run.component, run);
  if (known?.uid !== run.uid) {
    effects.push({ type: 'line', text: `${run.component}: PipelineRun ${run.name}` });
    // Tasks come by another watch, which may be ahead.
    for (const task of tasks.values()) if (task.run === run.name) show(draft, run.component, task, undefined);
  }
  if (records.size === components.length && known === undefined) effects.push({ type: 'all-started' });
  // Who prunes runs does so after Chains was here, and perhaps before anybody else looks.
  if (run.signed !== undefined && run.signed !== signed.get(run.component)) {
    signed.set(run.component, run.signed);
    if (finished.has(run.component)) effects.push({ type: 'remember', known: { signed: signedOf(draft) } });
  }
  if (isOver(run) && !settling.has(run.uid)) {
    settling.add(run.uid);
    effects.push({ type: 'settle', run });
  }
}

function lose({ records, settling, effects }: Draft, uid: string, at: number): void {
  const run = [...records.values()].find((record) => record.uid === uid);
  if (run === undefined || settling.has(uid)) return;
  settling.add(uid);
  // Nobody will ever know how it would have ended; what was seen of it is judged.
  const message = `the PipelineRun was deleted while it was ${run.reason || 'not started'}`;
  effects.push({ type: 'settle', run: { ...run, succeeded: 'False', reason: 'Deleted', message, finishedAt: at } });
}

function seeTask(draft: Draft, task: TaskRecord): void {
  if (!draft.components.some((component) => task.run.startsWith(`${component}-on-push`))) return;
  const key = keyOf(task);
  const known = draft.tasks.get(key);
  draft.tasks.set(key, { ...task, logTail: known?.logTail });
  const run = [...draft.records.values()].find(({ name }) => name === task.run);
  if (run !== undefined) show(draft, run.component, task, known);
}

/** What is new of a task, in comparison with what was known of it. */
function show({ effects }: Draft, component: string, task: TaskRecord, known: TaskRecord | undefined): void {
  const what = `${component} · ${task.name}`;
  if (known === undefined && !OVER.has(task.status)) effects.push({ type: 'started', what });
  if (OVER.has(task.status) && !OVER.has(known?.status ?? '')) {
    const status = task.status === 'Succeeded' ? 'passed' : 'failed';
    effects.push({ type: 'ended', what, status, note: task.message ?? '' });
  }
  if (task.stuck !== undefined && task.stuck !== known?.stuck)
    effects.push({ type: 'line', text: `${what} has no room yet: ${task.stuck}` });
  if (task.status === 'Failed' && known?.status !== 'Failed' && task.failed !== undefined)
    effects.push({ type: 'fetch-log', task: keyOf(task), from: task.failed });
}

const OVER: ReadonlySet<string> = new Set(['Succeeded', 'Failed', 'Cancelled']);

function addLog({ tasks, effects }: Draft, key: string, lines: readonly string[]): void {
  const task = tasks.get(key);
  if (task === undefined) return;
  tasks.set(key, { ...task, logTail: lines });
  for (const line of lines) effects.push({ type: 'line', text: `    ${line}` });
}

function finish(draft: Draft, run: RunRecord): void {
  const { components, records, tasks, finished, revision, effects } = draft;
  // A later run may have taken its place meanwhile.
  if (records.get(run.component)?.uid !== run.uid) return;
  finished.set(run.component, factsOf(run, tasks.values()));
  effects.push({
    type: 'remember',
    known: { finished: Object.fromEntries(finished), signed: signedOf(draft), revision },
  });
  const isGood = run.succeeded === 'True';
  const note = isGood ? '' : run.message;
  effects.push({ type: 'ended', what: run.component, status: isGood ? 'passed' : 'failed', note });
  if (areFinished(draft)) effects.push({ type: 'all-finished' });
  else if (run.component === components[0] && !isGood) {
    const left = components.filter((component) => !finished.has(component)).join(', ');
    const text = `${left} may wait in vain for what ${run.name} did not build; --timeout runs=TIME ends that sooner`;
    effects.push({ type: 'line', text });
  }
}

/**
 * What Chains wrote on the runs that are over and known as a whole. A resumed run that were told of another one's would
 * look for a run that may be pruned by then, and wait for it in vain.
 */
function signedOf({ signed, finished }: Draft): Record<string, string> {
  return Object.fromEntries([...signed].filter(([component]) => finished.has(component)));
}

function keyOf({ run, name }: TaskRecord): string {
  return `${run}/${name}`;
}

/** Kubernetes' times are whole seconds: where they are equal, the name decides, so that it is the same one each time. */
function isLater(run: RunRecord, other: RunRecord): boolean {
  return run.created === other.created ? run.name > other.name : run.created > other.created;
}
