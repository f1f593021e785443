import type { Field } from './field.ts';
import type { EnvVar, Step, StepSecurity, Task, VolumeMount } from './model.ts';
import { parseObjectSource, parseVolume } from './parse-objects.ts';
import {
  parseOnError,
  parseParamSpecs,
  parseResult,
  parseTimeout,
  parseWhen,
  parseWorkspaceDeclaration,
} from './parse-values.ts';
import { parseLimits } from './quantity.ts';

const STEP_FIELDS =
  'name displayName image imagePullPolicy command args script env envFrom workingDir volumeMounts onError timeout ' +
  'securityContext computeResources results when';
const STEP_REASONS = {
  ref: 'StepActions are not supported',
  params: 'StepActions are not supported',
  workspaces: 'isolated workspaces are not supported',
  volumeDevices: 'there are no block devices for steps on this machine',
};

/** Containers have these unless they are dropped, so that asking for them gives a step nothing of this machine. */
const CONTAINERS_OWN =
  'CHOWN DAC_OVERRIDE FOWNER FSETID KILL NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'.split(' ');

const SECURITY_FIELDS =
  'runAsUser runAsGroup runAsNonRoot readOnlyRootFilesystem allowPrivilegeEscalation capabilities seccompProfile';

/** Reads a Task's spec, from a file or embedded in a pipeline. */
export function parseTaskSpec(spec: Field, name: string): Task {
  if (spec.get('sidecars').items().length > 0) spec.get('sidecars').unsupported('sidecars are not supported');
  const template = spec.get('stepTemplate');
  const steps = spec.get('steps').list();
  return {
    name,
    params: parseParamSpecs(spec.get('params')),
    results: spec.get('results').map(parseResult),
    steps: steps.map((step, index) => parseStep(step, template, index)),
    volumes: spec.get('volumes').map(parseVolume),
    workspaces: spec.get('workspaces').map(parseWorkspaceDeclaration),
    field: spec,
  };
}

/** The step with what its template gives where it says nothing itself; lists are merged by name. */
function parseStep(field: Field, template: Field, index: number): Step {
  template.only(STEP_FIELDS, STEP_REASONS);
  field.only(STEP_FIELDS, STEP_REASONS);
  const either = (key: string): Field => (field.get(key).present ? field.get(key) : template.get(key));
  const command = either('command').strings();
  const script = field.get('script').text() || undefined;
  const env = [template, field].flatMap((item) => item.get('env').map(parseEnv));
  const mounts = [template, field].flatMap((item) => item.get('volumeMounts').map(parseMount));
  return {
    name: field.get('name').text() || `unnamed-${index}`,
    image: either('image').text(),
    command: script === undefined && command?.length !== 0 ? command : undefined,
    args: either('args').strings() ?? [],
    script,
    env: [...new Map(env.map((item) => [item.name, item])).values()],
    envFrom: [template, field].flatMap((item) => item.get('envFrom').map(parseEnvFrom)),
    workingDir: either('workingDir').string(),
    volumeMounts: [...new Map(mounts.map((mount) => [mount.mountPath, mount])).values()],
    onError: parseOnError(field.get('onError')),
    timeout: parseTimeout(field.get('timeout')),
    security: parseSecurity(field.get('securityContext'), template.get('securityContext')),
    results: field.get('results').map(parseResult),
    when: field.get('when').map((item) => parseWhen(item.only('input operator values'))),
    computeResources: either('computeResources').value,
    limits: parseLimits(either('computeResources')),
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
  const [, kind, key] = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path) ?? [];
  if (key === undefined) {
    from.unsupported(`of a Pod there are only labels and annotations on this machine: ${JSON.stringify(path)}`);
  }
  return kind === 'annotations' ? { name, value: '', annotation: key } : { name, value: '', label: key };
}

function parseEnvFrom(field: Field): Step['envFrom'][number] {
  field.only('prefix configMapRef secretRef');
  const kind = field.get('secretRef').present ? 'secret' : 'configMap';
  return { prefix: field.get('prefix').text(), source: parseObjectSource(field.get(`${kind}Ref`), kind) };
}

function parseSecurity(own: Field, template: Field): StepSecurity {
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
