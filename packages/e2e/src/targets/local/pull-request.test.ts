import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildNodeBase, type PipelineRunOutcome, runPipeline } from '@multi-image/tekton-local';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CliFolder, makeCliFolder } from '../../testing/cli-run.ts';
import { NODE_BASE } from './base-image.ts';
import { localTasks } from './tasks.ts';

let registry: TestRegistry;
let bench: CliFolder;
let clone: string;
let revision: string;
beforeAll(async () => {
  bench = await makeCliFolder();
  clone = await bench.clone('source');
  revision = execFileSync('git', ['-C', clone, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
  registry = await startTestRegistry();
  await buildNodeBase({ tag: NODE_BASE });
});
afterAll(async () => {
  await registry?.stop();
  await bench?.remove();
});

const pipeline = async (component: string, params: Record<string, string>): Promise<PipelineRunOutcome> => {
  const images = Object.fromEntries(pinnedImages().map((image) => [image, NODE_BASE]));
  return await runPipeline({
    root: clone,
    file: `.tekton/${component}-pull-request.yaml`,
    variables: { pull_request_number: '7', target_branch: 'main', source_url: 'https://git.example.com/fork' },
    params,
    images,
    ...(await localTasks({ fetchFrom: clone, images })),
  });
};

/** What the Containerfiles and the tasks stand on. */
function pinnedImages(): string[] {
  const texts = ['image1/Containerfile', 'pipeline/tasks/label-image.yaml', 'pipeline/tasks/extract-image.yaml'].map(
    (file) => readFileSync(join(clone, file), 'utf8'),
  );
  return [...new Set(texts.join('\n').match(/\S+\/nodejs-\S+@sha256:[0-9a-f]{64}/g))].map((image) =>
    image.replace(/^BASE_IMAGE=/, ''),
  );
}

async function tagsOf(repository: string): Promise<string[]> {
  const response = await fetch(`http://${registry.host}/v2/${repository}/tags/list`);
  const { tags } = (await response.json()) as { tags: string[] };
  return tags.filter((tag) => !tag.startsWith('sha256-'));
}

it('runs both pipelines of a pull request, and leaves latest alone', async () => {
  const [image1, image2] = [`${registry.host}/o/image1`, `${registry.host}/o/image2`];
  const tag = `on-pr-${revision}`;
  // At the same time, as the two start on a cluster: the second waits for what the first publishes.
  const [build, scanner] = await Promise.all([
    pipeline('app', {
      'output-image': `${image1}:${tag}`,
      'metadata-image': `${image2}:${tag}`,
      'primary-repository': image1,
    }),
    pipeline('metadata-scanner', { 'output-image': `${image2}:${tag}`, 'primary-image': `${image1}:${tag}` }),
  ]);
  const failed = [...build.tasks, ...scanner.tasks].filter(({ status }) => status === 'Failed');
  expect(failed).toEqual([]);
  expect([build.status, scanner.status]).toEqual(['Succeeded', 'Succeeded']);
  expect(build.tasks.filter(({ status }) => status === 'Skipped').map(({ name }) => name)).toEqual([
    'apply-tags-image-2',
    'apply-tags-image-1',
  ]);
  expect(scanner.results.IMAGE_DIGEST).toBe(build.results.METADATA_IMAGE_DIGEST);
  expect(build.results).toMatchObject({ IMAGE_URL: `${image1}:${tag}`, 'CHAINS-GIT_COMMIT': revision });
  const [tags1, tags2] = [await tagsOf('o/image1'), await tagsOf('o/image2')];
  expect(tags1).toEqual(expect.arrayContaining([tag, `${tag}-unsealed`]));
  expect(tags2).toContain(tag);
  expect([...tags1, ...tags2]).not.toContain('latest');
});
