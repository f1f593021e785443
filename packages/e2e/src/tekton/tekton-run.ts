import { randomBytes } from 'node:crypto';
import { parseReference, type Registry, type VerificationKey } from '@multi-image/digest-chain';
import { type Chain, type LoadedConfig, loadConfig, readRemote, render, retarget } from '@multi-image/manifests';
import { stringify } from 'yaml';
import { readChainsKey } from '../cluster/chains-key.ts';
import { Cluster } from '../cluster/cluster.ts';
import type { ClusterOptions } from '../cluster/cluster-session.ts';
import { settleFindings } from '../cluster/finding.ts';
import { judgeRuns } from '../cluster/judge-runs.ts';
import { MADE_BY_US, NAMES, type Resource } from '../cluster/resource.ts';
import { componentsOf, followRuns, type RunLabels } from '../cluster/runs.ts';
import { Secrecy } from '../cluster/secrecy.ts';
import { defaultStateFile, loadState, StateKeeper, type TenantState } from '../cluster/state.ts';
import type { Timeouts } from '../cluster/timeouts.ts';
import { E2eError } from '../errors.ts';
import type { ImageRunner } from '../images/run-images.ts';
import type { Progress } from '../report/progress.ts';
import type { Report } from '../report/report.ts';
import { awaitSignatures } from './await-signatures.ts';
import { findCommit } from './commit.ts';
import { bundlesOf, embed, identify, RUN_LABELS } from './embed.ts';
import { makeRuns } from './make-runs.ts';
import { preflightTekton } from './preflight.ts';

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
  const { progress, signal, timeouts, registry } = options;
  const began = Date.now();
  const config = await loadConfig(options.config);
  const cluster = new Cluster({ ...options, onExpired: (hint) => progress.line(`the login expired: ${hint}`) });
  const secrecy = new Secrecy(() => cluster.secrets);
  const chain = whereToBuild(config, options, cluster.namespace ?? 'default');
  const { application, namespace } = chain;
  const place = { server: cluster.server, namespace, application };
  const file = options.stateFile ?? defaultStateFile(cluster.server, namespace, `${application}-tekton`);
  progress.line(`cluster    ${cluster.server} (context ${cluster.context})`);
  progress.line(`namespace  ${namespace}, service account ${options.serviceAccount}`);
  let keeper: StateKeeper | undefined;
  try {
    const found: TenantState = options.resume
      ? await loadState(file, place)
      : { version: 1, ...place, startedAt: began, before: [], finished: {} };
    const revision = found.revision ?? (await findCommit(config.root, options.commit));
    const invocation = found.invocation ?? invocationName();
    const known = new StateKeeper(file, { ...found, revision, invocation }, secrecy);
    keeper = known;
    progress.line(`commit     ${revision} of ${chain.gitUrl}`);
    progress.line(`images     ${chain.registry}`);

    const runs = await assemble(chain, config, { ...options, revision, invocation });
    const files = render(config.chain, config.pins, config.folder);
    const { gitUrl } = chain;
    const [findings, published] = await Promise.all([
      preflightTekton({
        cluster,
        chain,
        registry,
        serviceAccount: options.serviceAccount,
        bundles: bundlesOf(runs),
        standIns: options.standIns,
        makes: options.resume ? undefined : { config, files, gitUrl, revision, signal },
      }),
      options.keys ?? readChainsKey(cluster).catch(() => undefined),
    ]);
    settleFindings(findings, progress);
    const keys = published === undefined || 'level' in published ? undefined : published;

    if (!options.resume) {
      await makeRuns(cluster, runs, { dryRun: options.dryRun, progress });
      if (options.dryRun) {
        options.print?.(runs.map((run) => `---\n${stringify(run)}`).join(''));
        return undefined;
      }
      known.note({ triggeredAt: Date.now() });
      await known.settled();
    }
    const labels = labelsOf(invocation);
    const { runs: facts, names } = await followRuns({
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
    const succeeded = [...names].filter(([component]) => facts.get(component)?.status === 'Succeeded');
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

/** The chain in the registry, the repository and the namespace that were asked for. */
function whereToBuild(config: LoadedConfig, options: TektonRunOptions, fallback: string): Chain {
  const { imageRegistry, gitUrl, namespace } = options;
  if (imageRegistry !== undefined) {
    try {
      const { tag, digest } = parseReference(`${imageRegistry}/image`);
      if (tag !== undefined || digest !== undefined) throw new RangeError('a tag or digest');
    } catch (cause) {
      throw new E2eError('USAGE', 'not a place for images', {
        expected: '--registry with host and path, such as ghcr.io/me or registry.svc:5000',
        found: imageRegistry,
        cause,
      });
    }
  }
  if (gitUrl !== undefined && !isGitUrl(gitUrl)) {
    throw new E2eError('USAGE', 'not the URL of a git repository', {
      expected: '--git-url with https://host/path, without credentials (--git-secret names a Secret that has some)',
      found: URL.parse(gitUrl)?.host ?? 'no URL',
    });
  }
  const { chain, root } = config;
  const remote = /[/.]your-/.test(chain.gitUrl) ? readRemote(root) : undefined;
  return retarget(chain, { registry: imageRegistry, gitUrl: gitUrl ?? remote, namespace: namespace ?? fallback });
}

/** Text that a cluster can fetch from, that gives nothing away, and that nobody substitutes anything in. */
function isGitUrl(text: string): boolean {
  const url = URL.parse(text);
  const isFree = url !== null && url.password === '' && (url.username === '' || url.protocol === 'ssh:');
  return isFree && /^(?:https?|ssh|git):\/\/[^\s{}$()]+$/.test(text);
}

/** The PipelineRun of each component, as a push would start it. */
function assemble(
  chain: Chain,
  { pins, folder }: LoadedConfig,
  options: TektonRunOptions & { revision: string; invocation: string },
): Promise<readonly Resource[]> {
  const { revision, invocation, serviceAccount, gitSecret, standIns, plainHttp } = options;
  const { application, namespace, gitUrl, branch, digestChain } = chain;
  const files = render(chain, pins, folder);
  const variables = {
    revision,
    source_url: gitUrl,
    repo_url: gitUrl,
    target_branch: branch,
    source_branch: branch,
  };
  return Promise.all(
    componentsOf(chain).map(async ({ component }) => {
      const path = `.tekton/${component}-push.yaml`;
      const run = await embed(path, { files, pins, variables, standIns, plainHttp, digestChain });
      const identity = { namespace, application, component, invocation, revision, serviceAccount, gitSecret };
      return identify(run, identity, { [NAMES.madeBy]: MADE_BY_US });
    }),
  );
}

function labelsOf(invocation: string): RunLabels {
  const selector = `${RUN_LABELS.invocation}=${invocation}`;
  return { runs: selector, tasks: selector, component: RUN_LABELS.component };
}

/** Letters and digits, as Kubernetes makes the ends of names. */
function invocationName(): string {
  return randomBytes(4).readUInt32BE().toString(36).padStart(7, '0').slice(-6);
}
