import type { Report } from '../../../report/report.ts';
import { KINDS } from '../api/resource.ts';
import {
  type ClusterPlan,
  type ClusterRun,
  type ClusterRunOptions,
  type ClusterTarget,
  runOnCluster,
} from '../cluster-run.ts';
import { componentsOf, konfluxLabels } from '../runs.ts';
import type { StateKeeper, TenantState } from '../state.ts';
import { awaitChain, chainEvidence } from './chain-outcome.ts';
import { awaitOutcome, outcomeEvidence } from './outcome.ts';
import { preflightTenant } from './preflight.ts';
import { setUp } from './set-up.ts';
import { findAsked, trigger, unlessRefused } from './trigger.ts';

/**
 * Applies the chain to a Konflux tenant, starts its builds, follows them, and judges what came out by the same criteria as
 * a local run. Answers with undefined after a dry run. Throws an `E2eError` where the run can't be made.
 */
export function runTenant(options: ClusterRunOptions): Promise<Report | undefined> {
  const target: ClusterTarget = {
    name: 'tenant',
    place({ chain: { namespace, application } }) {
      return { namespace, description: `application ${application}`, stateName: application };
    },
    plan: async (run, found) => planTenant(options, run, found),
  };
  return runOnCluster(options, target);
}

function planTenant(options: ClusterRunOptions, run: ClusterRun, found: TenantState): ClusterPlan {
  const { config, cluster, namespace, dryRun, progress } = run;
  const { chain } = config;
  const { commit: revision = found.revision } = options;
  const labels = konfluxLabels(chain.application);
  const components = componentsOf(chain).map(({ component }) => component);
  // Of builds of which one was refused the other's commit may be known already.
  const isOpen = revision === undefined || found.triggering === true;
  const changes = options.commit === undefined && found.triggeredAt === undefined && isOpen;
  return {
    chain,
    labels,
    known: { revision },
    preflight: () => preflightTenant({ ...run, changes, signers: options }),

    async begin(keeper) {
      // What an earlier run left must not be taken for this one's, wherever this one is killed.
      if (!dryRun && !options.resume) await keeper.save({});
      if (dryRun && !changes) {
        progress.line(`would follow the builds of ${revision ?? 'the last run'}; applies and starts nothing`);
        return false;
      }
      if (!changes) return true;
      await setUp(run);
      if (dryRun) return false;
      await triggerAll(keeper);
      progress.line('builds are asked for');
      return true;
    },

    follow(keeper, work) {
      const { state } = keeper;
      const asked = state.triggeredAt === undefined ? [] : components;
      // Asked for again where this run is taken up.
      const onRefused = (): void => keeper.note({ triggeredAt: undefined });
      return unlessRefused({ ...run, labels, components: asked, state, onRefused }, work);
    },

    async conclude(keeper, runs) {
      const onSigned = (component: string, value: string): void =>
        keeper.note({ signed: { ...keeper.state.signed, [component]: value } });
      const outcomes = await awaitOutcome({ ...run, runs, signed: keeper.state.signed, onSigned });
      const isReleased = chain.release === 'chain';
      const isWhole = runs.size === components.length && outcomes.every(({ snapshot }) => snapshot !== undefined);
      const whole = isReleased && isWhole ? await awaitChain(run, keeper.state.revision ?? '') : undefined;
      const made = outcomes.flatMap(({ snapshot }) => snapshot?.name ?? []);
      return {
        snapshots: [...made, ...(whole?.snapshot === undefined ? [] : [whole.snapshot.name])],
        evidence(images) {
          const own = outcomeEvidence(outcomes, run, images);
          if (!isReleased) return own;
          const more = chainEvidence(whole, run, images);
          return {
            'scanner-extracts': [...own['scanner-extracts'], ...more['scanner-extracts']],
            'scanned-and-signed': [...own['scanned-and-signed'], ...more['scanned-and-signed']],
          };
        },
      };
    },
  };

  async function triggerAll(keeper: StateKeeper): Promise<void> {
    const { items } = await cluster.list(KINDS.pipelineRun, namespace, labels.runs);
    // One that was killed in the middle of asking goes on with those that were not asked for.
    const before = found.triggering ? found.before : items.map(({ metadata }) => metadata.name);
    await keeper.save({ before, triggering: true });
    const fresh = items.filter(({ metadata }) => !before.includes(metadata.name));
    const asked = found.triggering ? await findAsked(cluster, components, namespace, fresh) : [];
    const open = components.filter((component) => !asked.includes(component));
    await trigger(cluster, open, namespace);
    await keeper.save({ triggeredAt: Date.now() });
  }
}
