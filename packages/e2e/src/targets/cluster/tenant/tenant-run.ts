import { createRegistry, type Registry, type VerificationKey } from '@multi-image/digest-chain';
import type { Progress } from '@multi-image/kit/progress';
import { type LoadedConfig, loadConfig } from '@multi-image/manifests';
import type { ObservedImage } from '../../../judge/observation.ts';
import type { ImageRunner } from '../../../look/run-images.ts';
import type { Report } from '../../../report/report.ts';
import { Cluster } from '../cluster.ts';
import type { ClusterOptions } from '../cluster-session.ts';
import { settleFindings } from '../finding.ts';
import { judgeRuns } from '../judge-runs.ts';
import { KINDS } from '../resource.ts';
import { componentsOf, followRuns, konfluxLabels } from '../runs.ts';
import { Secrecy } from '../secrecy.ts';
import { defaultStateFile, loadState, StateKeeper, type TenantState } from '../state.ts';
import type { Timeouts } from '../timeouts.ts';
import { awaitOutcome, outcomeEvidence } from './outcome.ts';
import { preflightTenant } from './preflight.ts';
import { setUp } from './set-up.ts';
import { findAsked, trigger, unlessRefused } from './trigger.ts';

export interface TenantRunOptions extends Pick<ClusterOptions, 'kubeconfig' | 'context' | 'pauses' | 'loginPatience'> {
  /** The config's path. */
  config: string;
  /** Follow the runs of this commit; nothing is applied and nothing is triggered. */
  commit?: string | undefined;
  /** Only say what would be applied. */
  dryRun?: boolean;
  /** Take up the last run where it was left. */
  resume?: boolean;
  stateFile?: string | undefined;
  timeouts: Timeouts;
  /** In place of Chains' key in the cluster. */
  keys?: readonly VerificationKey[] | undefined;
  registry?: Registry;
  /** Runs an image and answers with what it printed; undefined where this machine can't. */
  runImage?: ImageRunner;
  progress: Progress;
  signal: AbortSignal;
}

/**
 * Applies the chain to a Konflux tenant, starts its builds, follows them, and judges what came out by the same criteria as
 * a local run. Answers with undefined after a dry run. Throws an `E2eError` where the run can't be made.
 */
export async function runTenant(options: TenantRunOptions): Promise<Report | undefined> {
  const { signal, timeouts } = options;
  const began = Date.now();
  const config = await loadConfig(options.config);
  const { chain } = config;
  const namespace = chain.namespace;
  const cluster = new Cluster({
    ...options,
    onExpired: (hint) => progress.line(`the login expired: ${hint}`),
    onTrouble: (what) => progress.line(what),
  });
  const secrecy = new Secrecy(() => cluster.secrets);
  const progress = secrecy.progress(options.progress);
  const file = options.stateFile ?? defaultStateFile(cluster.server, namespace, chain.application);
  const place = { server: cluster.server, namespace, application: chain.application };
  progress.line(`cluster    ${cluster.server} (context ${cluster.context})`);
  progress.line(`namespace  ${namespace}, application ${chain.application}`);
  let keeper: StateKeeper | undefined;
  try {
    const registry = options.registry ?? createRegistry({ signal });
    let state: TenantState = options.resume
      ? await loadState(file, place)
      : { version: 1, ...place, startedAt: began, before: [], finished: {} };
    if (options.commit !== undefined) state = { ...state, revision: options.commit };
    keeper = new StateKeeper(file, state, secrecy);
    // Of builds of which one was refused the other's commit may be known already.
    const isOpen = state.revision === undefined || state.triggering === true;
    const changes = options.commit === undefined && state.triggeredAt === undefined && isOpen;

    const found = await preflightTenant({ cluster, config, namespace, registry, changes, keys: options.keys });
    settleFindings(found.findings, progress);
    const keys = found.keys;
    // What an earlier run left must not be taken for this one's, wherever this one is killed.
    if (!options.dryRun && !options.resume) {
      keeper.note({});
      await keeper.settled();
    }

    const { dryRun = false } = options;
    if (dryRun && !changes) {
      progress.line(`would follow the builds of ${state.revision ?? 'the last run'}; applies and starts nothing`);
      return undefined;
    }
    if (changes) {
      await setUp({ cluster, config, namespace, timeout: timeouts.configured, dryRun, progress, signal });
      if (dryRun) return undefined;
      const { items } = await cluster.list(KINDS.pipelineRun, namespace, konfluxLabels(chain.application).runs);
      // One that was killed in the middle of asking goes on with those that were not asked for.
      const before = state.triggering ? state.before : items.map(({ metadata }) => metadata.name);
      keeper.note({ before, triggering: true });
      await keeper.settled();
      const components = componentsOf(chain).map(({ component }) => component);
      const fresh = items.filter(({ metadata }) => !before.includes(metadata.name));
      const asked = state.triggering ? await findAsked(cluster, components, namespace, fresh) : [];
      await trigger(
        cluster,
        components.filter((component) => !asked.includes(component)),
        namespace,
      );
      keeper.note({ triggeredAt: Date.now() });
      await keeper.settled();
      progress.line('builds are asked for');
    }

    const known = keeper;
    const onKnown = (news: Partial<TenantState>): void => known.note(news);
    ({ state } = known);
    const labels = konfluxLabels(chain.application);
    const { revision, runs } = await unlessRefused(
      {
        cluster,
        labels,
        namespace,
        components: state.triggeredAt === undefined ? [] : componentsOf(chain).map(({ component }) => component),
        state,
        // Asked for again where this run is taken up.
        onRefused: () => known.note({ triggeredAt: undefined }),
        timeout: timeouts.started,
        signal,
      },
      (until) =>
        followRuns({
          cluster,
          chain,
          namespace,
          labels,
          revision: state.revision,
          before: new Set(state.before),
          finished: state.finished,
          signed: state.signed,
          timeouts,
          progress,
          secrecy,
          signal: until,
          onKnown,
        }),
    );
    await known.settled();

    const succeeded = new Map(
      [...runs].flatMap(([component, { status, name }]) => (status === 'Succeeded' ? [[component, name]] : [])),
    );
    const outcome = await awaitOutcome({
      cluster,
      config,
      namespace,
      runs: succeeded,
      signed: known.state.signed ?? {},
      timeouts,
      progress,
      signal,
      onKnown,
    });
    const judged = await judgeRuns({
      chain,
      revision,
      runs,
      registry,
      keys,
      signer: 'chains',
      runImage: options.runImage,
      more: (images) => outcomeEvidence(outcome, chain, digests(config, images)),
    });
    return secrecy.cleanAll<Report>({
      version: 1,
      target: 'tenant',
      ...judged,
      revision,
      uncommitted: [],
      cluster: {
        server: cluster.server,
        namespace,
        application: chain.application,
        snapshots: outcome.snapshots.map(({ name }) => name),
      },
      duration: Date.now() - began,
    });
  } catch (error) {
    throw secrecy.hide(error);
  } finally {
    progress.stop();
    // A state that is half written is worse than one that is late.
    await keeper?.settled().catch(() => {});
  }
}

/** The published digest of each component's image. */
function digests({ chain }: LoadedConfig, images: readonly ObservedImage[]): Map<string, string | undefined> {
  return new Map(
    componentsOf(chain).map(({ component, role }) => [
      component,
      images.find((image) => image.role === role)?.published.digest,
    ]),
  );
}
