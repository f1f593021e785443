import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadedConfig } from '@multi-image/manifests';
import type { Cluster } from '../cluster/cluster.ts';
import { waitFor } from '../cluster/follow.ts';
import { KINDS, NAMES, type Resource, text } from '../cluster/resource.ts';
import { componentsOf } from '../cluster/runs.ts';
import { E2eError } from '../errors.ts';
import type { Progress } from '../report/progress.ts';
import { buildStatus } from './build-status.ts';
import { findUnlinkedSecrets } from './linked-secrets.ts';

export interface ConfigureOptions {
  cluster: Cluster;
  config: LoadedConfig;
  namespace: string;
  /** Milliseconds. */
  timeout: number;
  progress: Progress;
  signal: AbortSignal;
}

/**
 * Waits until Konflux made of each component what a build needs: Pipelines as Code is set up, the image repository is
 * there. Throws `COMPONENT_NOT_CONFIGURED` with what the build service says, or `WAIT_TIMEOUT`.
 */
export async function configure(options: ConfigureOptions): Promise<void> {
  const { cluster, config, namespace, timeout, progress, signal } = options;
  await Promise.all(
    componentsOf(config.chain).map(async ({ component }) => {
      const what = `${component} · configured`;
      progress.started(what);
      let last = 'nothing yet';
      const status = await waitFor(cluster, KINDS.component, {
        namespace,
        timeout,
        signal,
        look(object) {
          if (object.metadata.name !== component) return undefined;
          const found = buildStatus(object);
          const image = text(object, 'spec', 'containerImage');
          last =
            found === undefined ? 'no build status yet' : image === undefined ? 'no containerImage yet' : found.message;
          if (found?.state === 'error') return found;
          return found?.state === 'enabled' && image !== undefined ? found : undefined;
        },
      });
      progress.ended(what, status?.state === 'enabled' ? 'passed' : 'failed', status?.message ?? last);
      const hint = `kubectl get component ${component} -n ${namespace} -o yaml shows the annotation ${NAMES.status}`;
      if (status === undefined) {
        throw new E2eError('WAIT_TIMEOUT', `Konflux did not configure component ${component} in time`, {
          expected: `state enabled within ${Math.round(timeout / 60_000)} minutes; --timeout configured=… sets another limit`,
          found: last,
          hint,
        });
      }
      if (status.state === 'error') {
        throw new E2eError('COMPONENT_NOT_CONFIGURED', `Konflux could not configure component ${component}`, {
          expected: 'state enabled',
          found: status.message,
          hint,
        });
      }
    }),
  );
}

/**
 * Waits until the push secrets are linked to the accounts that push; Konflux and this run's apply both link some. Throws
 * `PREFLIGHT_FAILED` for those that stay unlinked.
 */
export async function waitLinked({ cluster, config, namespace, timeout, signal }: ConfigureOptions): Promise<void> {
  const deadline = Date.now() + timeout;
  for (let attempt = 0; ; attempt++) {
    const unlinked = await findUnlinkedSecrets({ cluster, config, namespace, changes: false });
    if (unlinked.length === 0) return;
    if (Date.now() > deadline) {
      throw new E2eError('PREFLIGHT_FAILED', 'the builds could not push: secrets are not linked', {
        expected: 'every push secret linked to the service accounts that push',
        found: unlinked.map(({ what }) => what).join('\n'),
        hint: unlinked[0]?.hint ?? '',
      });
    }
    await Promise.race([cluster.pause(attempt, signal), sleep(deadline - Date.now() + 1, undefined, { signal })]);
  }
}

/** Asks the build service for a build of each component. */
export async function trigger(cluster: Cluster, components: readonly string[], namespace: string): Promise<void> {
  await Promise.all(
    components.map((component) =>
      cluster.annotate(KINDS.component, component, namespace, { [NAMES.request]: 'trigger-pac-build' }),
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
      const isPending = object?.metadata.annotations?.[NAMES.request] === 'trigger-pac-build';
      return isPending || runs.some(({ metadata }) => metadata.labels?.[NAMES.component] === component);
    }),
  );
  return components.filter((_, index) => asked[index]);
}
