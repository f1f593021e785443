import { formatLimit } from '@multi-image/kit/durations';
import { KONFLUX } from '@multi-image/kit/konflux';
import { E2eError } from '../../../errors.ts';
import type { Cluster } from '../api/cluster.ts';
import { isGoing } from '../api/deletion.ts';
import { waitFor } from '../api/follow.ts';
import { KINDS, type Resource, text } from '../api/resource.ts';
import type { ClusterRun } from '../cluster-run.ts';
import type { Finding } from '../finding.ts';
import { componentsOf } from '../runs.ts';
import { buildStatus, isAsked, isConfigured, requestOf } from './build-status.ts';
import { checkImages, checkRepositories, failWithRepositories, findUnmade } from './image-repositories.ts';
import { findUnlinkedSecrets } from './linked-secrets.ts';

/** A component that Konflux has to be asked for again, and why. */
export interface Unconfigured {
  name: string;
  /** What was asked for in the first place. */
  request: string;
  found: string;
}

/** The components of which Konflux says that it could not set them up, or not start a build: it tries by itself never again. */
export async function findUnconfigured(
  cluster: Cluster,
  objects: readonly Resource[],
): Promise<readonly Unconfigured[]> {
  const found = await Promise.all(
    objects.map(async (object): Promise<Unconfigured[]> => {
      const { name, namespace = '' } = object.metadata;
      const request = requestOf(object);
      const current = request === undefined ? undefined : await cluster.read(object, name, namespace);
      const status = current === undefined || isGoing(current) || isAsked(current) ? undefined : buildStatus(current);
      // Of one that has no state yet nothing was carried out: applying it asks.
      if (request === undefined || status === undefined || status.state === '' || isConfigured(status)) return [];
      return [{ name, request, found: status.message }];
    }),
  );
  return found.flat();
}

export async function askAgain(
  cluster: Cluster,
  unconfigured: readonly Unconfigured[],
  namespace: string,
): Promise<void> {
  for (const { name, request } of unconfigured)
    await cluster.annotate(KINDS.component, name, namespace, { [KONFLUX.request]: request });
}

/**
 * Waits until Konflux made of each component what a build needs: Pipelines as Code is set up, the image repository is
 * there, and is the config's. Throws `COMPONENT_NOT_CONFIGURED` with what Konflux says, or `WAIT_TIMEOUT`.
 */
export async function configure(run: ClusterRun): Promise<void> {
  const stop = new AbortController();
  const until = { ...run, signal: AbortSignal.any([run.signal, stop.signal]) };
  const components = componentsOf(run.config.chain).map(({ component }) => configureOne(component, until));
  try {
    await Promise.race([Promise.all(components), failWithRepositories(until)]);
  } finally {
    stop.abort();
  }
  await checkImages(run);
  await checkRepositories(run);
}

async function configureOne(component: string, run: ClusterRun): Promise<void> {
  const { cluster, namespace, progress, signal } = run;
  const { configured: timeout } = run.timeouts;
  const what = `${component} · configured`;
  progress.started(what);
  let last = 'no such component';
  let hasImage = true;
  const end = await waitFor(cluster, KINDS.component, {
    namespace,
    timeout,
    signal,
    subject: { name: component, gone: 'gone' },
    look(object): 'enabled' | 'failed' | 'gone' | undefined {
      if (object.metadata.name !== component) return undefined;
      const image = text(object, 'spec', 'containerImage');
      hasImage = image !== undefined;
      // While something is asked for, the status is of before.
      const status = isAsked(object) ? undefined : buildStatus(object);
      if (isGoing(object)) last = 'it is being deleted';
      else if (image === undefined) last = 'no containerImage yet';
      else last = status?.message ?? 'no build status yet';
      if (isGoing(object) || (status !== undefined && !isConfigured(status))) return 'failed';
      return status === undefined || image === undefined ? undefined : 'enabled';
    },
  });
  if (end === 'gone') last = 'it was deleted';
  progress.ended(what, end === 'enabled' ? 'passed' : 'failed', last);
  if (end === 'enabled') return;
  if (end !== undefined) {
    throw new E2eError('COMPONENT_NOT_CONFIGURED', `Konflux could not configure component ${component}`, {
      expected: 'state enabled',
      found: last,
      hint: `when that is cured, run again; by hand: kubectl annotate component/${component} -n ${namespace} ${KONFLUX.request}=configure-pac-no-mr --overwrite`,
    });
  }
  const unmade = hasImage ? undefined : await findUnmade(component, run);
  throw new E2eError('WAIT_TIMEOUT', `Konflux did not configure component ${component} in time`, {
    expected: `state enabled within ${formatLimit(timeout)}; --timeout configured=… sets another limit`,
    found: unmade === undefined ? last : `${last}: ${unmade.found}`,
    hint:
      unmade?.hint ??
      `kubectl get component ${component} -n ${namespace} -o yaml shows the annotation ${KONFLUX.buildStatus}`,
  });
}

/**
 * Waits until the push secrets are linked to the accounts that push; Konflux and this run's apply both link some. Throws
 * `PREFLIGHT_FAILED` for those that stay unlinked.
 */
export async function waitLinked(run: ClusterRun): Promise<void> {
  let unlinked: readonly Finding[] = [];
  const look = async (): Promise<boolean> => {
    unlinked = await findUnlinkedSecrets(run, false);
    return unlinked.length === 0;
  };
  if (await run.cluster.poll(look, { timeout: run.timeouts.configured, signal: run.signal })) return;
  throw new E2eError('PREFLIGHT_FAILED', 'the builds could not push: secrets are not linked', {
    expected: 'every push secret linked to the service accounts that push',
    found: unlinked.map(({ what }) => what).join('\n'),
    hint: unlinked[0]?.hint,
  });
}
