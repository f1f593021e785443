import type { LoadedConfig } from '@multi-image/manifests';
import { instead } from '../api/cluster-error.ts';
import { KINDS, list, type Resource, text } from '../api/resource.ts';
import type { ClusterRun } from '../cluster-run.ts';
import { type Finding, note, problem } from '../finding.ts';
import { desiredObjects, repositoriesOf } from './desired.ts';

/**
 * Whether each service account has the push secrets that its pipeline needs. What this run's apply will link, or Konflux
 * makes together with the components, is missing only where it is missing from a tenant that was set up before.
 *
 * @param changes Whether this run applies what links them.
 */
export async function findUnlinkedSecrets(
  { cluster, config, namespace }: ClusterRun,
  changes: boolean,
): Promise<Finding[]> {
  const accounts = desiredObjects(config).filter(({ kind }) => kind === 'ServiceAccount');
  const findings = await Promise.all(
    accounts.map(async (account): Promise<Finding[]> => {
      const wanted = [...secretsOf(account), ...ownSecrets(account, config)];
      const found = await cluster.read(KINDS.serviceAccount, account.metadata.name, namespace);
      const secrets = await Promise.all(
        wanted.map((name) =>
          cluster.read(KINDS.secret, name, namespace).catch(instead('CLUSTER_FORBIDDEN', 'unknown' as const)),
        ),
      );
      return wanted.flatMap((name, index): Finding[] => {
        const secret = secrets[index];
        const linked = found !== undefined && secretsOf(found).includes(name);
        const own = config.chain.imageRepositories === 'own';
        if (secret === undefined && own) {
          const hint = `kubectl create secret docker-registry ${name} -n ${namespace} --docker-server=… --docker-username=… --docker-password=…`;
          return [problem(`there is no secret ${name} in ${namespace}`, hint)];
        }
        // Not there yet: Konflux makes it together with the image repository that is applied.
        if (secret === undefined && changes) return [];
        if (linked || (changes && found === undefined)) return [];
        const what = `service account ${account.metadata.name} is not linked to the secret ${name}`;
        if (changes)
          return [note(what, 'it is linked when this run applies konflux/service-accounts.yaml, or by Konflux')];
        const isApplied = secretsOf(account).includes(name);
        const apply = 'kubectl apply --server-side -f konflux/service-accounts.yaml';
        return [problem(what, isApplied ? apply : linkByHand(account, name, namespace))];
      });
    }),
  );
  // Several accounts may need the same secret, which is missing only once.
  return [...new Map(findings.flat().map((finding) => [finding.what, finding])).values()];
}

/** Konflux links the secret of a component's own repository, and may have failed to. */
function linkByHand({ metadata: { name: account } }: Resource, name: string, namespace: string): string {
  const patch = JSON.stringify({ secrets: [{ name }] });
  return `Konflux links it by itself; by hand: kubectl patch serviceaccount ${account} -n ${namespace} -p '${patch}'`;
}

/** The push secret of the component's own image repository, which Konflux links: Chains pushes with it, too. */
function ownSecrets(account: Resource, config: LoadedConfig): string[] {
  const image = config.chain.images.find(({ serviceAccount }) => serviceAccount === account.metadata.name);
  return repositoriesOf(config, image?.component).map(({ metadata }) => `${metadata.name}-image-push`);
}

export function secretsOf(account: Resource): string[] {
  return list(account, 'secrets').flatMap((entry) => text(entry, 'name') ?? []);
}
