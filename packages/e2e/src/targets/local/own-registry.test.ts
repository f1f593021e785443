import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runPipeline } from '@multi-image/tekton-local';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliFolder, makeCliFolder } from '../../testing/cli-run.ts';
import { type FakeRegistry, startFakeRegistry } from '../../testing/fake-registry.ts';
import { fail, runTask } from '../../testing/stand-ins/run-task.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const OWN = 'localhost:1';

let elsewhere: FakeRegistry;
beforeAll(async () => {
  elsewhere = await startFakeRegistry();
});
afterAll(() => elsewhere.stop());

describe('a local run', () => {
  let bench: CliFolder;
  beforeAll(async () => {
    bench = await makeCliFolder();
  });
  afterAll(() => bench.remove());

  async function edit(file: string, change: (text: string) => string): Promise<void> {
    const text = await readFile(file, 'utf8');
    const changed = change(text);
    expect(changed).not.toBe(text);
    await writeFile(file, changed);
  }

  it('does not start with pipelines that are not as the config says', async () => {
    const checkout = await bench.clone('renamed');
    await edit(join(checkout, 'konflux.config.ts'), (text) => text.replace(/repository: '/, "repository: 'renamed-"));
    const { exitCode, output } = await bench.e2e(checkout, '--port', '0');
    expect(output).toMatch(/error CONFIG_DRIFTED: .*\.tekton\/.*\.yaml:\d+/);
    expect(output).toContain('hint:     pnpm render');
    expect(exitCode).toBe(2);
    expect(output).not.toContain('registry ');
  });

  it('says so as well where a pipeline is not there, even where drift is allowed', async () => {
    const checkout = await bench.clone('component');
    await edit(join(checkout, 'konflux.config.ts'), (text) => text.replace(/component: '/, "component: 'other-"));
    const { exitCode, output } = await bench.e2e(checkout, '--port', '0', '--allow-drift');
    expect(output).toMatch(/error CONFIG_DRIFTED: .*\.tekton\/other-.*-push\.yaml/);
    expect(output).not.toContain('ENOENT');
    expect(exitCode).toBe(2);
  });

  it('is refused where an edited pipeline names another registry', async () => {
    const checkout = await bench.clone('elsewhere');
    for (const file of ['app-push', 'metadata-scanner-push']) {
      await edit(join(checkout, `.tekton/${file}.yaml`), (text) =>
        text.replaceAll(/value: [a-z0-9.-]+\.io\//g, `value: ${elsewhere.host}/`),
      );
    }
    const { exitCode, output } = await bench.e2e(checkout, '--port', '0', '--allow-drift');
    expect(output).toContain(`has to do with its own registry`);
    expect(output).toContain(elsewhere.host);
    expect(exitCode).toBe(2);
    expect(elsewhere.requests).toEqual([]);
  });
});

describe('a task is not started', () => {
  it('with an image elsewhere that it gets from another task’s result', async () => {
    const root = mkdtempSync(join(tmpdir(), 'own-registry-'));
    const param = { name: 'IMAGE', value: '$(tasks.first.results.IMAGE_URL)' };
    const run = {
      apiVersion: 'tekton.dev/v1',
      kind: 'PipelineRun',
      metadata: { name: 'run' },
      spec: { pipelineSpec: { tasks: [task('first'), { ...task('second'), params: [param] }] } },
    };
    const first = {
      results: [{ name: 'IMAGE_URL' }],
      steps: [step('printf %s "$REFERENCE" >$(results.IMAGE_URL.path)')],
    };
    const second = { params: [{ name: 'IMAGE' }], steps: [step('curl -s http://$(params.IMAGE)')] };
    const given = (name: string, spec: object) => ({
      executor: 'host' as const,
      task: { apiVersion: 'tekton.dev/v1', kind: 'Task', metadata: { name }, spec },
      env: { REFERENCE: `${elsewhere.host}/org/image:tag` },
    });
    writeFileSync(join(root, 'run.yaml'), JSON.stringify(run));
    try {
      const { tasks } = await runPipeline({
        root,
        file: 'run.yaml',
        registry: OWN,
        tasks: { first: given('first', first), second: given('second', second) },
      });
      expect(tasks.map(({ status }) => status)).toEqual(['Succeeded', 'Failed']);
      expect(tasks[1]?.message).toContain(`IMAGE names ${elsewhere.host}/org/image:tag`);
      expect(elsewhere.requests).toEqual([]);
    } finally {
      rmSync(root, { recursive: true });
    }

    function task(name: string) {
      const params = Object.entries({ kind: 'task', name, bundle: `quay.io/org/${name}:1` });
      const taskRef = { resolver: 'bundles', params: params.map(([key, value]) => ({ name: key, value })) };
      return { name, taskRef };
    }
    function step(script: string) {
      return { name: 'step', image: 'image', command: ['sh', '-c', script] };
    }
  });
});

describe('a stand-in itself refuses', () => {
  const image = () => `${elsewhere.host}/org/image:tag`;

  it.each<[string, () => Record<string, string | string[]>]>([
    ['apply-tags', () => ({ IMAGE_URL: image(), IMAGE_DIGEST: DIGEST, ADDITIONAL_TAGS: ['latest'] })],
    ['build-image-index', () => ({ IMAGE: image(), IMAGES: [`${image()}@${DIGEST}`], ALWAYS_BUILD_INDEX: 'true' })],
    ['clair-scan', () => ({ 'image-url': image(), 'image-digest': DIGEST })],
  ])('an image elsewhere: %s', async (name, params) => {
    const said = await fail(runTask(name, params(), { registry: OWN }));
    expect(said).toContain('this run has to do with its own registry alone');
    expect(elsewhere.requests).toEqual([]);
  });
});
