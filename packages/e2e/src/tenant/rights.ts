import type { LoadedConfig } from '@multi-image/manifests';
import type { Cluster } from './cluster.ts';
import { desiredObjects } from './desired.ts';
import type { Finding } from './finding.ts';
import { KINDS, type Kind } from './resource.ts';

export interface RightsOptions {
  cluster: Cluster;
  config: LoadedConfig;
  namespace: string;
  changes: boolean;
}

/** Every verb that a run will use, asked for as SelfSubjectAccessReviews. */
export async function findMissingRights(options: RightsOptions, there: (kind: Kind) => boolean): Promise<Finding[]> {
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
