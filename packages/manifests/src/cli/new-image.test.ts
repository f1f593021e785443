import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadConfig } from '../config/load.ts';
import { findLinkGaps } from '../containerfile/links.ts';
import { TWO } from '../testing/chains.ts';
import { run } from '../testing/run.ts';
import { Workspace } from '../testing/workspace.ts';

const BASE = `quay.io/org/base:1@sha256:${'a'.repeat(64)}`;

test('adds an image that says what it embeds, with a whole link', async () => {
  using workspace = new Workspace();
  workspace.configure(TWO);
  const args = ['bundle', '--embeds', 'primary', '--embeds', 'metadata', '--base', BASE, '--prefetch', 'npm'];
  expect(await run(workspace.folder, 'new-image', ...args)).toMatchObject({ code: 0, stderr: '' });
  const { chain, root } = await loadConfig(workspace.path('konflux.config.ts'));
  expect(chain.images.at(-1)).toMatchObject({
    role: 'bundle',
    component: 'bundle',
    containerfile: 'images/bundle/Containerfile',
    prefetch: [{ type: 'npm', path: 'images/bundle' }],
  });
  expect(findLinkGaps(chain, root).filter(({ role }) => role === 'bundle')).toEqual([]);
  expect(readFileSync(workspace.path('images/bundle/Containerfile'), 'utf8')).toContain('ARG IMAGE2_DIGEST\n');
  const again = await run(workspace.folder, 'new-image', ...args);
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('is there already')]);
});

test('a chain of one’s own in place of the demo, from one command: rendered, whole links, nothing of the demo rendered', async () => {
  using workspace = new Workspace();
  workspace.configure(TWO);
  workspace.write('primary/Containerfile', `ARG BASE=${BASE}\nFROM --platform=$P $BASE AS x\nFROM x\n`);
  await run(workspace.folder, 'render');
  expect(existsSync(workspace.path('.tekton/metadata-scanner-push.yaml'))).toBe(true);
  const { code, stdout, stderr } = await run(
    workspace.folder,
    'new-image',
    'app',
    'sidecar:app',
    'tool',
    'bundle:app,sidecar,tool',
    '--replace',
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('deleted: .tekton/metadata-scanner-push.yaml');
  const { chain, root } = await loadConfig(workspace.path('konflux.config.ts'));
  expect(chain.images.map(({ role, embeds }) => [role, embeds.map((image) => image.role)])).toEqual([
    ['app', []],
    ['sidecar', ['app']],
    ['tool', []],
    ['bundle', ['app', 'sidecar', 'tool']],
  ]);
  expect(chain.images.map(({ component }) => component)).toEqual(['app', 'sidecar', undefined, 'bundle']);
  expect(findLinkGaps(chain, root)).toEqual([]);
  expect(readFileSync(workspace.path('images/app/Containerfile'), 'utf8')).toContain(`FROM ${BASE}\n`);
  expect(existsSync(workspace.path('primary/Containerfile'))).toBe(true);
  expect(await run(workspace.folder, 'render', '--check')).toMatchObject({ code: 0 });
});

test('what somebody edited by hand is neither deleted nor overwritten by a replacement', async () => {
  using workspace = new Workspace();
  workspace.configure(TWO);
  await run(workspace.folder, 'render');
  const file = '.tekton/metadata-scanner-push.yaml';
  const edited = readFileSync(workspace.path(file), 'utf8').replace('kind: PipelineRun', 'kind: PipelineRun # mine');
  workspace.write(file, edited);
  const { code, stderr } = await run(workspace.folder, 'new-image', 'app', '--base', BASE, '--replace');
  expect([code, stderr]).toEqual([1, expect.stringContaining(file)]);
  expect(readFileSync(workspace.path(file), 'utf8')).toBe(edited);
  expect(existsSync(workspace.path('images'))).toBe(false);
});

test.each([
  ['two roles with one component', ['app', 'sidecar', '--base', BASE, '--component', 'x'], 'one role with --component'],
  ['no base where there is none to take over', ['bundle'], 'needs a base'],
  ['a base by tag', ['bundle', '--base', 'quay.io/org/base:1'], 'the base has no digest'],
  ['no role', ['--base', BASE], 'needs the roles'],
  ['a role that is there', ['primary', '--base', BASE], 'images'],
  ['an image that is not there', ['bundle', '--base', BASE, '--embeds', 'nobody'], 'embeds'],
])('%s is refused, and nothing is written', async (_, args, told) => {
  using workspace = new Workspace();
  workspace.configure(TWO);
  const before = readFileSync(workspace.path('konflux.config.ts'), 'utf8');
  const { code, stderr } = await run(workspace.folder, 'new-image', ...args);
  expect([code, stderr]).toEqual([2, expect.stringContaining(told)]);
  expect(readFileSync(workspace.path('konflux.config.ts'), 'utf8')).toBe(before);
  expect(existsSync(workspace.path('images'))).toBe(false);
});

test('a config that holds both sides of a merge is named as such', async () => {
  using workspace = new Workspace();
  workspace.configure(TWO);
  const text = readFileSync(workspace.path('konflux.config.ts'), 'utf8');
  workspace.write('konflux.config.ts', `<<<<<<< HEAD\n${text}=======\n${text}>>>>>>> upstream/main\n`);
  const { code, stderr } = await run(workspace.folder, 'render');
  expect([code, stderr]).toEqual([2, expect.stringMatching(/konflux\.config\.ts:1 holds both sides of a merge/)]);
});
