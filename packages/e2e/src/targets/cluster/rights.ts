import type { Cluster } from './api/cluster.ts';
import { groupOf, type Kind } from './api/resource.ts';
import { type Finding, note, problem } from './finding.ts';

/** Verbs that a run will use on a kind, as roles name them. */
export interface Need {
  readonly kind: Kind;
  readonly verbs: readonly string[];
}

/** Tells every kind that the cluster does not have, and what to do then. */
export async function findMissingKinds(
  cluster: Cluster,
  kinds: readonly Kind[],
  hintOf: (kind: Kind) => string,
): Promise<Finding[]> {
  const served = await Promise.all(kinds.map((kind) => cluster.serves(kind)));
  const missing = kinds.filter((_, index) => served[index] === undefined);
  return missing.map((kind) => problem(`the cluster has no ${kind.kind} (${kind.apiVersion})`, hintOf(kind)));
}

/** Asks for every verb whether this login may (SelfSubjectAccessReviews), and tells all that it may not. */
export async function findMissingRights(
  cluster: Cluster,
  namespace: string,
  needs: readonly Need[],
): Promise<Finding[]> {
  const asked = needs.flatMap(({ kind, verbs }) => verbs.map((verb) => ({ verb, kind })));
  const unique = [...new Map(asked.map((entry) => [`${entry.verb} ${entry.kind.kind}`, entry])).values()];
  const answers = await Promise.all(
    unique.map(async ({ verb, kind }): Promise<Finding[]> => {
      const resource = await cluster.serves(kind);
      const group = groupOf(kind);
      // That a kind is not there is told by itself.
      if (resource === undefined || (await cluster.may({ verb, group, resource, namespace }))) return [];
      const full = group === '' ? resource : `${resource}.${group}`;
      const hint = `ask an admin; to check: kubectl auth can-i ${verb} ${full} -n ${namespace}`;
      return [problem(`you may not ${verb} ${full} in ${namespace}`, hint)];
    }),
  );
  const logs = await cluster.may({ verb: 'get', group: '', resource: 'pods', subresource: 'log', namespace });
  if (logs) return answers.flat();
  const unread = note(
    `you may not read logs of pods in ${namespace}`,
    'the log of a step that fails will not be shown',
  );
  return [...answers.flat(), unread];
}
