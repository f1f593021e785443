import { instead } from '../api/cluster-error.ts';
import { groupOf, OPTIONAL_KINDS } from '../api/resource.ts';
import type { ClusterRun } from '../cluster-run.ts';
import { type Finding, note } from '../finding.ts';
import { carryOut, planApply, sayPlan } from './apply.ts';
import { releaseAccess } from './desired.ts';

type Place = Pick<ClusterRun, 'cluster' | 'config' | 'namespace'>;

/**
 * Applies what lets the pipeline make the chain's Snapshot, where this login may: a tenant's admin may, a maintainer may
 * not, and is told what to send to one.
 */
export async function grantRelease(run: ClusterRun): Promise<void> {
  const { cluster, config, dryRun } = run;
  if (!(await mayGrant(run))) return;
  const plan = await planApply(cluster, releaseAccess(config));
  sayPlan(plan, run);
  if (!dryRun) await carryOut(cluster, plan);
}

/** Whether somebody else has to do it: without it the chain is built and proved, and nothing is released. */
export async function findReleaseRights(run: Place): Promise<readonly Finding[]> {
  const { cluster, config, namespace } = run;
  const objects = releaseAccess(config);
  if (objects.length === 0 || (await mayGrant(run))) return [];
  const found = await Promise.all(
    objects.map((object) =>
      cluster.read(object, object.metadata.name, namespace).catch(instead('CLUSTER_FORBIDDEN', undefined)),
    ),
  );
  if (found.every((object) => object !== undefined)) return [];
  const what = `you may not make Roles in ${namespace}, and without those nothing makes the chain's Snapshot`;
  const command = `kubectl apply --server-side -n ${namespace} -f konflux/release-access.yaml`;
  return [note(what, `unless an admin has done so already, send the file to one: ${command} (${cluster.server})`)];
}

async function mayGrant({ cluster, config, namespace }: Place): Promise<boolean> {
  if (releaseAccess(config).length === 0) return false;
  const { role, roleBinding } = OPTIONAL_KINDS;
  const asked = [role, roleBinding].flatMap((kind) => ['get', 'create', 'patch'].map((verb) => ({ kind, verb })));
  const answers = await Promise.all(
    asked.map(({ kind, verb }) => {
      const resource = `${kind.kind.toLowerCase()}s`;
      return cluster.may({ verb, group: groupOf(kind), resource, namespace });
    }),
  );
  return answers.every(Boolean);
}
