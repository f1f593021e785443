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

test.each([
  ['a base by tag', ['bundle', '--base', 'quay.io/org/base:1'], 'the base has no digest'],
  ['no role', ['--base', BASE], 'needs a role and a base'],
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
