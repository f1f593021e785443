import {
  createRegistry,
  DigestChainError,
  parsePublicKeys,
  parseReference,
  type Registry,
  type VerificationKey,
} from '@multi-image/digest-chain';
import type { Chain, LoadedConfig } from '@multi-image/manifests';
import { E2eError } from '../errors.ts';
import type { Cluster } from './cluster.ts';
import { desiredObjects, findUnfinished } from './desired.ts';
import { KINDS, type Kind, list, NAMES, type Resource, text } from './resource.ts';

export interface Finding {
  level: 'problem' | 'note';
  what: string;
  hint: string;
}

export interface TenantPreflight {
  findings: readonly Finding[];
  /** Chains' public keys; empty where they can't be read. */
  keys: readonly VerificationKey[];
}

export interface PreflightOptions {
  cluster: Cluster;
  config: LoadedConfig;
  namespace: string;
  registry: Registry;
  /** Whether anything will be applied and triggered, or an existing run is only followed. */
  changes: boolean;
}

const KEY_NAMESPACES = ['tekton-pipelines', 'openshift-pipelines'];

/** Looks at everything that a run needs, and tells all that is wrong at once. Changes nothing. */
export async function preflightTenant(options: PreflightOptions): Promise<TenantPreflight> {
  const { cluster, config, namespace } = options;
  const findings: Finding[] = (await findUnfinished(config)).map((what) => ({
    level: 'problem',
    what,
    hint: 'pnpm configure sets a fork’s values, pnpm render writes the files',
  }));
  try {
    const missing = await findMissingKinds(cluster);
    findings.push(...missing.map(({ finding }) => finding));
    const there = (kind: Kind): boolean => !missing.some((entry) => entry.kind === kind);
    const [rights, accounts, registryProblems, keys] = await Promise.all([
      findMissingRights(options, there),
      findUnlinkedSecrets(options),
      findRegistryProblems(options.registry, config.chain),
      readKeys(cluster),
    ]);
    findings.push(...rights, ...accounts, ...registryProblems, ...keys.findings);
    return { findings, keys: keys.keys };
  } catch (error) {
    // Without an answer or a login there is nothing more to look at, but what was found so far is told.
    if (!(error instanceof E2eError) || error.code === 'INTERRUPTED') throw error;
    findings.push({ level: 'problem', what: `${error.message}: ${error.found ?? ''}`, hint: error.hint ?? '' });
    return { findings, keys: [] };
  }
  async function findMissingKinds(to: Cluster) {
    const kinds = Object.values(KINDS);
    const served = await Promise.all(kinds.map((kind) => to.serves(kind)));
    return kinds.flatMap((kind, index) =>
      served[index] === undefined
        ? [
            {
              kind,
              finding: {
                level: 'problem' as const,
                what: `the cluster has no ${kind.kind} (${kind.apiVersion}) in ${namespace || 'any namespace'}`,
                hint: kind.apiVersion.startsWith('tekton')
                  ? 'install Tekton'
                  : 'this is no Konflux tenant: choose its context with --context',
              },
            },
          ]
        : [],
    );
  }
}

/** Every verb that a run will use, asked for as SelfSubjectAccessReviews. */
async function findMissingRights(options: PreflightOptions, there: (kind: Kind) => boolean): Promise<Finding[]> {
  const { cluster, namespace, changes, config } = options;
  const kinds = new Set(desiredObjects(config).map(({ kind }) => kind));
  const needs: [Kind, string[], string?][] = [
    [KINDS.pipelineRun, ['list', 'watch']],
    [KINDS.taskRun, ['list', 'watch']],
    [KINDS.snapshot, ['list', 'watch']],
    [KINDS.component, ['get', 'list', 'watch', ...(changes ? ['patch'] : [])]],
    [KINDS.serviceAccount, ['get']],
  ];
  if (changes) {
    for (const kind of Object.values(KINDS)) {
      if (kinds.has(kind.kind) && kind !== KINDS.component) needs.push([kind, ['get', 'create', 'patch']]);
    }
    needs.push([KINDS.component, ['create']]);
  }
  const asked = needs.filter(([kind]) => there(kind)).flatMap(([kind, verbs]) => verbs.map((verb) => ({ verb, kind })));
  const unique = [...new Map(asked.map((entry) => [`${entry.verb} ${entry.kind.kind}`, entry])).values()];
  const answers = await Promise.all(
    unique.map(async ({ verb, kind }): Promise<Finding[]> => {
      const resource = (await cluster.serves(kind))?.name ?? '';
      const group = kind.apiVersion.includes('/') ? (kind.apiVersion.split('/')[0] ?? '') : '';
      if (await cluster.may({ verb, group, resource, namespace })) return [];
      const full = group === '' ? resource : `${resource}.${group}`;
      return [
        {
          level: 'problem',
          what: `you may not ${verb} ${full} in ${namespace}`,
          hint: `ask an admin; to check: kubectl auth can-i ${verb} ${full} -n ${namespace}`,
        },
      ];
    }),
  );
  const logs = await cluster.may({ verb: 'get', group: '', resource: 'pods', subresource: 'log', namespace });
  const note: Finding = {
    level: 'note',
    what: `you may not read logs of pods in ${namespace}`,
    hint: 'the log of a step that fails will not be shown',
  };
  return [...answers.flat(), ...(logs ? [] : [note])];
}

/**
 * Whether each service account has the push secrets that its pipeline needs. What this run's apply will link, or Konflux
 * makes together with the components, is missing only where it is missing from a tenant that was set up before.
 */
export async function findUnlinkedSecrets({
  cluster,
  config,
  namespace,
  changes,
}: Omit<PreflightOptions, 'registry'>): Promise<Finding[]> {
  const accounts = desiredObjects(config).filter(({ kind }) => kind === 'ServiceAccount');
  const findings = await Promise.all(
    accounts.map(async (account): Promise<Finding[]> => {
      const wanted = [...secretsOf(account), ...ownSecrets(account, config)];
      const found = await cluster.read(KINDS.serviceAccount, account.metadata.name, namespace);
      const secrets = await Promise.all(wanted.map((name) => readSecret(cluster, name, namespace)));
      return wanted.flatMap((name, index): Finding[] => {
        const secret = secrets[index];
        const common = secret !== 'unknown' && secret?.metadata.labels?.[NAMES.commonSecret] === 'true';
        const linked = common || (found !== undefined && secretsOf(found).includes(name));
        const own = config.chain.imageRepositories === 'own';
        if (secret === undefined && own) {
          return [
            {
              level: 'problem',
              what: `there is no secret ${name} in ${namespace}`,
              hint: `kubectl create secret docker-registry ${name} -n ${namespace} --docker-server=… --docker-username=… --docker-password=…`,
            },
          ];
        }
        // Not there yet: Konflux makes it together with the image repository that is applied.
        if (secret === undefined && changes) return [];
        if (linked || (changes && found === undefined)) return [];
        return [
          {
            level: changes ? 'note' : 'problem',
            what: `service account ${account.metadata.name} is not linked to the secret ${name}`,
            hint: changes
              ? 'it is linked when this run applies konflux/service-accounts.yaml'
              : 'kubectl apply --server-side -f konflux/service-accounts.yaml',
          },
        ];
      });
    }),
  );
  return findings.flat();
}

/** The push secret of the component's own image repository, which Konflux links: Chains pushes with it, too. */
function ownSecrets(account: Resource, config: LoadedConfig): string[] {
  const image = config.chain.images.find(({ serviceAccount }) => serviceAccount === account.metadata.name);
  return desiredObjects(config)
    .filter(
      ({ kind, metadata }) =>
        kind === 'ImageRepository' && metadata.labels?.['appstudio.redhat.com/component'] === image?.component,
    )
    .map(({ metadata }) => `${metadata.name}-image-push`);
}

export function secretsOf(account: Resource): string[] {
  return list(account, 'secrets').flatMap((entry) => text(entry, 'name') ?? []);
}

async function readSecret(
  cluster: Cluster,
  name: string,
  namespace: string,
): Promise<Resource | undefined | 'unknown'> {
  try {
    return await cluster.read(KINDS.secret, name, namespace);
  } catch (error) {
    if (error instanceof E2eError && error.code === 'CLUSTER_FORBIDDEN') return 'unknown';
    throw error;
  }
}

/** Whether this machine can look at the images: a proof reads them from the registry. */
async function findRegistryProblems(registry: Registry = createRegistry(), chain: Chain): Promise<Finding[]> {
  const findings = await Promise.all(
    chain.images.map(async ({ repository }): Promise<Finding[]> => {
      try {
        await registry.headManifest(parseReference(repository), 'latest');
        return [];
      } catch (error) {
        if (!(error instanceof DigestChainError)) throw error;
        const host = repository.split('/')[0] ?? '';
        if (error.code === 'UNAUTHORIZED') {
          // Registries answer so for repositories that are not there yet, too.
          return [
            {
              level: 'note',
              what: `${repository} can't be read with this machine's credentials`,
              hint: `before the first build that is so; if it stays, and the repository is private: podman login ${host}`,
            },
          ];
        }
        return [
          {
            level: 'problem',
            what: `${repository}: ${error.message}`,
            hint: error.hint ?? `can this machine reach ${host}?`,
          },
        ];
      }
    }),
  );
  return findings.flat();
}

async function readKeys(cluster: Cluster): Promise<{ findings: Finding[]; keys: readonly VerificationKey[] }> {
  for (const namespace of KEY_NAMESPACES) {
    const pem = await cluster.publicKey(namespace);
    if (pem === undefined) continue;
    try {
      return { findings: [], keys: parsePublicKeys(pem) };
    } catch (error) {
      if (!(error instanceof DigestChainError)) throw error;
      return {
        findings: [
          { level: 'problem', what: `Chains' public key in ${namespace}: ${error.message}`, hint: error.hint ?? '' },
        ],
        keys: [],
      };
    }
  }
  const hint = 'ask the cluster’s admin for Chains’ cosign.pub and name the file with --key';
  return {
    findings: [
      {
        level: 'problem',
        what: `Chains' public key (secret public-key in ${KEY_NAMESPACES.join(' or ')}) can't be read`,
        hint,
      },
    ],
    keys: [],
  };
}
