import type { Cluster } from './cluster.ts';
import type { Finding } from './finding.ts';
import { groupOf, type Kind } from './resource.ts';

/** Verbs that a run will use on a kind, as roles name them. */
export type Need = readonly [kind: Kind, verbs: readonly string[]];

/** Asks for every verb whether this login may (SelfSubjectAccessReviews), and tells all that it may not. */
export async function findMissingRights(
  cluster: Cluster,
  namespace: string,
  needs: readonly Need[],
): Promise<Finding[]> {
  const asked = needs.flatMap(([kind, verbs]) => verbs.map((verb) => ({ verb, kind })));
  const unique = [...new Map(asked.map((entry) => [`${entry.verb} ${entry.kind.kind}`, entry])).values()];
  const answers = await Promise.all(
    unique.map(async ({ verb, kind }): Promise<Finding[]> => {
      const resource = await cluster.serves(kind);
      // That a kind is not there is told by itself.
      if (resource === undefined) return [];
      const group = groupOf(kind);
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
