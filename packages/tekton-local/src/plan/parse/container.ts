import type { EnvVar, Step, StepSecurity, VolumeMount } from '../model.ts';
import { parseOnError, parseResult, parseTimeout, parseWhen } from '../values.ts';
import type { Field } from '../yaml/field.ts';
import { parseLimits } from '../yaml/quantity.ts';
import { parseObjectSource } from './objects.ts';

/** Containers have these unless they are dropped, so that asking for them gives a step nothing of this machine. */
const CONTAINERS_OWN =
  'CHOWN DAC_OVERRIDE FOWNER FSETID KILL NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'.split(' ');

const NO_SECURITY: StepSecurity = {
  readOnlyRootFilesystem: false,
  noNewPrivileges: false,
  addCapabilities: [],
  dropCapabilities: [],
};

const SECURITY_FIELDS =
  'runAsUser runAsGroup runAsNonRoot readOnlyRootFilesystem allowPrivilegeEscalation capabilities seccompProfile';

/** A step, a template or a sidecar by itself. */
export function parseContainer(field: Field): Step {
  const command = field.get('command').strings();
  const script = field.get('script').text() || undefined;
  return {
    name: '',
    image: field.get('image').text(),
    command: script === undefined && command?.length !== 0 ? command : undefined,
    args: field.get('args').strings() ?? [],
    script,
    env: field.get('env').map(parseEnv),
    envFrom: field.get('envFrom').map(parseEnvFrom),
    workingDir: field.get('workingDir').string(),
    volumeMounts: field.get('volumeMounts').map(parseMount),
    onError: parseOnError(field.get('onError')),
    timeout: parseTimeout(field.get('timeout')),
    security: NO_SECURITY,
    results: field.get('results').map(parseResult),
    workspaces: field.get('workspaces').map((item) => ({
      name: item.get('name').text(),
      mountPath: item.get('mountPath').text() || undefined,
      field: item,
    })),
    when: field.get('when').map((item) => parseWhen(item.only('input operator values'))),
    computeResources: field.get('computeResources').value,
    limits: parseLimits(field.get('computeResources')),
    field,
  };
}

function parseMount(field: Field): VolumeMount {
  field.only('name mountPath subPath readOnly');
  return {
    name: field.get('name').text(),
    mountPath: field.get('mountPath').text(),
    readOnly: field.get('readOnly').boolean() ?? false,
    subPath: field.get('subPath').string(),
  };
}

function parseEnv(field: Field): EnvVar {
  field.only('name value valueFrom');
  const name = field.get('name').text();
  const from = field.get('valueFrom').only('fieldRef configMapKeyRef secretKeyRef', {
    resourceFieldRef: 'there is no Pod on this machine',
  });
  for (const kind of ['configMap', 'secret'] as const) {
    const reference = from.get(`${kind}KeyRef`);
    if (!reference.present) continue;
    const key = reference.get('key').text();
    return { name, value: '', from: { ...parseObjectSource(reference, kind), key } };
  }
  if (!from.present) return { name, value: field.get('value').string() ?? '' };
  const path = from.get('fieldRef').only('fieldPath apiVersion').get('fieldPath').text();
  if (!/^metadata\.(?:(?:labels|annotations)\['[^']+'\]|name|namespace|uid)$/.test(path)) {
    const known = 'name, namespace, uid, labels and annotations';
    from.unsupported(`of a Pod there are only ${known} on this machine: ${JSON.stringify(path)}`);
  }
  return { name, value: '', ofPod: path };
}

function parseEnvFrom(field: Field): Step['envFrom'][number] {
  field.only('prefix configMapRef secretRef');
  const kind = field.get('secretRef').present ? 'secret' : 'configMap';
  return { prefix: field.get('prefix').text(), source: parseObjectSource(field.get(`${kind}Ref`), kind) };
}

/** What a securityContext says, with its template's. */
export function parseSecurity(own: Field, template: Field): StepSecurity {
  for (const field of [own, template]) {
    field.only(SECURITY_FIELDS, { privileged: 'no step runs with the rights of this machine' });
    field.get('capabilities').only('add drop');
    const added = field.get('capabilities', 'add');
    const beyond = added.strings()?.find((name) => !CONTAINERS_OWN.includes(name));
    if (beyond !== undefined) {
      added.unsupported(`a step gets no capabilities beyond the default ones: ${JSON.stringify(beyond)}`);
    }
  }
  // What is added and what is dropped are fields of their own: a step that adds one keeps what its template drops.
  const either = (...path: string[]): Field => (own.get(...path).present ? own.get(...path) : template.get(...path));
  const runAsUser = either('runAsUser').integer();
  if (either('runAsNonRoot').boolean() === true && runAsUser === 0) {
    either('runAsUser').invalid('runAsNonRoot is set and the user is 0');
  }
  return {
    runAsUser,
    runAsGroup: either('runAsGroup').integer(),
    readOnlyRootFilesystem: either('readOnlyRootFilesystem').boolean() ?? false,
    noNewPrivileges: either('allowPrivilegeEscalation').boolean() === false,
    addCapabilities: either('capabilities', 'add').strings() ?? [],
    dropCapabilities: either('capabilities', 'drop').strings() ?? [],
  };
}
