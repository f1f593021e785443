import { loadConfig } from '@multi-image/manifests';
import { Cluster } from '../api/cluster.ts';
import { type DeletionOptions, isDeletionWanted, settleDeleted } from '../api/deletion.ts';
import { KINDS, list, MADE_BY_US, type Resource, text } from '../api/resource.ts';
import { settleFindings } from '../finding.ts';
import { findMissingRights, type Need } from '../rights.ts';
import { desiredObjects } from './desired.ts';
import { secretsOf } from './linked-secrets.ts';
import { findAllMade } from './made.ts';

export interface CleanupOptions extends DeletionOptions {
  config: string;
}

/**
 * Takes back what tenant runs made in the namespace: deletes the objects that carry this command's label, and unlinks the
 * secrets that it linked to service accounts of others. Everything else stays. Throws `NOT_CONFIRMED`, or `PREFLIGHT_FAILED`
 * before anything is deleted where not all of it may be.
 */
export async function cleanUp(options: CleanupOptions): Promise<void> {
  const { progress, signal } = options;
  const config = await loadConfig(options.config);
  const { namespace } = config.chain;
  const cluster = new Cluster({ ...options, signal });
  const made = await findAllMade(cluster, namespace);
  const accounts = desiredObjects(config).filter(
    ({ kind, metadata }) =>
      kind === 'ServiceAccount' &&
      !made.some((object) => object.kind === kind && object.metadata.name === metadata.name),
  );
  const linked = await Promise.all(
    accounts.map(async (account) => {
      const found = await cluster.read(KINDS.serviceAccount, account.metadata.name, namespace);
      if (found === undefined || !isOurs(found)) return [];
      return secretsOf(account).some((name) => secretsOf(found).includes(name)) ? [account] : [];
    }),
  );
  const unlink = linked.flat();
  progress.line(`namespace ${namespace} on ${cluster.server}:`);
  const owned = await findOwned(cluster, made, namespace);
  const steps = [
    ...made.map((object) => {
      const { kind, metadata } = object;
      const own = owned.filter((repository) => isOwner(object, repository));
      const going = [...(kind === 'ImageRepository' ? [object] : []), ...own];
      const more = own.map(({ metadata: { name } }) => `, and with it ImageRepository ${name}`).join('');
      return `delete ${kind} ${metadata.name}${more}${going.length > 0 ? ', with all images in it' : ''}`;
    }),
    ...pullRequestsOf(made),
    ...unlink.map((account) => `unlink ${secretsOf(account).join(', ')} from ServiceAccount ${account.metadata.name}`),
  ];
  const check = async (): Promise<void> => {
    const needs: Need[] = [
      ...made.map((kind) => ({ kind, verbs: ['get', 'delete'] })),
      ...unlink.map((kind) => ({ kind, verbs: ['patch'] })),
    ];
    const rights = await findMissingRights(cluster, namespace, needs);
    const problems = rights.filter(({ level }) => level === 'problem');
    // Half a clean-up is worse than none.
    settleFindings(problems, progress);
  };
  if (!(await isDeletionWanted(steps, options, check))) return;
  // Applied without the list, the entries that were applied before go, and those of others stay.
  for (const { secrets: _, ...account } of unlink) await cluster.apply(account as (typeof unlink)[number]);
  for (const object of made) await cluster.delete(object);
  progress.line(await settleDeleted(cluster, [...made, ...owned], 'Konflux', options));
}

/** The pull requests by which Konflux takes back what it could have written for a component that it has set up. */
function pullRequestsOf(made: readonly Resource[]): readonly string[] {
  const names = made
    .filter((object) => object.kind === 'Component' && list(object, 'metadata', 'finalizers').includes(SET_UP))
    .map(({ metadata }) => metadata.name);
  if (names.length === 0) return [];
  const one = names.length === 1 ? 'a pull request for' : 'pull requests for';
  const [each, it] = names.length === 1 ? ['which deletes its', 'it'] : ['which delete their', 'them'];
  return [`(Konflux then opens ${one} ${names.join(', ')}, ${each} files in .tekton/: close ${it} to keep them)`];
}

/** The finalizer of a component that Pipelines as Code is set up for. */
const SET_UP = 'pac.component.appstudio.openshift.io/finalizer';

/** The image repositories of others that go with what is deleted: Konflux makes each one its component's. */
async function findOwned(cluster: Cluster, made: readonly Resource[], namespace: string): Promise<readonly Resource[]> {
  if (!made.some(({ kind }) => kind === 'Component')) return [];
  if ((await cluster.serves(KINDS.imageRepository)) === undefined) return [];
  const { items } = await cluster.list(KINDS.imageRepository, namespace);
  return items.filter(
    (repository) =>
      !made.some(({ metadata }) => metadata.uid === repository.metadata.uid) &&
      made.some((object) => isOwner(object, repository)),
  );
}

function isOwner({ metadata: { uid } }: Resource, object: Resource): boolean {
  return uid !== undefined && list(object, 'metadata', 'ownerReferences').some((entry) => text(entry, 'uid') === uid);
}

/** Whether this command applied something to the object: its name is among the field managers. */
function isOurs(object: Resource): boolean {
  const managers = list(object, 'metadata', 'managedFields');
  // Not every server tells; applying nothing takes nothing from others either way.
  return managers.length === 0 || managers.some((entry) => text(entry, 'manager') === MADE_BY_US);
}
