import { type ChainPlan, isPlaceholder } from '@multi-image/manifests';
import { instead } from '../api/cluster-error.ts';
import { field, KINDS, type Kind, list, type Resource } from '../api/resource.ts';
import type { ClusterRun } from '../cluster-run.ts';
import { type Finding, gatherFindings, note, problem } from '../finding.ts';
import { findRegistryProblems } from '../registry-problems.ts';
import { findMissingKinds, findMissingRights, type Need } from '../rights.ts';
import { type CommitOptions, findCommitProblems } from './commit.ts';
import { bundlesOf } from './pipeline-runs.ts';

export interface TektonPreflightOptions extends ClusterRun {
  /** As it is built: its images' repositories, its namespace. */
  chain: ChainPlan;
  serviceAccount: string;
  /** What will be made. */
  runs: readonly Resource[];
  /** Whether runs will be made, or existing ones only followed; and of which commit. */
  makes: CommitOptions | undefined;
}

const NAMESPACE: Kind = { apiVersion: 'v1', kind: 'Namespace' };
const RESOLUTION: Kind = { apiVersion: 'resolution.tekton.dev/v1beta1', kind: 'ResolutionRequest' };

/** Looks at everything that a run on a cluster with Tekton needs, and tells all that is wrong at once. Changes nothing. */
export async function preflightTekton(options: TektonPreflightOptions): Promise<readonly Finding[]> {
  const { chain, registry, makes } = options;
  const unset = problem(
    `the registry is still a placeholder: ${chain.registry}`,
    '--registry names one that you may push to',
  );
  return gatherFindings([
    isPlaceholder(chain.registry) ? Promise.resolve([unset]) : findRegistryProblems(registry, chain),
    ...(makes === undefined ? [] : [findCommitProblems(makes)]),
    lookAtCluster(options),
  ]);
}

async function lookAtCluster(options: TektonPreflightOptions): Promise<readonly Finding[]> {
  const { cluster, chain, makes, runs } = options;
  const bundles = bundlesOf(runs);
  const needs: Need[] = [
    { kind: KINDS.pipelineRun, verbs: ['get', 'list', 'watch', ...(makes === undefined ? [] : ['create'])] },
    { kind: KINDS.taskRun, verbs: ['list', 'watch'] },
  ];
  if (makes !== undefined) needs.push({ kind: KINDS.serviceAccount, verbs: ['get'] });
  const kinds = [KINDS.pipelineRun, KINDS.taskRun, ...(bundles.length > 0 && makes !== undefined ? [RESOLUTION] : [])];
  const missing = await findMissingKinds(cluster, kinds, (kind) =>
    kind === RESOLUTION
      ? 'without Tekton’s resolvers no bundle can be run: install them, or use --stand-ins'
      : 'install Tekton Pipelines (kubectl apply -f https://storage.googleapis.com/tekton-releases/pipeline/latest/release.yaml)',
  );
  const looks = await Promise.all([
    findMissingRights(cluster, chain.namespace, needs),
    ...(makes === undefined ? [] : [lookAtAccount(options), lookAtNamespace(options)]),
  ]);
  return [...missing, ...looks.flat(), ...(makes === undefined ? [] : runs.flatMap(lookAtSize))];
}

/** Bytes of an object that etcd takes, as it is released. */
const LARGEST = 1.5 * 2 ** 20;
/** Of what is asked for, what Tekton adds: defaults, who owns which field, and of each task how its run is called. */
const ADDED = 1.1;

/** Tekton keeps a copy of the pipeline in the run's status. Where it can't, it goes on trying, and says nothing in the run. */
function lookAtSize(run: Resource): Finding[] {
  const [whole, copy] = [run, field(run, 'spec', 'pipelineSpec')].map((part) =>
    Buffer.byteLength(JSON.stringify(part)),
  );
  const bytes = (Number(whole) + Number(copy)) * ADDED;
  if (bytes <= LARGEST) return [];
  const what = `PipelineRun ${run.metadata.name} would take ${megabytes(bytes)} with its status, and a cluster keeps no object of more than ${megabytes(LARGEST)}`;
  return [
    problem(what, 'every stand-in is in it as a whole: run without --stand-ins, or build fewer images in one chain'),
  ];
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

async function lookAtAccount({ cluster, chain, serviceAccount }: TektonPreflightOptions): Promise<Finding[]> {
  const { namespace } = chain;
  const found = await cluster.read(KINDS.serviceAccount, serviceAccount, namespace).catch(forbidden);
  if (found === 'forbidden') return [];
  if (found === undefined) {
    const hint = `is the namespace right? kubectl create serviceaccount ${serviceAccount} -n ${namespace}, or --service-account with another`;
    return [problem(`there is no service account ${serviceAccount} in ${namespace}`, hint)];
  }
  if (list(found, 'secrets').length > 0) return [];
  const hint = `kubectl patch serviceaccount ${serviceAccount} -n ${namespace} -p '{"secrets":[{"name":"…"}]}' links one of type kubernetes.io/dockerconfigjson`;
  return [note(`service account ${serviceAccount} has no secrets: images are pushed without credentials`, hint)];
}

/** Builds run as root in their container, which the strictest of Kubernetes' pod security standards refuses. */
async function lookAtNamespace({ cluster, chain }: TektonPreflightOptions): Promise<Finding[]> {
  const found = await cluster.read(NAMESPACE, chain.namespace, '').catch(forbidden);
  if (found === 'forbidden') return [];
  if (found === undefined) {
    const hint = `kubectl create namespace ${chain.namespace}, or --namespace with another`;
    return [problem(`there is no namespace ${chain.namespace}`, hint)];
  }
  if (found.metadata.labels?.['pod-security.kubernetes.io/enforce'] !== 'restricted') return [];
  const what = `namespace ${chain.namespace} enforces the pod security standard "restricted", and builds run as root in their container`;
  return [problem(what, 'use a namespace with "baseline" or none: --namespace')];
}

/** Not to be allowed to look is no reason not to run. */
const forbidden = instead('CLUSTER_FORBIDDEN', 'forbidden' as const);
