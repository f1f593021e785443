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
import { findUnfinished } from './desired.ts';
import type { Finding } from './finding.ts';
import { findUnlinkedSecrets } from './linked-secrets.ts';
import { KINDS, type Kind } from './resource.ts';
import { findMissingRights } from './rights.ts';

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
