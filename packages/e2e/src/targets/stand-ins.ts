import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CATALOG_TASKS, type Pins } from '@multi-image/manifests';
import { load } from 'js-yaml';
import { E2eError } from '../errors.ts';

/** A task that is another one but for a few params: its own file has only what is different. */
const SAME_AS: Readonly<Record<string, string>> = { 'buildah-remote-oci-ta': 'buildah-oci-ta' };

/** The catalog tasks that there is a stand-in for: of the rendered pipelines, and the others of Konflux' stock pipelines. */
export const STAND_INS: readonly string[] = [
  ...CATALOG_TASKS,
  'sast-snyk-check-oci-ta',
  'sast-shell-check-oci-ta',
  'sast-unicode-check-oci-ta',
  'ecosystem-cert-preflight-checks',
  'source-build-oci-ta',
  'show-sbom',
];

/** At the root of the repository; of what is published, in the folder `dist`. */
const FOLDER = findFolder(import.meta.dirname);

/** What is read of a stand-in's file; the rest is handed on as it is. */
interface TaskSpec {
  [field: string]: unknown;
  params: { name: string }[];
  steps: Step[];
}

interface Step {
  [field: string]: unknown;
  name: string;
  /** The name of a pin. */
  image: string;
  /** The name of a file. */
  script?: string;
}

/** Where steps run: as processes of somebody's own machine, or in a cluster's Pods. */
export type Place = 'machine' | 'cluster';

/**
 * The spec (TaskSpec) of the Task that stands in for a task of Konflux' catalog: the same params and results, on any
 * cluster with Tekton. Its steps run pinned images, without rights unless they name their own, and read the variable
 * `PLAIN_HTTP`: with `true` they reach registries without TLS. Throws `NO_STAND_IN` for a task that there is none for.
 *
 * A cluster keeps all tasks of a run in one object, twice, and takes none of more than 1.5 MB: for it there are no
 * descriptions, no lines of comments in scripts, and nothing that is of use on a machine alone.
 */
export function readStandIn(name: string, pins: Pins, place: Place): Record<string, unknown> {
  const spec = withCertificates(place === 'cluster' ? undescribed(readSpec(name)) : readSpec(name));
  const steps = spec.steps.map(({ script, ...step }) => ({
    securityContext: UNPRIVILEGED,
    ...step,
    image: pinOf(name, step, pins),
    ...(script === undefined ? {} : { script: readScript(script, place) }),
  }));
  return { ...spec, steps };
}

function undescribed({ description: _, ...spec }: TaskSpec): TaskSpec {
  const lists = Object.entries(spec).map(([field, value]) => [
    field,
    isNamedList(value) ? value.map(({ description: _, ...item }) => item) : value,
  ]);
  return Object.fromEntries(lists);
}

/** Of every step that says nothing of its rights. */
const UNPRIVILEGED = {
  runAsNonRoot: true,
  runAsUser: 1001,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
};

/** Its steps trust the certificates in the ConfigMap that its params name, too; the catalog spells those in three ways. */
function withCertificates(spec: TaskSpec): TaskSpec {
  const paramFor = (what: string): string | undefined =>
    spec.params.find(({ name }) => name.replace(/[-_]/g, '').toLowerCase() === `catrustconfigmap${what}`)?.name;
  const [name, key] = [paramFor('name'), paramFor('key')];
  if (name === undefined || key === undefined) return spec;
  const items = [{ key: `$(params.${key})`, path: 'ca-bundle.crt' }];
  const certificates = {
    stepTemplate: {
      // Where programs in Go look for them: where they always do, and in the ConfigMap.
      env: [{ name: 'SSL_CERT_DIR', value: '/etc/ssl/certs:/etc/pki/tls/certs:/mnt/trusted-ca' }],
      volumeMounts: [{ name: 'trusted-ca', mountPath: '/mnt/trusted-ca', readOnly: true }],
    },
    volumes: [{ name: 'trusted-ca', configMap: { name: `$(params.${name})`, optional: true, items } }],
  };
  return merge(certificates, spec) as TaskSpec;
}

function findFolder(from: string): string {
  const folder = join(from, 'stand-ins');
  return existsSync(join(folder, 'init.yaml')) || dirname(from) === from ? folder : findFolder(dirname(from));
}

function readSpec(name: string): TaskSpec {
  if (!STAND_INS.includes(name)) {
    throw new E2eError('NO_STAND_IN', `there is no stand-in for the catalog's task ${name}`, {
      expected: STAND_INS.join(', '),
      found: name,
      hint: 'run without stand-ins, on a cluster that can pull the catalog’s tasks',
    });
  }
  const { spec } = load(readFileSync(join(FOLDER, `${name}.yaml`), 'utf8')) as { spec: TaskSpec };
  const base = Object.hasOwn(SAME_AS, name) ? SAME_AS[name] : undefined;
  return base === undefined ? spec : (merge(readSpec(base), spec) as TaskSpec);
}

function pinOf(task: string, step: { name: string; image: string }, { images }: Pins): string {
  const pin = Object.entries(images).find(([name]) => name === step.image)?.[1];
  if (pin !== undefined) return pin;
  throw new E2eError(
    'NO_STAND_IN',
    `the stand-in for ${task} can't be used: its step ${step.name} names no pinned image`,
    {
      expected: Object.keys(images).join(', '),
      found: step.image,
    },
  );
}

/** The text of a script with the scripts that it sources, since a step has only one. */
export function readScript(file: string, place: Place): string {
  const read = (name: string): string => readFileSync(join(FOLDER, 'scripts', name), 'utf8');
  const sourced = (name: string): string =>
    place === 'cluster' && name.startsWith('machine/') ? '' : read(name).replace(/^#!.*\n/, '');
  const parts = read(file).split(/^# shellcheck source=(\S+)\n\. .*\n/m);
  const whole = parts.map((part, index) => (index % 2 === 0 ? part : sourced(part))).join('');
  return place === 'cluster' ? whole.replace(COMMENTS, '') : whole;
}

/** Lines that are a comment or empty, but for the first. No text in these scripts has such lines. */
const COMMENTS = /(?<=\n)[ \t]*(?:#.*)?\n/g;

/** Objects are merged by key and lists by name; everything else is replaced. */
function merge(base: unknown, over: unknown): unknown {
  if (isNamedList(base) && isNamedList(over)) {
    const names = new Set([...base, ...over].map(({ name }) => name));
    return [...names].map((name) => {
      const [left, right] = [base, over].map((list) => list.find((item) => item.name === name));
      return left !== undefined && right !== undefined ? merge(left, right) : (right ?? left);
    });
  }
  if (!isRecord(base) || !isRecord(over)) return over;
  const added = Object.entries(over).map(([key, value]) => [key, key in base ? merge(base[key], value) : value]);
  return { ...base, ...Object.fromEntries(added) };
}

function isNamedList(value: unknown): value is Record<string, unknown>[] {
  return Array.isArray(value) && value.every((item) => isRecord(item) && 'name' in item);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
