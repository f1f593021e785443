import type { VerificationKey } from '@multi-image/digest-chain';
import { E2eError } from '../../../errors.ts';
import type { Signers } from '../../signers.ts';
import { KINDS, type Kind } from '../api/resource.ts';
import { KEY_HINT, KEY_SECRET, keysOf } from '../chains-key.ts';
import type { ClusterPlan, ClusterRun } from '../cluster-run.ts';
import { type Finding, gatherFindings, problem, problemOf } from '../finding.ts';
import { findRegistryProblems } from '../registry-problems.ts';
import { findMissingKinds, findMissingRights, type Need } from '../rights.ts';
import { desiredObjects, findUnfinished } from './desired.ts';
import { findUnlinkedSecrets } from './linked-secrets.ts';
import { findReleaseRights } from './release-access.ts';
import { findUnreleasable } from './releases.ts';

export interface PreflightOptions extends ClusterRun {
  /** In place of Chains' key in the cluster. */
  signers: Signers;
  /** Whether anything will be applied and triggered, or an existing run is only followed. */
  changes: boolean;
}

/** Looks at everything that a run needs, and tells all that is wrong at once. Changes nothing. */
export async function preflightTenant(options: PreflightOptions): ReturnType<ClusterPlan['preflight']> {
  const { cluster, config, namespace } = options;
  const cure = 'pnpm configure sets a fork’s values, pnpm render writes the files';
  const findings = findUnfinished(config).map((what) => problem(what, cure));
  let keys: readonly VerificationKey[] = [];
  const lookAtKey = async (): Promise<readonly Finding[]> => {
    const key = await keysOf(options.signers, cluster);
    if (key === undefined) return [problem(`Chains' public key (${KEY_SECRET}) can't be read`, KEY_HINT)];
    if ('level' in key) return [key];
    keys = key;
    return [];
  };
  const hintOf = ({ apiVersion, kind }: Kind): string => {
    if (apiVersion.startsWith('tekton')) return 'install Tekton';
    const other = 'this is no Konflux tenant: choose its context with --context';
    // The controller of these is an add-on.
    return kind !== KINDS.imageRepository.kind ? other : `${other}; or it makes none: imageRepositories: 'own'`;
  };
  const isOwn = config.chain.imageRepositories === 'own';
  const kinds = Object.values(KINDS).filter((kind) => !isOwn || kind !== KINDS.imageRepository);
  try {
    findings.push(...(await findMissingKinds(cluster, kinds, hintOf)));
  } catch (error) {
    // Without an answer or a login there is nothing more to look at, but what was found so far is told.
    return { findings: [...findings, problemOf(error)], keys };
  }
  const looks = [
    findMissingRights(cluster, namespace, needs(options)),
    findReleaseRights(options),
    findUnreleasable(options),
    findUnlinkedSecrets(options, options.changes).catch((error) => nothingIfTold(options, error)),
    findRegistryProblems(options.registry, config.chain),
    lookAtKey(),
  ];
  findings.push(...(await gatherFindings(looks)));
  return { findings, keys };
}

/** Nothing where service accounts may not be looked at: that this right is missing is told with the others. */
async function nothingIfTold({ cluster, namespace }: PreflightOptions, error: unknown): Promise<readonly Finding[]> {
  const isForbidden = error instanceof E2eError && error.code === 'CLUSTER_FORBIDDEN';
  const accounts = { verb: 'get', group: '', resource: 'serviceaccounts', namespace };
  if (isForbidden && !(await cluster.may(accounts))) return [];
  throw error;
}

/** Every verb that a run will use. */
function needs({ config, changes }: PreflightOptions): readonly Need[] {
  const kinds = new Set(desiredObjects(config).map(({ kind }) => kind));
  return [
    { kind: KINDS.pipelineRun, verbs: ['list', 'watch'] },
    { kind: KINDS.taskRun, verbs: ['list', 'watch'] },
    { kind: KINDS.snapshot, verbs: ['list', 'watch'] },
    { kind: KINDS.component, verbs: ['get', 'list', 'watch', ...(changes ? ['create', 'patch'] : [])] },
    { kind: KINDS.serviceAccount, verbs: ['get'] },
    ...Object.values(KINDS)
      .filter(({ kind }) => changes && kinds.has(kind) && kind !== 'Component')
      .map((kind): Need => ({ kind, verbs: ['get', 'create', 'patch'] })),
  ];
}
