import { randomBytes } from 'node:crypto';
import type { VerificationKey } from '@multi-image/digest-chain';
import type { ChainPlan } from '@multi-image/manifests';
import { dump } from 'js-yaml';
import type { Elsewhere } from '../../../elsewhere.ts';
import type { Report } from '../../../report/report.ts';
import { pemOf } from '../../../report/report-of.ts';
import { keysOf } from '../chains-key.ts';
import {
  type ClusterPlan,
  type ClusterRun,
  type ClusterRunOptions,
  type ClusterTarget,
  runOnCluster,
} from '../cluster-run.ts';
import { awaitSigned, signedEvidence } from '../signed.ts';
import type { TenantState } from '../state.ts';
import { findCommit } from './commit.ts';
import { assemble, labelsOf, makeRuns } from './pipeline-runs.ts';
import { preflightTekton } from './preflight.ts';
import { whereToBuild } from './where-to-build.ts';

export interface TektonRunOptions extends ClusterRunOptions {
  /** Registry and organisation, in place of the config's. */
  imageRegistry?: string | undefined;
  gitUrl?: string | undefined;
  /** Of the runs; the context's by default. */
  namespace?: string | undefined;
  serviceAccount: string;
  gitSecret?: string | undefined;
  standIns: boolean;
  plainHttp: boolean;
  /** Gets the PipelineRuns of a dry run, as YAML, once the server has said that it would take them. */
  print?: (yaml: string) => void;
  /** How this machine calls the registry that the cluster calls otherwise. */
  elsewhere?: Elsewhere | undefined;
}

/**
 * Builds the chain on any cluster with Tekton: makes the PipelineRuns that a push would start, with pipeline and tasks
 * inside, follows them, and judges what came out by the same criteria as every other target. Answers with undefined after
 * a dry run. Throws an `E2eError` where the run can't be made.
 */
export function runTekton(options: TektonRunOptions): Promise<Report | undefined> {
  const target: ClusterTarget = {
    name: 'tekton',
    place: ({ chain }, cluster) => ({
      namespace: options.namespace ?? cluster.namespace ?? 'default',
      description: `service account ${options.serviceAccount}`,
      stateName: `${chain.application}-tekton`,
    }),
    plan: (run, found) => planTekton(options, run, found),
  };
  return runOnCluster(options, target);
}

async function planTekton(options: TektonRunOptions, run: ClusterRun, found: TenantState): Promise<ClusterPlan> {
  const { config, cluster, namespace, dryRun, timeouts, progress, signal } = run;
  const { imageRegistry = found.imageRegistry, gitUrl = found.gitUrl } = options;
  const built = await whereToBuild(config, imageRegistry, gitUrl, namespace);
  const published = await keysOf(options, cluster).catch(() => undefined);
  const keys = published === undefined || 'level' in published ? undefined : published;
  const chain = keys === undefined || keys.length === 0 ? built : withKeys(built, keys);
  const revision = found.revision ?? (await findCommit(config.root, options.commit));
  const invocation = found.invocation ?? invocationName();
  const labels = labelsOf(invocation);
  progress.line(`commit     ${revision} of ${chain.gitUrl}`);
  progress.line(`images     ${chain.registry}`);
  // One that was stopped before both runs were made goes on with that: their names are in its state.
  const makes = found.triggeredAt === undefined;
  const runs = await assemble(chain, config, { ...options, revision, invocation });
  return {
    chain,
    labels,
    known: { revision, invocation, imageRegistry, gitUrl },
    byHand: { plainHttp: options.plainHttp, elsewhere: options.elsewhere },

    async preflight() {
      const findings = await preflightTekton({
        ...run,
        chain,
        serviceAccount: options.serviceAccount,
        runs,
        makes: makes ? { config, gitUrl: chain.gitUrl, revision, signal } : undefined,
      });
      return { findings, keys };
    },

    async begin(keeper) {
      if (!makes) return true;
      if (!dryRun) await keeper.save({ triggering: true });
      await makeRuns(cluster, runs, { dryRun, progress });
      if (dryRun) {
        options.print?.(runs.map((made) => `---\n${dump(made, { noRefs: true })}`).join(''));
        return false;
      }
      await keeper.save({ triggeredAt: Date.now() });
      return true;
    },

    follow: (_, work) => work(signal),

    async conclude({ state }, succeeded, hasKeys) {
      const where = { cluster, namespace, selector: labels.runs, known: state.signed, progress, signal };
      const evidence = await Promise.all(
        [...(hasKeys ? succeeded : [])].map(async ([component, name]) =>
          signedEvidence(component, await awaitSigned(component, { ...where, run: name, timeout: timeouts.signed })),
        ),
      );
      return { snapshots: [], evidence: () => ({ 'scanned-and-signed': evidence }) };
    },
  };
}

/** Scanners wait for what this cluster's Chains signs; how much of it, the config says. */
function withKeys(chain: ChainPlan, keys: readonly VerificationKey[]): ChainPlan {
  const { builderId, waitFor = 'signed' } = chain.buildSystem ?? {};
  return { ...chain, buildSystem: { publicKey: pemOf(keys).join(''), builderId, waitFor } };
}

/** Letters and digits, as Kubernetes makes the ends of names. */
function invocationName(): string {
  return randomBytes(4).readUInt32BE().toString(36).padStart(7, '0').slice(-6);
}
