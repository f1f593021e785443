import { randomBytes } from 'node:crypto';
import type { Registry, VerificationKey } from '@multi-image/digest-chain';
import type { Progress } from '@multi-image/kit/progress';
import { loadConfig, render } from '@multi-image/manifests';
import { stringify } from 'yaml';
import type { ImageRunner } from '../../../look/run-images.ts';
import type { Report } from '../../../report/report.ts';
import { readChainsKey } from '../chains-key.ts';
import { Cluster } from '../cluster.ts';
import type { ClusterOptions } from '../cluster-session.ts';
import { settleFindings } from '../finding.ts';
import { judgeRuns } from '../judge-runs.ts';
import { followRuns } from '../runs.ts';
import { Secrecy } from '../secrecy.ts';
import { defaultStateFile, loadState, StateKeeper, type TenantState } from '../state.ts';
import type { Timeouts } from '../timeouts.ts';
import { assemble, labelsOf } from './assemble.ts';
import { awaitSignatures } from './await-signatures.ts';
import { findCommit } from './commit.ts';
import { bundlesOf } from './embed.ts';
import { makeRuns } from './make-runs.ts';
import { preflightTekton } from './preflight.ts';
import { whereToBuild } from './where-to-build.ts';

export interface TektonRunOptions extends Pick<ClusterOptions, 'kubeconfig' | 'context' | 'pauses' | 'loginPatience'> {
  /** The config's path. */
  config: string;
  /** Registry and organisation, in place of the config's. */
  imageRegistry?: string | undefined;
  gitUrl?: string | undefined;
  /** Of the runs; the context's by default. */
  namespace?: string | undefined;
  serviceAccount: string;
  gitSecret?: string | undefined;
  /** What to build; HEAD by default. */
  commit?: string | undefined;
  standIns: boolean;
  plainHttp: boolean;
  /** Make nothing; `print` gets the PipelineRuns, as YAML, once the server has said that it would take them. */
  dryRun: boolean;
  print?: (yaml: string) => void;
  resume: boolean;
  stateFile?: string | undefined;
  timeouts: Timeouts;
  /** Chains' public keys, where the cluster doesn't publish them. */
  keys?: readonly VerificationKey[] | undefined;
  /** Looks at the images. */
  registry: Registry;
  /** How this machine calls the registry that the cluster calls otherwise. */
  elsewhere?: { from: string; to: string } | undefined;
  /** Runs an image and answers with what it printed. */
  runImage?: ImageRunner | undefined;
  progress: Progress;
  signal: AbortSignal;
}

/**
 * Builds the chain on any cluster with Tekton: makes the PipelineRuns that a push would start, with pipeline and tasks
 * inside, follows them, and judges what came out by the same criteria as every other target. Answers with undefined after
 * a dry run. Throws an `E2eError` where the run can't be made.
 */
export async function runTekton(options: TektonRunOptions): Promise<Report | undefined> {
  const { signal, timeouts, registry } = options;
  const began = Date.now();
  const config = await loadConfig(options.config);
  const cluster = new Cluster({
    ...options,
    onExpired: (hint) => progress.line(`the login expired: ${hint}`),
    onTrouble: (what) => progress.line(what),
  });
  const secrecy = new Secrecy(() => cluster.secrets);
  const progress = secrecy.progress(options.progress);
  const namespace = options.namespace ?? cluster.namespace ?? 'default';
  const { application } = config.chain;
  const place = { server: cluster.server, namespace, application };
  const file = options.stateFile ?? defaultStateFile(cluster.server, namespace, `${application}-tekton`);
  progress.line(`cluster    ${cluster.server} (context ${cluster.context})`);
  progress.line(`namespace  ${namespace}, service account ${options.serviceAccount}`);
  let keeper: StateKeeper | undefined;
  try {
    const found: TenantState = options.resume
      ? await loadState(file, place)
      : { version: 1, ...place, startedAt: began, before: [], finished: {} };
    const { imageRegistry = found.imageRegistry, gitUrl = found.gitUrl } = options;
    const chain = await whereToBuild(config, { imageRegistry, gitUrl, namespace });
    const revision = found.revision ?? (await findCommit(config.root, options.commit));
    const invocation = found.invocation ?? invocationName();
    const known = new StateKeeper(file, { ...found, revision, invocation, imageRegistry, gitUrl }, secrecy);
    keeper = known;
    progress.line(`commit     ${revision} of ${chain.gitUrl}`);
    progress.line(`images     ${chain.registry}`);

    // One that was stopped before both runs were made goes on with that: their names are in its state.
    const makes = found.triggeredAt === undefined;
    const runs = await assemble(chain, config, { ...options, revision, invocation });
    const files = render(config.chain, config.pins, config.folder);
    const [findings, published] = await Promise.all([
      preflightTekton({
        cluster,
        chain,
        registry,
        serviceAccount: options.serviceAccount,
        bundles: bundlesOf(runs),
        standIns: options.standIns,
        makes: !makes ? undefined : { config, files, gitUrl: chain.gitUrl, revision, signal },
      }),
      options.keys ?? readChainsKey(cluster).catch(() => undefined),
    ]);
    settleFindings(findings, progress);
    const keys = published === undefined || 'level' in published ? undefined : published;

    if (makes) {
      if (!options.dryRun) {
        known.note({ triggering: true });
        await known.settled();
      }
      await makeRuns(cluster, runs, { dryRun: options.dryRun, progress });
      if (options.dryRun) {
        options.print?.(runs.map((run) => `---\n${stringify(run)}`).join(''));
        return undefined;
      }
      known.note({ triggeredAt: Date.now() });
      await known.settled();
    }
    const labels = labelsOf(invocation);
    const { runs: facts } = await followRuns({
      cluster,
      chain,
      namespace,
      labels,
      revision,
      before: new Set(),
      finished: found.finished,
      signed: found.signed ?? {},
      timeouts,
      progress,
      secrecy,
      signal,
      onKnown: (news) => known.note(news),
    });
    await known.settled();
    const succeeded = [...facts].flatMap(([component, { status, name }]) =>
      status === 'Succeeded' ? [[component, name] as const] : [],
    );
    const signed =
      keys === undefined
        ? []
        : await awaitSignatures(succeeded, {
            cluster,
            namespace,
            selector: labels.runs,
            timeouts,
            known: known.state.signed ?? {},
            progress,
            signal,
          });
    const judged = await judgeRuns({
      chain,
      revision,
      runs: facts,
      registry,
      keys: keys ?? [],
      signer: keys === undefined ? 'none' : 'chains',
      runImage: options.runImage,
      more: () => ({ 'scanned-and-signed': signed }),
    });
    return secrecy.cleanAll<Report>({
      version: 1,
      target: 'tekton',
      ...judged,
      revision,
      uncommitted: [],
      cluster: { server: cluster.server, namespace, application, snapshots: [] },
      byHand: { plainHttp: options.plainHttp, elsewhere: options.elsewhere },
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

/** Letters and digits, as Kubernetes makes the ends of names. */
function invocationName(): string {
  return randomBytes(4).readUInt32BE().toString(36).padStart(7, '0').slice(-6);
}
