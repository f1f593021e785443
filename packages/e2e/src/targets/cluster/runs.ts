import type { Progress } from '@multi-image/kit/progress';
import type { ChainPlan } from '@multi-image/manifests';
import { E2eError } from '../../errors.ts';
import type { RunFacts } from '../../judge/observation.ts';
import type { Cluster } from './cluster.ts';
import { CommitChoice } from './commit-choice.ts';
import { factsOf, isOver, type RunRecord, readRun, readTask, type TaskRecord } from './facts.ts';
import { follow } from './follow.ts';
import { KINDS, NAMES, type Resource } from './resource.ts';
import type { Secrecy } from './secrecy.ts';
import { span } from './timeouts.ts';

/** How the runs of a chain are found. */
export interface RunLabels {
  /** Selects the PipelineRuns. */
  runs: string;
  /** Selects their TaskRuns: labels of a PipelineRun are on its TaskRuns, too. */
  tasks: string;
  /** The label that names a run's component. */
  component: string;
}

/** As Konflux labels the builds of an application. */
export function konfluxLabels(application: string): RunLabels {
  const tasks = `${NAMES.application}=${application}`;
  return { runs: `${tasks},${NAMES.type}=build`, tasks, component: NAMES.component };
}

export interface FollowRunsOptions {
  cluster: Cluster;
  chain: ChainPlan;
  namespace: string;
  labels: RunLabels;
  /** The commit to follow; where it is not known, that of the first new runs ({@link CommitChoice}). */
  revision: string | undefined;
  /** Runs that are older, and not meant. */
  before: ReadonlySet<string>;
  /** Runs that were seen to end already, by component. */
  finished: Readonly<Record<string, RunFacts>>;
  /** What Chains was seen to write already, by component. */
  signed?: Readonly<Record<string, string>> | undefined;
  /** Milliseconds: until a run of each component is there, and until all are over. */
  timeouts: { started: number; runs: number };
  progress: Progress;
  secrecy: Secrecy;
  signal: AbortSignal;
  /** Called where something is known that a resumed run must not lose. */
  onKnown: (known: {
    revision?: string;
    finished?: Record<string, RunFacts>;
    /** What Chains wrote on the runs, by component. */
    signed?: Record<string, string>;
  }) => void;
}

/** The components whose runs a chain has, the builder's first. */
export function componentsOf(chain: ChainPlan): readonly { component: string; role: string }[] {
  return chain.images.flatMap(({ component, role }, index) =>
    component === undefined && index > 0 ? [] : [{ component: component ?? chain.primary.name, role }],
  );
}

/**
 * Follows the PipelineRuns of one commit and their tasks until all are over, shows what happens, and fetches the log of a
 * step that fails. Throws `WAIT_TIMEOUT` where they don't start or don't end in time.
 */
export async function followRuns(
  options: FollowRunsOptions,
): Promise<{ revision: string; runs: Map<string, RunFacts>; names: Map<string, string> }> {
  const { cluster, chain, namespace, labels, before, progress, timeouts } = options;
  const components = componentsOf(chain).map(({ component }) => component);
  const records = new Map<string, RunRecord>();
  const tasks = new Map<string, TaskRecord>();
  const finished = new Map(Object.entries(options.finished));
  const signed = new Map(Object.entries(options.signed ?? {}));
  const logs: Promise<void>[] = [];
  const settling = new Set<string>();
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const choice = options.revision === undefined ? new CommitChoice(components) : undefined;
  let revision = options.revision;
  let timer = setTimeout(() => stop.abort(timeout('started')), timeouts.started);

  const done = (): boolean => components.every((component) => finished.has(component));
  const onRun = (object: Resource): void => {
    const run = readRun(object, labels.component);
    if (!components.includes(run.component) || before.has(run.name)) return;
    // Pull requests have runs of the same component and commit.
    if (!run.name.startsWith(`${run.component}-on-push`)) return;
    if (choice !== undefined && !choice.isSettled) {
      const chosen = choice.add(run);
      if (chosen !== undefined && chosen !== revision) {
        choose(chosen);
        for (const other of choice.of(chosen)) take(other);
      }
      // One that has not all its runs may be somebody else's: a resumed run must be free to see that.
      if (choice.isSettled) options.onKnown({ revision: chosen });
    }
    if (run.revision === revision) take(run);
  };
  const choose = (chosen: string): void => {
    progress.line(`commit     ${chosen}${revision === undefined ? '' : `, not ${revision}: it has all the runs`}`);
    // Where none was followed yet, what is finished is what a resumed run remembers of this one.
    if (revision !== undefined) {
      for (const known of [records, finished, signed]) known.clear();
      options.onKnown({ finished: {}, signed: {} });
    }
    revision = chosen;
  };
  const take = (run: RunRecord): void => {
    const known = records.get(run.component);
    // A commit that was built twice: the later run counts, also after an earlier one has ended.
    if (known !== undefined && known.uid !== run.uid && !isLater(run, known)) return;
    const ended = finished.get(run.component);
    if (ended !== undefined && ended.name !== run.name) {
      if ((run.startedAt ?? run.created) <= ended.startedAt) return;
      finished.delete(run.component);
      signed.delete(run.component);
    }
    records.set(run.component, run);
    if (known?.uid !== run.uid) {
      progress.line(`${run.component}: PipelineRun ${run.name}`);
      // Tasks come by another watch, which may be ahead.
      for (const task of tasks.values()) if (task.run === run.name) present(run.component, task, undefined);
    }
    if (records.size === components.length && known === undefined) {
      clearTimeout(timer);
      timer = setTimeout(() => stop.abort(timeout('runs')), timeouts.runs);
    }
    // Who prunes runs does so after Chains was here, and perhaps before anybody else looks.
    if (run.signed !== undefined && run.signed !== signed.get(run.component)) {
      signed.set(run.component, run.signed);
      options.onKnown({ signed: Object.fromEntries(signed) });
    }
    if (isOver(run) && !settling.has(run.uid)) {
      settling.add(run.uid);
      settle(run).catch((error) => stop.abort(error));
    }
  };
  const onRunGone = (uid: string): void => {
    const run = [...records.values()].find((record) => record.uid === uid);
    if (run === undefined || settling.has(uid)) return;
    settling.add(uid);
    // Nobody will ever know how it would have ended; what was seen of it is judged.
    const message = `the PipelineRun was deleted while it was ${run.reason || 'not started'}`;
    const last = { ...run, succeeded: 'False', reason: 'Deleted', message, finishedAt: Date.now() };
    settle(last).catch((error) => stop.abort(error));
  };
  const onTask = (object: Resource): void => {
    const task = readTask(object);
    if (!components.some((component) => task.run.startsWith(`${component}-on-push`))) return;
    const key = `${task.run}/${task.name}`;
    const known = tasks.get(key);
    tasks.set(key, { ...task, logTail: known?.logTail });
    const component = [...records.values()].find(({ name }) => name === task.run)?.component;
    if (component !== undefined) present(component, task, known);
  };
  const present = (component: string, task: TaskRecord, known: TaskRecord | undefined): void => {
    show(component, task, known, progress);
    if (task.stuck !== undefined && task.stuck !== known?.stuck) {
      progress.line(options.secrecy.clean(`${component} · ${task.name} has no room yet: ${task.stuck}`));
    }
    if (task.status === 'Failed' && known?.status !== 'Failed') logs.push(fetchLog(`${task.run}/${task.name}`, task));
  };
  const fetchLog = async (key: string, task: TaskRecord): Promise<void> => {
    if (task.failed === undefined) return;
    const log = await cluster.log(task.failed.pod, task.failed.container, namespace).catch(() => undefined);
    const known = tasks.get(key);
    if (log === undefined || known === undefined) return;
    const lines = options.secrecy.clean(log).trimEnd().split('\n').slice(-12);
    known.logTail = lines;
    for (const line of lines) progress.line(`    ${line}`);
  };
  const settle = async (run: RunRecord): Promise<void> => {
    const own = await cluster.list(KINDS.taskRun, namespace, `${NAMES.pipelineRun}=${run.name}`, signal);
    for (const task of own.items) onTask(task);
    await Promise.all(logs);
    if (records.get(run.component)?.uid !== run.uid) return;
    finished.set(run.component, options.secrecy.cleanAll(factsOf(run, tasks.values())));
    options.onKnown({ finished: Object.fromEntries(finished), ...(revision === undefined ? {} : { revision }) });
    const good = run.succeeded === 'True';
    progress.ended(run.component, good ? 'passed' : 'failed', good ? '' : options.secrecy.clean(run.message));
    if (done()) stop.abort();
  };

  try {
    if (!done()) {
      await Promise.all([
        follow(cluster, KINDS.pipelineRun, {
          namespace,
          selector: labels.runs,
          onObject: onRun,
          onGone: onRunGone,
          signal,
        }),
        follow(cluster, KINDS.taskRun, { namespace, selector: labels.tasks, onObject: onTask, signal }),
      ]);
    }
  } finally {
    stop.abort();
    clearTimeout(timer);
  }
  options.signal.throwIfAborted();
  if (!done()) throw stop.signal.reason;
  const names = new Map([...finished].map(([component, { name }]) => [component, name]));
  return { revision: revision ?? '', runs: finished, names };

  function stuck(): string {
    const waiting = [...tasks.values()].filter((task) => task.stuck !== undefined);
    return options.secrecy.clean(waiting.map((task) => `\n${task.name} had no room: ${task.stuck}`).join(''));
  }

  function timeout(wait: 'started' | 'runs'): E2eError {
    const open = components.filter((component) =>
      wait === 'started' ? !records.has(component) : !finished.has(component),
    );
    const look = `kubectl get pipelineruns -n ${namespace} -l ${labels.tasks}`;
    const what = wait === 'started' ? 'no PipelineRun started' : 'the PipelineRuns did not end';
    return new E2eError('WAIT_TIMEOUT', `${what} in time for ${open.join(', ')} (criterion single-pipeline)`, {
      expected: `within ${span(timeouts[wait])}; --timeout ${wait}=… sets another limit`,
      found:
        [...records.values()].map(({ name, reason }) => `${name}: ${reason || 'not started'}`).join(', ') + stuck() ||
        'none of this commit',
      hint:
        records.size === 0 && options.revision !== undefined
          ? `runs that are over may have been pruned: pnpm e2e verify ${chain.primary.repository}:${revision} proves what is published; if they are still to come, look with: ${look}`
          : `look with: ${look}; go on with --resume`,
    });
  }
}

/** Kubernetes' times are whole seconds: where they are equal, the name decides, so that it is the same one each time. */
function isLater(run: RunRecord, other: RunRecord): boolean {
  return run.created === other.created ? run.name > other.name : run.created > other.created;
}

function show(component: string, task: TaskRecord, known: TaskRecord | undefined, progress: Progress): void {
  const what = `${component} · ${task.name}`;
  const over = (status: string | undefined): boolean =>
    status === 'Succeeded' || status === 'Failed' || status === 'Cancelled';
  if (known === undefined && !over(task.status)) progress.started(what);
  if (over(task.status) && !over(known?.status)) {
    progress.ended(what, task.status === 'Succeeded' ? 'passed' : 'failed', task.message ?? '');
  }
}
