import type { ObjectSource, PodTemplate, TaskRunSpec, Volume } from '../model.ts';
import { parseTimeout } from '../values.ts';
import type { Field } from '../yaml/field.ts';
import { parseLimits } from '../yaml/quantity.ts';

/** A ConfigMap or a Secret, in a volume, a workspace or a variable. */
export function parseObjectSource(field: Field, kind: 'configMap' | 'secret'): ObjectSource {
  const name = field.get('secretName').present ? field.get('secretName') : field.get('name');
  const items = field.get('items');
  return {
    kind,
    object: name.text(),
    optional: field.get('optional').value === true,
    items: items.present
      ? items.map((item) => ({ key: item.get('key').text(), path: item.get('path').text() }))
      : undefined,
    field,
  };
}

/** All ConfigMaps and Secrets of a volume or a workspace, in their order. */
export function parseObjectSources(field: Field): ObjectSource[] {
  const kinds = ['configMap', 'secret'] as const;
  const own = (item: Field): ObjectSource[] =>
    kinds.flatMap((kind) => (item.get(kind).present ? [parseObjectSource(item.get(kind), kind)] : []));
  const projected = field.get('projected', 'sources').map((item) => {
    item.only('configMap secret', {
      serviceAccountToken: 'there are no service accounts on this machine',
      downwardAPI: 'there are no Pods on this machine',
    });
    return own(item);
  });
  return [...own(field), ...projected.flat()];
}

/** Reads a Task's volume. */
export function parseVolume(field: Field): Volume {
  field.only('name emptyDir configMap secret projected persistentVolumeClaim', {
    hostPath: 'a step sees no folder of this machine',
  });
  const sources = parseObjectSources(field);
  const claim = field.get('persistentVolumeClaim');
  return {
    name: field.get('name').text(),
    kind: claim.present ? 'claim' : field.get('emptyDir').present || sources.length === 0 ? 'emptyDir' : 'objects',
    sources,
    claim: claim.get('claimName').string(),
    readOnly: sources.length > 0 || claim.get('readOnly').boolean() === true,
    field,
  };
}

/** What says where Pods run and how they are pulled: nothing here depends on it. */
const ABOUT_NODES =
  'nodeSelector tolerations affinity imagePullSecrets priorityClassName schedulerName automountServiceAccountToken ' +
  'enableServiceLinks topologySpreadConstraints runtimeClassName';

/** Reads a Pod template. */
export function parsePodTemplate(field: Field): PodTemplate {
  field.only(`env volumes securityContext ${ABOUT_NODES}`);
  const security = field
    .get('securityContext')
    .only('runAsUser runAsGroup runAsNonRoot fsGroup fsGroupChangePolicy seccompProfile supplementalGroups');
  const env = field.get('env').map((item): [string, string] => {
    if (item.get('valueFrom').present) item.get('valueFrom').unsupported('valueFrom in Pod templates is not supported');
    return [item.get('name').text(), item.get('value').text()];
  });
  return {
    env: Object.fromEntries(env),
    runAsUser: security.get('runAsUser').integer(),
    runAsGroup: security.get('runAsGroup').integer(),
    volumes: field.get('volumes').map(parseVolume),
  };
}

/** Reads what a run says of one of its TaskRuns, or a TaskRun of itself. */
export function parseTaskRunSpec(field: Field): TaskRunSpec {
  const strings = (key: string): Record<string, string> =>
    Object.fromEntries(
      field
        .get('metadata', key)
        .members()
        .map(([name, value]) => [name, value.text()]),
    );
  const resources = field.get('computeResources');
  return {
    timeout: parseTimeout(field.get('timeout')),
    labels: strings('labels'),
    annotations: strings('annotations'),
    limits: resources.present ? parseLimits(resources) : undefined,
    stepLimits: new Map(
      field
        .get('stepSpecs')
        .map((item) => [item.get('name').text(), parseLimits(item.get('computeResources'))] as const),
    ),
  };
}
