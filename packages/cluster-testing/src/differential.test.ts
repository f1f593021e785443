import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { mapConcurrently } from '@multi-image/kit/concurrent';
import { runPipeline } from '@multi-image/tekton-local';
import { type Example, makeStandInImages, rowsOfPage, tektonExamples } from '@multi-image/tekton-local/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { KubeApi, KubeObject } from './kube-api.ts';
import { REGISTRY } from './place.ts';
import { thisCluster } from './testing/this-cluster.ts';

// The same YAML on tekton-local and on the cluster: Tekton's own examples, those that docs/tekton-conformance.md has as run.

type ParamValue = Awaited<ReturnType<typeof runPipeline>>['results'][string];

/** What became of a run: what is compared. Times are milliseconds since 1970. */
interface Outcome {
  readonly status: string;
  readonly results: Readonly<Record<string, ParamValue>>;
  readonly tasks: Readonly<
    Record<string, { readonly status: string; readonly results: Readonly<Record<string, ParamValue>> }>
  >;
  /** Pairs of tasks of which the one ended before the other began. */
  readonly order: readonly (readonly [before: string, after: string])[];
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
}
interface Status {
  readonly conditions?: readonly Condition[];
  readonly results?: readonly { readonly name: string; readonly value: ParamValue }[];
  readonly skippedTasks?: readonly { readonly name: string }[];
  readonly startTime?: string;
  readonly completionTime?: string;
}

/** What examples say that is another thing each time: times, and the names of runs and pods. */
const CHANGING = /\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d|^\d{9,}$/;
/** Milliseconds. */
const LONGEST = 150_000;
const AT_ONCE = 4;
/** How many of them are run, the shortest first: about three seconds each. EXAMPLES=200 runs all. */
const ENOUGH = 16;

let api: KubeApi;
let images: Record<string, string>;
let remove: () => void;
let examples: readonly Example[];
const folder = mkdtempSync(join(tmpdir(), 'differential-'));

beforeAll(async () => {
  const { api: connected, setup } = thisCluster();
  api = connected;
  const made = await makeStandInImages();
  remove = made.remove;
  // Both sides get them by the name that the cluster's registry has for them.
  images = {};
  for (const [index, image] of [...new Set(Object.values(made.images))].entries()) {
    const name = `${REGISTRY}/stand-in/${index}`;
    execFileSync('podman', ['push', '--quiet', '--tls-verify=false', image, `${name}:1`], { stdio: 'pipe' });
    for (const [original, own] of Object.entries(made.images)) if (own === image) images[original] = `${name}:1`;
    images[name] = image;
  }
  const run = new Set(rowsOfPage().flatMap((row) => (row.run === 'Succeeded' ? [row.name] : [])));
  const all = tektonExamples(setup.tekton).filter(({ name }) => run.has(name));
  examples = all.sort((a, b) => a.text.length - b.text.length);
  await makeVolumes(40);
});
afterAll(() => {
  remove?.();
  api?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** There is nothing that makes volumes when they are claimed. */
async function makeVolumes(count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    await api.apply({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: `volume-${index}` },
      spec: {
        capacity: { storage: '10Gi' },
        accessModes: ['ReadWriteOnce', 'ReadWriteMany', 'ReadOnlyMany'],
        hostPath: { path: `/var/lib/volumes/${index}`, type: 'DirectoryOrCreate' },
      },
    });
  }
}

/** The example with images that can be had here. */
function withImages(text: string): string {
  return text.replaceAll(
    /(image: *["']?)([^\s"'@]+?)(?::[\w.]+)?(?:@sha256:[0-9a-f]{64})?(?=["']?\s*$)/gm,
    (all, key, name) => (images[name] === undefined ? all : `${key}${images[name]}`),
  );
}

async function here(text: string, name: string): Promise<Outcome> {
  const root = mkdtempSync(join(folder, 'run-'));
  writeFileSync(join(root, 'run.yaml'), text);
  const outcome = await runPipeline({ root, file: 'run.yaml', images, signal: AbortSignal.timeout(LONGEST) });
  const tasks = outcome.tasks.map(({ name: task, status, results, startedAt, finishedAt }) => ({
    ...{ task, status, results, from: startedAt, to: finishedAt },
  }));
  return outcomeOf(outcome.status, outcome.results, tasks, name);
}

async function there(text: string, name: string): Promise<Outcome> {
  const namespace = `example-${name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(-50)
    .replaceAll(/^-|-$/g, '')}`;
  await api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const objects = parseAllDocuments(text)
    .map((document) => document.toJS() as KubeObject | null)
    .filter((object) => object !== null)
    .map((object) => ({ ...object, metadata: { ...object.metadata, namespace } }));
  const isRun = ({ kind }: KubeObject): boolean => kind === 'PipelineRun' || kind === 'TaskRun';
  for (const object of objects.filter((one) => !isRun(one))) await api.apply(object);
  const run = objects.find(isRun);
  if (run === undefined) throw new Error(`${name} has no run`);
  const path = await api.pathOf(run, 'collection');
  const made = (await api.ask('POST', path, run)) as KubeObject;
  const status = await ended(`${path}/${made.metadata.name}`);
  const tasks = run.kind === 'TaskRun' ? [] : await taskRuns(namespace);
  const skipped = (status.skippedTasks ?? []).map(({ name: task }) => ({ task, status: 'Skipped', results: {} }));
  await api.ask('DELETE', `/api/v1/namespaces/${namespace}`);
  return outcomeOf(statusOf(status), valuesOf(status), [...tasks, ...skipped], name);
}

async function ended(path: string): Promise<Status> {
  for (const end = Date.now() + LONGEST; ; await sleep(500)) {
    const { status = {} } = (await api.ask('GET', path)) as { status?: Status };
    if (statusOf(status) !== 'Running') return status;
    if (Date.now() > end) return { conditions: [{ type: 'Succeeded', status: 'False', reason: 'too long' }] };
  }
}

async function taskRuns(namespace: string) {
  const { items } = (await api.ask('GET', `/apis/tekton.dev/v1/namespaces/${namespace}/taskruns`)) as {
    items: readonly (KubeObject & { status: Status })[];
  };
  return items.map(({ metadata, status }) => ({
    task: metadata.labels?.['tekton.dev/pipelineTask'] ?? '',
    ...{ status: statusOf(status), results: valuesOf(status) },
    ...{ from: Date.parse(status.startTime ?? ''), to: Date.parse(status.completionTime ?? '') },
  }));
}

function statusOf({ conditions = [] }: Status): string {
  const condition = conditions.find(({ type }) => type === 'Succeeded');
  if (condition === undefined || condition.status === 'Unknown') return 'Running';
  return condition.status === 'True' ? 'Succeeded' : 'Failed';
}

const valuesOf = ({ results = [] }: Status): Record<string, ParamValue> =>
  Object.fromEntries(results.map(({ name, value }) => [name, value]));

interface TaskSeen {
  readonly task: string;
  readonly status: string;
  readonly results: Readonly<Record<string, ParamValue>>;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

function outcomeOf(
  status: string,
  results: Readonly<Record<string, ParamValue>>,
  tasks: readonly TaskSeen[],
  name: string,
): Outcome {
  const isAlone = name.startsWith('taskruns/');
  const order = tasks.flatMap((one) =>
    tasks.flatMap((other) =>
      one !== other && one.to !== undefined && other.from !== undefined && one.to < other.from
        ? [[one.task, other.task] as const]
        : [],
    ),
  );
  return {
    status,
    results: isAlone ? {} : comparable(results),
    // Of a matrix, how each of its runs ended.
    tasks: isAlone
      ? {}
      : Object.fromEntries(
          [...tasks]
            .sort((a, b) => (a.task < b.task ? -1 : 1))
            .map(({ task, status: ends, results: own }) => [
              task,
              { status: ends, results: tasks.filter((other) => other.task === task).length > 1 ? {} : comparable(own) },
            ]),
        ),
    order,
  };
}

function comparable(results: Readonly<Record<string, ParamValue>>): Readonly<Record<string, ParamValue>> {
  return Object.fromEntries(
    Object.entries(results).map(([name, value]) => [
      name,
      CHANGING.test(JSON.stringify(value)) ? 'another each time' : value,
    ]),
  );
}

test('Tekton’s examples end the same on tekton-local and on the cluster', async () => {
  const some = examples.slice(0, Number(process.env.EXAMPLES ?? ENOUGH));
  const differences: string[] = [];
  const texts = new Map(some.map((example) => [example.name, withImages(example.text)]));
  const remote = mapConcurrently(
    some,
    async ({ name }) => [name, await there(texts.get(name) ?? '', name).catch((error) => String(error))] as const,
    AT_ONCE,
  );
  const local = new Map<string, Outcome | string>();
  for (const { name } of some) {
    local.set(name, await here(texts.get(name) ?? '', name).catch((error) => String(error)));
  }
  let same = 0;
  for (const [name, theirs] of await remote) {
    const own = local.get(name);
    const said = differenceOf(own, theirs);
    if (said === undefined) same++;
    else differences.push(`${name}: ${said}`);
  }
  expect(differences).toEqual([]);
  expect(same).toBeGreaterThanOrEqual(ENOUGH);
});

function differenceOf(own: Outcome | string | undefined, theirs: Outcome | string): string | undefined {
  if (typeof own !== 'object' || typeof theirs !== 'object')
    return `here ${JSON.stringify(own)}, there ${JSON.stringify(theirs)}`;
  const { order: mine, ...here } = own;
  const { order: others, ...there } = theirs;
  if (JSON.stringify(sorted(here)) !== JSON.stringify(sorted(there)))
    return `here ${JSON.stringify(here)}, there ${JSON.stringify(there)}`;
  const turned = mine.filter(([before, after]) => others.some(([first, then]) => first === after && then === before));
  return turned.length === 0 ? undefined : `another order: ${turned.join('; ')}`;
}

/** With the keys of objects in their order. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => [key, sorted(one)]),
  );
}
