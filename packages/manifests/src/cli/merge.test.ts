import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { commitAll, git } from '@multi-image/testing/source';
import { describe, expect, test } from 'vitest';
import type { ChainConfig } from '../config/schema.ts';
import { TWO } from '../testing/chains.ts';
import { run } from '../testing/run.ts';
import { Workspace } from '../testing/workspace.ts';

const ATTRIBUTES = readFileSync(new URL('../../../../.gitattributes', import.meta.url), 'utf8').replaceAll(
  'packages/manifests/pins.yaml',
  'pins.yaml',
);
const UPSTREAM: Partial<ChainConfig> = { timeouts: { build: '3h', checks: '2h' } };
const FORK: Partial<ChainConfig> = { namespace: 'my-tenant', registry: 'quay.io/me' };

const pin = (task: string, tag: string, digit: string): string => `task-${task}:${tag}@sha256:${digit.repeat(64)}`;
const PINNED = (task: string): RegExp => new RegExp(`task-${task}:[^@]+@sha256:[0-9a-f]{64}`, 'g');

/** A template in a commit, with a branch for its next version and one for a fork. */
class Repository extends Workspace {
  async start(attributes: string): Promise<void> {
    git(this.folder, 'init', '--quiet', '--initial-branch=upstream');
    this.write('.gitattributes', attributes);
    await this.commit(UPSTREAM_LAST);
    git(this.folder, 'branch', 'fork');
  }

  /** Sets the config, moves pins in the file of pins, renders and commits. */
  async commit(config: ChainConfig, pins: Readonly<Record<string, string>> = {}): Promise<void> {
    const kept = existsSync(this.path('pins.yaml')) ? this.read('pins.yaml') : undefined;
    this.configure(config);
    if (kept !== undefined) this.write('pins.yaml', kept);
    for (const [task, to] of Object.entries(pins)) this.edit('pins.yaml', task, to);
    expect((await run(this.folder, 'render')).stderr).toBe('');
    commitAll(this.folder);
  }

  edit(path: string, task: string, to: string): void {
    const text = this.read(path);
    expect(text).toMatch(PINNED(task));
    this.write(
      path,
      text.replaceAll(PINNED(task), () => to),
    );
  }

  read(path: string): string {
    return readFileSync(this.path(path), 'utf8');
  }

  switch(branch: string): void {
    git(this.folder, 'switch', '--quiet', branch);
  }

  /** Answers with git's exit code. */
  merge(branch: string, ...args: string[]): number | null {
    const identity = ['-c', 'user.name=t', '-c', 'user.email=t@localhost'];
    return spawnSync('git', [...identity, 'merge', '--quiet', '--no-edit', ...args, branch], { cwd: this.folder })
      .status;
  }
}

// Where the fork changes one line and the template another, with lines between them that nobody changes.
const UPSTREAM_LAST: ChainConfig = { ...TWO, displayName: 'Chain', labelPrefix: 'org.example' };
const UPSTREAM_NEXT: ChainConfig = { ...UPSTREAM_LAST, ...UPSTREAM };
const OURS: ChainConfig = { ...UPSTREAM_LAST, ...FORK };

async function renderedClean(repository: Repository, pipelineRun = '.tekton/app-push.yaml'): Promise<void> {
  expect(await run(repository.folder, 'render')).toMatchObject({ code: 0, stderr: '' });
  expect(await run(repository.folder, 'render', '--check')).toMatchObject({ code: 0, stderr: '' });
  for (const file of ['pins.yaml', 'pipeline/unified-build.yaml', pipelineRun]) {
    expect(repository.read(file)).not.toMatch(/^(?:<<<<<<<|=======|>>>>>>>)/m);
  }
}

describe('a fork takes the next version of the template', () => {
  /** Both moved pins: one the same, one upstream alone, one the fork alone, one by each of them. */
  async function bothMoved(attributes: string): Promise<Repository> {
    const repository = new Repository();
    await repository.start(attributes);
    await repository.commit(UPSTREAM_NEXT, {
      init: pin('init', '0.9', '1'),
      'git-clone-oci-ta': pin('git-clone-oci-ta', '0.7', '2'),
      'apply-tags': pin('apply-tags', '0.6', '3'),
    });
    repository.switch('fork');
    await repository.commit(OURS, {
      init: pin('init', '0.8', '4'),
      'git-clone-oci-ta': pin('git-clone-oci-ta', '0.8', '5'),
      'clair-scan': pin('clair-scan', '0.8', '6'),
    });
    return repository;
  }

  test('without a conflict in what is rendered: git merge && pnpm render, and the newer pins stay', async () => {
    using repository = await bothMoved(ATTRIBUTES);
    expect(repository.merge('upstream')).toBe(0);
    await renderedClean(repository);
    for (const file of ['pins.yaml', 'pipeline/unified-build.yaml']) {
      const text = repository.read(file);
      expect(text).toContain(pin('init', '0.9', '1'));
      expect(text).toContain(pin('git-clone-oci-ta', '0.8', '5'));
      expect(text).toContain(pin('apply-tags', '0.6', '3'));
      expect(text).toContain(pin('clair-scan', '0.8', '6'));
    }
    expect(repository.read('.tekton/app-push.yaml')).toContain('namespace: my-tenant');
    expect(repository.read('.tekton/app-push.yaml')).toContain('pipeline: 3h0m0s');
  });

  test.each([
    ['merge', []],
    ['diff3', ['-c', 'merge.conflictStyle=diff3']],
  ])('with conflict markers (%s), as where a server merges', async (_, style) => {
    using repository = await bothMoved('');
    const identity = ['-c', 'user.name=t', '-c', 'user.email=t@localhost', ...style];
    const merge = spawnSync('git', [...identity, 'merge', '--no-edit', 'upstream'], { cwd: repository.folder });
    expect(merge.status).toBe(1);
    expect(repository.read('pins.yaml')).toContain('<<<<<<<');
    const check = await run(repository.folder, 'render', '--check');
    expect(check.stderr).toContain('pins.yaml:1: differs from konflux.config.ts');
    expect(check.stderr).toContain('both sides of a merge');
    await renderedClean(repository);
    expect(repository.read('pins.yaml')).toContain(pin('init', '0.9', '1'));
    expect(repository.read('pins.yaml')).toContain(pin('git-clone-oci-ta', '0.8', '5'));
    execFileSync('git', [...identity, 'commit', '--quiet', '--all', '--no-edit'], { cwd: repository.folder });
    expect(git(repository.folder, 'status', '--porcelain')).toBe('');
  });

  test('twice, and a pin that a bot moved in a pipeline alone is kept through both', async () => {
    using repository = await bothMoved(ATTRIBUTES);
    repository.edit('pipeline/unified-build.yaml', 'clamav-scan', pin('clamav-scan', '0.9', '7'));
    commitAll(repository.folder);
    for (const digit of ['8', '9']) {
      repository.switch('upstream');
      await repository.commit(UPSTREAM_NEXT, { 'clair-scan': pin('clair-scan', `0.${digit}`, digit) });
      repository.switch('fork');
      expect(repository.merge('upstream')).toBe(0);
      await renderedClean(repository);
      commitAll(repository.folder);
      expect(repository.read('pins.yaml')).toContain(pin('clamav-scan', '0.9', '7'));
    }
    expect(repository.read('pins.yaml')).toContain(pin('clair-scan', '0.9', '9'));
  });

  test('an edit by hand on either side is still refused', async () => {
    using repository = await bothMoved(ATTRIBUTES);
    const path = '.tekton/app-push.yaml';
    repository.write(path, repository.read(path).replace('max-keep-runs: "3"', 'max-keep-runs: "30"'));
    commitAll(repository.folder);
    expect(repository.merge('upstream')).toBe(0);
    expect((await run(repository.folder, 'render')).stderr).toContain(`TARGET_EDITED: edited by hand: ${path}`);
    expect(repository.read(path)).toContain('max-keep-runs: "30"');
  });

  test('pipelines that this config does not render go, where they came with the merge alone', async () => {
    using repository = new Repository();
    await repository.start(ATTRIBUTES);
    await repository.commit({ ...UPSTREAM_NEXT, seal: 'referrer' });
    repository.switch('fork');
    const renamed = TWO.images.map((image) => ({ ...image, component: `own-${image.component}` }));
    repository.configure({ ...OURS, images: renamed });
    expect((await run(repository.folder, 'render', '--force')).code).toBe(0);
    commitAll(repository.folder);
    repository.merge('upstream');
    repository.configure({ ...OURS, images: renamed });
    await renderedClean(repository, '.tekton/own-app-push.yaml');
    expect(existsSync(repository.path('pipeline/tasks/link-image.yaml'))).toBe(false);
    expect(existsSync(repository.path('.tekton/app-push.yaml'))).toBe(false);
  });
});

test('pins that a merge broke are said to be so, with the way out', async () => {
  using workspace = new Workspace();
  workspace.configure(TWO);
  const text = readFileSync(workspace.path('pins.yaml'), 'utf8');
  workspace.write(
    'pins.yaml',
    text.replace(/^ {2}init: .*$/m, (line) => `<<<<<<< HEAD\n${line}\n=======\n${line}0\n>>>>>>> b`),
  );
  const { code, stderr } = await run(workspace.folder, 'render');
  expect(code).toBe(2);
  expect(stderr).toContain('PINS_INVALID');
  expect(stderr).toContain('what a merge made of two files');
});
