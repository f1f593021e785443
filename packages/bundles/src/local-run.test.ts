import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRegistry, parseDigestReference, parseReference, unseal } from '@multi-image/digest-chain';
import { findProgram } from '@multi-image/kit/find-program';
import { readPins } from '@multi-image/manifests';
import { buildNodeBase, runPipeline } from '@multi-image/tekton-local';
import { REVISION } from '@multi-image/testing/chain';
import { pipelineRun } from '@multi-image/testing/checkout';
import { pushChain } from '@multi-image/testing/pushed-chain';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { checkBundle } from './check-bundle.ts';
import { type Published, publish } from './publish.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SOURCE = { url: 'https://git.example/org/repo', revision: 'a'.repeat(40), committed: '2026-01-02T03:04:05Z' };
const HAS_CONTAINERS = ['buildah', 'podman'].every((name) => findProgram([name]) !== undefined);

describe.skipIf(!HAS_CONTAINERS)('the tasks of a bundle (skipped where there is no buildah or podman)', () => {
  let server: TestRegistry;
  let folder: string;
  let published: Published;
  let image = '';
  const registry = createRegistry();

  beforeAll(async () => {
    server = await startTestRegistry();
    folder = mkdtempSync(join(tmpdir(), 'bundles-run-'));
    const base = await buildNodeBase({ tag: 'localhost/multi-image/node-base:local' });
    const pushed = `${server.host}/base/node:local`;
    execFileSync('buildah', ['push', '--quiet', '--tls-verify=false', base, `docker://${pushed}`], { stdio: 'pipe' });
    const found = await registry.headManifest(parseReference(pushed), 'local');
    published = await publish(registry, {
      prefix: `${server.host}/org`,
      root: ROOT,
      source: SOURCE,
      base: parseDigestReference(`${pushed}@${found?.digest}`),
      pins: readPins(),
    });
    const runner = published.runner.replace(/:[^:@/]+@/, '@');
    image = execFileSync('podman', ['pull', '--quiet', '--tls-verify=false', runner], { encoding: 'utf8' }).trim();
  });
  afterAll(async () => {
    if (image !== '') execFileSync('podman', ['rmi', '--force', image], { stdio: 'pipe' });
    rmSync(folder, { recursive: true, force: true });
    await server.stop();
  });

  it('seal an image in the runner image, on this machine', async () => {
    const chain = await pushChain(server.host, 'demo');
    const tasks = join(folder, 'tasks');
    mkdirSync(tasks);
    for (const task of await checkBundle(registry, published.tasks, published.runner)) {
      writeFileSync(join(tasks, `${task.metadata.name}.yaml`), stringify(task));
    }
    const tag = `${chain.image1}:${REVISION}`;
    const params = {
      ORIGIN: `${chain.image1}@${chain.origin}`,
      LINKS: [`metadata=${chain.image2}:${REVISION}@${chain.metadata}`],
      IMAGE: tag,
      REVISION,
      LABEL_PREFIX: 'io.konflux.poc',
    };
    const listed = (values: object): object[] => Object.entries(values).map(([name, value]) => ({ name, value }));
    const reference = { name: 'label-image', bundle: published.tasks, kind: 'task' };
    const task = { name: 'label', taskRef: { resolver: 'bundles', params: listed(reference) }, params: listed(params) };
    const run = pipelineRun({ tasks: [task] });
    for (const [file, text] of Object.entries(run)) writeFileSync(join(folder, file), text);
    const outcome = await runPipeline({
      root: folder,
      file: 'run.yaml',
      replacements: { [`${server.host}/org/chain-tasks`]: tasks },
      images: { [published.runner]: image },
    });
    expect(outcome).toMatchObject({ status: 'Succeeded' });
    const { seal } = await unseal(registry, parseReference(tag));
    expect(seal).toMatchObject({ sealedFrom: chain.origin, links: [{ role: 'metadata', digest: chain.metadata }] });
  });
});
