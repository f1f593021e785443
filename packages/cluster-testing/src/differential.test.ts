import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runPipeline } from '@multi-image/tekton-local';
import { makeStandInImages, rowsOfPage, tektonExamples } from '@multi-image/tekton-local/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from './kube-api.ts';
import { REGISTRY } from './place.ts';
import { makeNamespace } from './testing/namespace.ts';
import { comparable, type Outcome, outcomeHere, outcomeThere, type Ran, turned } from './testing/outcome.ts';
import { thisCluster } from './testing/this-cluster.ts';

// The same YAML on tekton-local and on the cluster: of Tekton's own examples all those of which docs/tekton-conformance.md
// says that they succeed without a network. Those that need one are named there.

const { api, setup } = thisCluster();
const succeeding = new Set(rowsOfPage().flatMap((row) => (row.run === 'Succeeded' ? [row.name] : [])));
const examples = tektonExamples(setup.tekton).filter(({ name }) => succeeding.has(name));
const folder = mkdtempSync(join(tmpdir(), 'differential-'));

/** In the names of what this run makes on the cluster: another one may have been there. */
const own = randomBytes(3).toString('hex');

/** Milliseconds. */
const LONGEST = 240_000;

/** By the names that examples have for images: one that can be had on the cluster. */
const onCluster: Record<string, string> = {};
/** By such a name: this machine's image. */
const here: Record<string, string> = {};
let remove: (() => void) | undefined;

beforeAll(async () => {
  const made = await makeStandInImages();
  remove = made.remove;
  for (const [index, image] of [...new Set(Object.values(made.images))].entries()) {
    const repository = `${REGISTRY}/stand-in/${index}`;
    execFileSync('podman', ['push', '--quiet', '--tls-verify=false', image, `${repository}:1`], { stdio: 'pipe' });
    for (const [name, stands] of Object.entries(made.images)) if (stands === image) onCluster[name] = `${repository}:1`;
    here[repository] = image;
  }
  // There is nothing that makes volumes when they are claimed.
  await Promise.all(Array.from({ length: 60 }, (_, index) => makeVolume(index)));
});
afterAll(() => {
  remove?.();
  api.close();
  rmSync(folder, { recursive: true, force: true });
});

function makeVolume(index: number): Promise<unknown> {
  return api.apply({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `volume-${own}-${index}` },
    spec: {
      capacity: { storage: '10Gi' },
      accessModes: ['ReadWriteOnce', 'ReadWriteMany', 'ReadOnlyMany'],
      hostPath: { path: `/var/lib/volumes/${own}-${index}`, type: 'DirectoryOrCreate' },
    },
  });
}

/** The example with images that can be had here, also where a param names one. */
function withImages(text: string): string {
  return text.replaceAll(
    /((?:image:|name: *image\s+value:) *["']?)([^\s"'@]+?)(?::[\w.]+)?(?:@sha256:[0-9a-f]{64})?(?=["']?\s*$)/gm,
    (all, before, name) => (onCluster[name] === undefined ? all : `${before}${onCluster[name]}`),
  );
}

async function runHere(text: string): Promise<Outcome> {
  const root = mkdtempSync(join(folder, 'run-'));
  writeFileSync(join(root, 'run.yaml'), text);
  const options = { root, file: 'run.yaml', images: here, signal: AbortSignal.timeout(LONGEST) };
  return outcomeHere(await runPipeline(options));
}

/** In a namespace of its own, which stays: to remove one costs a server more than to run most of them. */
async function runThere(text: string, namespace: string): Promise<Outcome> {
  await makeNamespace(api, namespace);
  const objects = parseAllDocuments(text)
    .map((document) => document.toJS() as KubeObject | null)
    .filter((object) => object !== null)
    .map((object) => ({ ...object, metadata: { ...object.metadata, namespace } }));
  const isRun = ({ kind }: KubeObject): boolean => kind === 'PipelineRun' || kind === 'TaskRun';
  for (const object of objects.filter((one) => !isRun(one))) await api.apply(object);
  const run = objects.find(isRun);
  if (run === undefined) throw new Error('there is no run');
  const path = await api.pathOf(run, 'collection');
  const made = (await api.ask('POST', path, run)) as KubeObject;
  for (const end = Date.now() + LONGEST; Date.now() < end; await sleep(500)) {
    const seen = (await api.ask('GET', `${path}/${made.metadata.name}`)) as Ran;
    const { items } = (await api.ask('GET', `/apis/tekton.dev/v1/namespaces/${namespace}/taskruns`)) as {
      items: readonly Ran[];
    };
    const outcome = outcomeThere({ ...seen, kind: run.kind }, items);
    if (outcome !== undefined) return outcome;
  }
  throw new Error(`the run in ${namespace} goes on after ${LONGEST} ms`);
}

/** What an example asks of a cluster, and is not here. */
const LACKING: Readonly<Record<string, string>> = {
  'pipelineruns/beta/pipelinerun-with-matrix-and-taskrunspecs-param-substitution.yaml':
    'nodes that are labelled worker-1 and worker-2: there is one node',
};
for (const [name, what] of Object.entries(LACKING)) test.skip(`${name}: it needs ${what}`);

test('they are many, and each is known to Tekton by its name', () => {
  expect(examples.length).toBe(succeeding.size);
  expect(compared.length).toBeGreaterThanOrEqual(60);
});

const compared = examples.filter(({ name }) => LACKING[name] === undefined);

test.concurrent.each(compared.map(({ name, text }, index) => [name, text, index] as const))(
  '%s',
  async (name, text, index) => {
    const same = withImages(text);
    const [local, remote] = await Promise.all([runHere(same), runThere(same, `example-${own}-${index}`)]);
    const isTaskRun = name.startsWith('taskruns/');
    expect(comparable(local, isTaskRun)).toEqual(comparable(remote, isTaskRun));
    // Else they may have failed for the same lack.
    expect(remote.status).toBe('Succeeded');
    expect(turned(local, remote)).toEqual([]);
  },
);
