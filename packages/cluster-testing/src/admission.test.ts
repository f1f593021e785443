import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mapConcurrently } from '@multi-image/kit/concurrent';
import { checkConfig, loadConfig, planChain, readPins, render } from '@multi-image/manifests';
import { resolvePipelineRun } from '@multi-image/tekton-local';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type KubeApi, type KubeObject, messageOf } from './kube-api.ts';
import { configs } from './testing/configs.ts';
import { konfluxCrds } from './testing/konflux-crds.ts';
import { thisCluster } from './testing/this-cluster.ts';

const repository = fileURLToPath(new URL('../../..', import.meta.url));
/** What Pipelines as Code puts in the place of its variables. */
const VARIABLES = {
  revision: '0123456789abcdef0123456789abcdef01234567',
  source_url: 'https://git.example/fork/chain',
  repo_url: 'https://git.example/org/chain',
  target_branch: 'main',
  source_branch: 'topic',
  git_auth_secret: 'pac-gitauth-abcd',
  pull_request_number: '7',
};

let api: KubeApi;
const namespaces = new Set<string>();

beforeAll(async () => {
  ({ api } = thisCluster());
  await api.applyAll(konfluxCrds());
});
afterAll(() => api?.close());

/** Sends all objects of these files as they are, and the PipelineRuns as Pipelines as Code makes them. */
async function sendAll(files: ReadonlyMap<string, string>): Promise<{ sent: number; said: readonly string[] }> {
  const objects = [...files].flatMap(([path, text]) => {
    const raw = parseAllDocuments(text).map((document) => document.toJS() as KubeObject);
    const isRun = path.includes('.tekton/') && raw.some(({ kind }) => kind === 'PipelineRun');
    const resolved = isRun ? [resolvePipelineRun(files, path, VARIABLES) as unknown as KubeObject] : [];
    return [...raw, ...resolved].map((object) => ({ path, object }));
  });
  for (const { object } of objects) await ensureNamespace(object.metadata.namespace ?? 'default');
  const said = await mapConcurrently(objects, async ({ path, object }) => {
    const answer = await api.wouldCreate(object);
    const about = `${path}: ${object.kind} ${object.metadata.name}`;
    return [
      ...(answer.status < 300 ? [] : [`${about}: ${messageOf(answer)}`]),
      ...answer.warnings.map((warning) => `${about}: warning: ${warning}`),
    ];
  });
  return { sent: objects.length, said: said.flat() };
}

async function ensureNamespace(name: string): Promise<void> {
  if (namespaces.has(name)) return;
  namespaces.add(name);
  await api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
}

const committed = globSync('{.,examples/*}/konflux.config.ts', { cwd: repository });

describe.each(committed)('what is rendered for %s', (config) => {
  test('is admitted without a warning', async () => {
    const { chain, pins, folder } = await loadConfig(join(repository, config));
    const files = new Map(
      render(chain, pins, folder).map(({ path }) => [
        folder + path,
        readFileSync(join(repository, folder, path), 'utf8'),
      ]),
    );
    const { sent, said } = await sendAll(files);
    expect(said).toEqual([]);
    expect(sent).toBeGreaterThan(10);
  });
});

test('what is rendered for a hundred other configs is admitted without a warning', async () => {
  const pins = readPins();
  for (const config of fc.sample(configs, { numRuns: 100, seed: 20_260_801 })) {
    expect(checkConfig(config).issues).toEqual([]);
    const files = new Map(render(planChain(config), pins).map(({ path, text }) => [path, text]));
    const { said } = await sendAll(files);
    expect(said, JSON.stringify(config)).toEqual([]);
  }
});

test('what Tekton refuses is refused here, and what Kubernetes does not know', async () => {
  const task = (spec: unknown): KubeObject => ({
    apiVersion: 'tekton.dev/v1',
    kind: 'Task',
    metadata: { name: 'wrong' },
    spec: spec as never,
  });
  const unknown = await api.wouldCreate(task({ steps: [{ name: 'one', image: 'i', comand: ['x'] }] }));
  expect(messageOf(unknown)).toContain('unknown field "spec.steps[0].comand"');
  const param = await api.wouldCreate(task({ steps: [{ name: 'one', image: '$(params.none)' }] }));
  expect(messageOf(param)).toContain('non-existent variable in "$(params.none)"');
  const component = await api.wouldCreate({
    apiVersion: 'appstudio.redhat.com/v1alpha1',
    kind: 'Component',
    metadata: { name: 'app' },
    spec: { application: 'No_name', componentName: 'app' },
  });
  expect(messageOf(component)).toMatch(/spec.application.*should match|spec.source: Required value/);
});
