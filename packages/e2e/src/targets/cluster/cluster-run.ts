import { createRegistry, type Registry, type VerificationKey } from '@multi-image/digest-chain';
import type { Progress } from '@multi-image/kit/progress';
import { type ChainPlan, type LoadedConfig, loadConfig } from '@multi-image/manifests';
import { judge } from '../../judge/criteria.ts';
import { type Evidence, extend } from '../../judge/criterion.ts';
import type { Observation, ObservedImage, RunFacts } from '../../judge/observation.ts';
import { observe } from '../../look/observe.ts';
import { type ImageRunner, podmanRunner } from '../../look/run-images.ts';
import type { Report } from '../../report/report.ts';
import { reportOf } from '../../report/report-of.ts';
import type { Signers } from '../signers.ts';
import { Cluster } from './api/cluster.ts';
import type { ClusterOptions } from './api/cluster-session.ts';
import { type Finding, settleFindings } from './finding.ts';
import { componentsOf, followRuns, type RunLabels } from './runs.ts';
import { Secrecy } from './secrecy.ts';
import { defaultStateFile, loadState, StateKeeper, type TenantState } from './state.ts';
import type { Timeouts } from './timeouts.ts';

export interface ClusterRunOptions
  extends Pick<ClusterOptions, 'kubeconfig' | 'context' | 'pauses' | 'clock'>,
    Signers {
  /** The config's path. */
  config: string;
  /** On a tenant: follow the runs of this commit, apply and trigger nothing. Elsewhere: what to build, HEAD by default. */
  commit?: string | undefined;
  /** Only say what would be made. */
  dryRun?: boolean;
  /** Take up the last run where it was left. */
  resume?: boolean;
  stateFile?: string | undefined;
  timeouts: Timeouts;
  /** Looks at the images. */
  registry?: Registry;
  /** Runs an image and answers with what it printed; undefined where this machine can't. */
  runImage?: ImageRunner | undefined;
  progress: Progress;
  signal: AbortSignal;
}

/** What everything in a run works with. */
export interface ClusterRun {
  readonly config: LoadedConfig;
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly registry: Registry;
  readonly dryRun: boolean;
  readonly timeouts: Timeouts;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** What a kind of cluster does in its own way. */
export interface ClusterTarget {
  readonly name: Exclude<Report['target'], 'local'>;
  /** The runs' namespace, what is said beside it, and the name of the state's file beside it. */
  place(config: LoadedConfig, cluster: Cluster): { namespace: string; description: string; stateName: string };
  /** @param found The state of the run that is taken up, or of a new one. */
  plan(run: ClusterRun, found: TenantState): Promise<ClusterPlan>;
}

/** The steps of one run, in their order. */
export interface ClusterPlan {
  /** As it is built. */
  readonly chain: ChainPlan;
  readonly labels: RunLabels;
  /** What is known before the first step, and belongs into the state. */
  readonly known: Partial<TenantState>;
  readonly byHand?: Report['byHand'];
  /** Looks for all that is in the way; keys are undefined where no signature can be verified. */
  preflight(): Promise<{ findings: readonly Finding[]; keys: readonly VerificationKey[] | undefined }>;
  /** Sets up what is not yet, and triggers the runs; answers with whether there is anything to follow. */
  begin(keeper: StateKeeper): Promise<boolean>;
  /** Does work that waits for the runs, until that makes no sense any more. */
  follow<T>(keeper: StateKeeper, work: (until: AbortSignal) => Promise<T>): Promise<T>;
  /** Waits for what comes after the runs, of those that succeeded: their names by component. */
  conclude(keeper: StateKeeper, succeeded: ReadonlyMap<string, string>, hasKeys: boolean): Promise<Conclusion>;
}

export interface Conclusion {
  readonly snapshots: readonly string[];
  /** Evidence that only the target has, by criterion. */
  evidence(images: readonly ObservedImage[]): Readonly<Record<string, readonly Evidence[]>>;
}

/**
 * A run on a cluster, of whichever kind: looks for what is in its way, sets up, triggers, follows the PipelineRuns, waits
 * for what comes after them, and judges what came out by the same criteria as every other target. Answers with undefined
 * after a dry run. Throws an `E2eError` where the run can't be made.
 */
export async function runOnCluster(options: ClusterRunOptions, target: ClusterTarget): Promise<Report | undefined> {
  const { timeouts, signal, identities, dryRun = false, registry = createRegistry({ signal }) } = options;
  const began = Date.now();
  const config = await loadConfig(options.config);
  const cluster = new Cluster({
    ...options,
    onExpired: (hint) => progress.line(`the login expired: ${hint}`),
    onTrouble: (what) => progress.line(what),
  });
  const { server } = cluster;
  const secrecy = new Secrecy(() => cluster.secrets);
  const progress = secrecy.progress(options.progress);
  const { namespace, description, stateName } = target.place(config, cluster);
  const { application } = config.chain;
  const file = options.stateFile ?? defaultStateFile(server, namespace, stateName);
  progress.line(`cluster    ${server} (context ${cluster.context})`);
  progress.line(`namespace  ${namespace}, ${description}`);
  let keeper: StateKeeper | undefined;
  try {
    const place = { server, namespace, application };
    const found: TenantState = options.resume
      ? await loadState(file, place)
      : { version: 1, ...place, startedAt: began, before: [], finished: {} };
    const run = { config, cluster, namespace, registry, dryRun, timeouts, progress, signal };
    const plan = await target.plan(run, found);
    const { chain, labels } = plan;
    const state = new StateKeeper(file, { ...found, ...plan.known }, secrecy);
    keeper = state;

    const { findings, keys } = await plan.preflight();
    settleFindings(findings, progress);
    if (!(await plan.begin(state))) return undefined;

    const onKnown = (known: Partial<TenantState>): void => state.note(known);
    const followed = await plan.follow(state, (until) =>
      followRuns({ ...run, chain, labels, known: state.state, secrecy, signal: until, onKnown }),
    );
    await state.settled();

    const { runs } = followed;
    const succeeded = [...runs].filter(([, { status }]) => status === 'Succeeded');
    const names = new Map(succeeded.map(([component, { name }]) => [component, name]));
    const { snapshots, evidence } = await plan.conclude(state, names, keys !== undefined);

    const { runImage = podmanRunner({}) } = options;
    const signer = keys === undefined ? 'none' : 'chains';
    const looks = {
      chain,
      revision: followed.revision,
      registry,
      keys: keys ?? [],
      identities,
      signer,
      runImage,
    } as const;
    const seen = await observe({ ...looks, ...byPart(chain, runs) });
    return secrecy.cleanAll<Report>({
      version: 1,
      target: target.name,
      ...reportOf(seen, extend(judge(seen), evidence(seen.images)), looks.keys, { chain, identities }),
      signer: options.signer,
      revision: followed.revision,
      uncommitted: [],
      cluster: { ...place, snapshots },
      byHand: plan.byHand,
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

/** The run that builds, and those that extract. */
function byPart(chain: ChainPlan, runs: ReadonlyMap<string, RunFacts>): Pick<Observation, 'build' | 'scanners'> {
  const [builder, ...scanners] = componentsOf(chain).map(({ component, role }) => {
    const run = runs.get(component);
    if (run === undefined) throw new RangeError(`no run of ${component}`);
    return { role, run };
  });
  if (builder === undefined) throw new RangeError('no run of the build');
  return { build: builder.run, scanners };
}
