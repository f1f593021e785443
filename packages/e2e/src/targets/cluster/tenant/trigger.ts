import { KONFLUX } from '@multi-image/kit/konflux';
import { E2eError } from '../../../errors.ts';
import type { Cluster } from '../api/cluster.ts';
import { follow } from '../api/follow.ts';
import { KINDS, type Resource } from '../api/resource.ts';
import type { ClusterRun } from '../cluster-run.ts';
import type { RunLabels } from '../runs.ts';
import type { TenantState } from '../state.ts';
import { buildStatus, requestOf } from './build-status.ts';

const BUILD = 'trigger-pac-build';

/** Asks the build service for a build of each component. */
export async function trigger(cluster: Cluster, components: readonly string[], namespace: string): Promise<void> {
  await Promise.all(
    components.map((component) =>
      cluster.annotate(KINDS.component, component, namespace, { [KONFLUX.request]: BUILD }),
    ),
  );
}

/** The components whose builds were asked for already: the request is still there, or the run is. */
export async function findAsked(
  cluster: Cluster,
  components: readonly string[],
  namespace: string,
  runs: readonly Resource[],
): Promise<readonly string[]> {
  const asked = await Promise.all(
    components.map(async (component) => {
      const object = await cluster.read(KINDS.component, component, namespace);
      const isPending = object !== undefined && requestOf(object) === BUILD;
      return isPending || runs.some(({ metadata }) => metadata.labels?.[KONFLUX.component] === component);
    }),
  );
  return components.filter((_, index) => asked[index]);
}

/** Once the time for runs to start is over all must be there: from then on nothing can be refused. */
export interface RefusalOptions extends Pick<ClusterRun, 'cluster' | 'namespace' | 'timeouts' | 'signal'> {
  labels: RunLabels;
  /** Those whose builds were asked for. */
  components: readonly string[];
  /** What is known of their runs. */
  state: Pick<TenantState, 'before' | 'finished'>;
  /** Called where the work ends for a refusal. */
  onRefused: () => void;
}

/**
 * Does work that waits for runs, and ends it with `COMPONENT_NOT_CONFIGURED` where Konflux refuses a build that was asked
 * for: it says so in the component's status, and no run ever comes.
 */
export async function unlessRefused<T>(options: RefusalOptions, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { cluster, timeouts } = options;
  const refused = new AbortController();
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal]);
  cluster.after(timeouts.started, signal, () => over.abort());
  const watching = watchRefusals({ ...options, signal }, (error) => {
    if (error.code === 'COMPONENT_NOT_CONFIGURED' && !refused.signal.aborted) options.onRefused();
    refused.abort(error);
  });
  try {
    return await work(AbortSignal.any([options.signal, refused.signal]));
  } catch (error) {
    throw await withPending(error, options);
  } finally {
    over.abort();
    await watching;
  }
}

/** The error of a wait for runs, with the builds that are still asked for: Konflux tries again, and says so in its log alone. */
async function withPending(error: unknown, options: RefusalOptions): Promise<unknown> {
  const { cluster, components, namespace } = options;
  if (!(error instanceof E2eError) || error.code !== 'WAIT_TIMEOUT') return error;
  const objects = await Promise.all(
    components.map((component) => cluster.read(KINDS.component, component, namespace).catch(() => undefined)),
  );
  const pending = objects.flatMap((object) =>
    object !== undefined && requestOf(object) === BUILD ? [object.metadata.name] : [],
  );
  if (pending.length === 0) return error;
  const { code, message, expected, found } = error;
  return new E2eError(code, message, {
    expected,
    found: `${found}; Konflux still tries to start those of ${pending.join(', ')}`,
    hint: "the log of Konflux' build service says what keeps it: Pipelines as Code, or the git host; go on with --resume",
  });
}

async function watchRefusals(options: RefusalOptions, end: (error: E2eError) => void): Promise<void> {
  const { cluster, labels, namespace, components, state, signal } = options;
  const started = new Set(Object.keys(state.finished));
  const look = async (component: string, found: string): Promise<void> => {
    const { items } = await cluster.list(KINDS.pipelineRun, namespace, labels.runs, signal);
    for (const { metadata } of items) {
      const of = metadata.labels?.[labels.component];
      if (of !== undefined && !state.before.includes(metadata.name)) started.add(of);
    }
    if (!started.has(component)) end(refusal(component, namespace, found));
  };
  const looks: Promise<void>[] = [];
  const fail = (error: unknown): void => {
    if (!signal.aborted) end(error as E2eError);
  };
  if (components.length === 0) return;
  await follow(cluster, KINDS.component, {
    namespace,
    signal,
    onObject(object) {
      const { name } = object.metadata;
      // An error of before was taken away when the component was configured; one of after its run is not about that.
      const error = requestOf(object) === undefined ? buildStatus(object)?.error : undefined;
      if (error !== undefined && components.includes(name) && !started.has(name))
        looks.push(look(name, error).catch(fail));
    },
  }).catch(fail);
  await Promise.all(looks);
}

function refusal(component: string, namespace: string, found: string): E2eError {
  const command = `kubectl annotate component/${component} -n ${namespace} ${KONFLUX.request}=${BUILD} --overwrite`;
  return new E2eError('COMPONENT_NOT_CONFIGURED', `Konflux refused to start a build of component ${component}`, {
    expected: 'a PipelineRun',
    found,
    hint: `when that is cured, go on with --resume, which asks again; by hand: ${command}`,
  });
}
