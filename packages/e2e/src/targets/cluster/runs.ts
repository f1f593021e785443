import { formatLimit } from '@multi-image/kit/durations';
import { KONFLUX } from '@multi-image/kit/konflux';
import type { Progress } from '@multi-image/kit/progress';
import { TEKTON } from '@multi-image/kit/tekton';
import type { ChainPlan } from '@multi-image/manifests';
import { E2eError } from '../../errors.ts';
import type { RunFacts } from '../../judge/observation.ts';
import type { Cluster } from './api/cluster.ts';
import { follow } from './api/follow.ts';
import { KINDS, type Resource } from './api/resource.ts';
import { type RunRecord, readRun, readTask } from './facts.ts';
import {
  areFinished,
  type KnownRuns,
  type RunsEffect,
  type RunsEvent,
  type RunsState,
  reduceRuns,
  runsState,
} from './runs-reducer.ts';
import type { Secrecy } from './secrecy.ts';
import type { TenantState } from './state.ts';

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
  const tasks = `${KONFLUX.application}=${application}`;
  return { runs: `${tasks},${KONFLUX.pipelineType}=build`, tasks, component: KONFLUX.component };
}

export interface FollowRunsOptions {
  cluster: Cluster;
  chain: ChainPlan;
  namespace: string;
  labels: RunLabels;
  /** What is known of them: the commit, if it is; what ended and was signed already; names of runs that are not meant. */
  known: Pick<TenantState, 'revision' | 'before' | 'finished' | 'signed'>;
  /** Milliseconds: until a run of each component is there, and until all are over. */
  timeouts: { started: number; runs: number };
  progress: Progress;
  secrecy: Secrecy;
  signal: AbortSignal;
  /** Called where something is known that a resumed run must not lose. */
  onKnown: (known: KnownRuns) => void;
}

/** The components whose runs a chain has, the builder's first. */
export function componentsOf(chain: ChainPlan): readonly { component: string; role: string }[] {
  return chain.images.flatMap(({ component, role }, index) =>
    component === undefined && index > 0 ? [] : [{ component: component ?? chain.primary.name, role }],
  );
}

/**
 * Follows the PipelineRuns of one commit and their tasks until all are over, shows what happens, and fetches the log of a
 * step that fails. Answers with what the runs did, by component. Throws `WAIT_TIMEOUT` where they don't start or don't end
 * in time.
 */
export async function followRuns(
  options: FollowRunsOptions,
): Promise<{ revision: string; runs: ReadonlyMap<string, RunFacts> }> {
  const { cluster, chain, namespace, labels, progress, secrecy, timeouts } = options;
  const components = componentsOf(chain).map(({ component }) => component);
  let state = runsState(components, options.known);
  const logs: Promise<void>[] = [];
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const hasStarted = new AbortController();
  const limit = (wait: 'started' | 'runs', until: AbortSignal): void => {
    cluster.after(timeouts[wait], until, async () => stop.abort(timeout(wait, state, options, await lastWords())));
  };

  const dispatch = (event: RunsEvent): void => {
    const { state: next, effects } = reduceRuns(state, event);
    state = next;
    for (const effect of effects) perform(effect);
  };
  const perform = (effect: RunsEffect): void => {
    if (effect.type === 'line') progress.line(effect.text);
    else if (effect.type === 'started') progress.started(effect.what);
    else if (effect.type === 'ended') progress.ended(effect.what, effect.status, effect.note);
    else if (effect.type === 'remember') options.onKnown(effect.known);
    else if (effect.type === 'fetch-log') logs.push(fetchLog(effect.task, effect.from));
    else if (effect.type === 'settle') settle(effect.run).catch((error) => stop.abort(error));
    else if (effect.type === 'all-finished') stop.abort();
    else if (!hasStarted.signal.aborted) {
      hasStarted.abort();
      limit('runs', signal);
    }
  };
  let pulls: ReadonlyMap<string, number> | undefined;
  const onTask = (object: Resource): void => dispatch({ type: 'task', task: readTask(object, pulls) });
  const fetchLog = async (task: string, { pod, container }: { pod: string; container: string }): Promise<void> => {
    const log = await cluster.log(pod, container, namespace).catch(() => undefined);
    // As a whole: a key has many lines.
    if (log !== undefined) dispatch({ type: 'log', task, lines: secrecy.clean(log).trimEnd().split('\n').slice(-12) });
  };
  /** What the steps that are at work said last: what they wait for. */
  const lastWords = (): Promise<string[]> =>
    Promise.all(
      [...state.tasks.values()].map(async ({ name, status, working }) => {
        if (working === undefined || status !== 'Running') return '';
        const log = await cluster.log(working.pod, working.container, namespace).catch(() => undefined);
        const said = secrecy
          .clean(log ?? '')
          .trimEnd()
          .split('\n')
          .at(-1);
        return said ? `\n${name} goes on, and said last: ${said}` : '';
      }),
    );
  const settle = async (run: RunRecord): Promise<void> => {
    // What was known once stays known, where the cluster does not answer at this moment.
    pulls = (await cluster.pulls(namespace)) ?? pulls;
    const own = await cluster.list(KINDS.taskRun, namespace, `${TEKTON.pipelineRun}=${run.name}`, signal);
    for (const task of own.items) onTask(task);
    await Promise.all(logs);
    dispatch({ type: 'settled', run });
  };

  try {
    if (!areFinished(state)) {
      limit('started', AbortSignal.any([signal, hasStarted.signal]));
      await Promise.all([
        follow(cluster, KINDS.pipelineRun, {
          namespace,
          selector: labels.runs,
          onObject: (object) => dispatch({ type: 'run', run: readRun(object, labels.component) }),
          onGone: (uid) => dispatch({ type: 'gone', uid, at: Date.now() }),
          signal,
        }),
        follow(cluster, KINDS.taskRun, { namespace, selector: labels.tasks, onObject: onTask, signal }),
      ]);
    }
  } finally {
    stop.abort();
  }
  options.signal.throwIfAborted();
  if (!areFinished(state)) throw stop.signal.reason;
  const facts = secrecy.cleanAll(Object.fromEntries(state.finished));
  return { revision: state.revision ?? '', runs: new Map(Object.entries(facts)) };
}

function timeout(
  wait: 'started' | 'runs',
  state: RunsState,
  options: FollowRunsOptions,
  lastWords: readonly string[],
): E2eError {
  const { chain, namespace, labels, timeouts } = options;
  const { revision } = options.known;
  const records = [...state.records.values()];
  const seen: ReadonlyMap<string, unknown> = wait === 'started' ? state.records : state.finished;
  const open = state.components.filter((component) => !seen.has(component));
  const stuck = [...state.tasks.values()].filter((task) => task.stuck !== undefined);
  const look = `kubectl get pipelineruns -n ${namespace} -l ${labels.tasks}`;
  const what = wait === 'started' ? 'no PipelineRun started' : 'the PipelineRuns did not end';
  return new E2eError('WAIT_TIMEOUT', `${what} in time for ${open.join(', ')} (criterion single-pipeline)`, {
    expected: `within ${formatLimit(timeouts[wait])}; --timeout ${wait}=… sets another limit`,
    found:
      records.map(({ name, reason }) => `${name}: ${reason || 'not started'}`).join(', ') +
        [...stuck.map((task) => `\n${task.name} had no room: ${task.stuck}`), ...lastWords].join('') ||
      'none of this commit',
    hint:
      records.length === 0 && revision !== undefined
        ? `runs that are over may have been pruned: pnpm e2e verify ${chain.primary.repository}:${revision} proves what is published; if they are still to come, look with: ${look}`
        : `look with: ${look}; go on with --resume`,
  });
}
