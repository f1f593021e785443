import { describe, expect, it } from 'vitest';
import { isAllowedTask, isBundlePattern } from './builders.ts';
import { definitionOf } from './definition.ts';
import { isGitUrl, normalGitUrl } from './git-source.ts';

const HEX = 'a'.repeat(64);

describe('the URL of a repository', () => {
  const same = 'https://git.example/Org/repo';

  it.each([
    'https://git.example/Org/repo',
    'https://git.example/Org/repo.git',
    'https://git.example/Org/repo/',
    'https://git.example/Org/repo.git/',
    'git+https://git.example/Org/repo.git',
    'https://GIT.example/Org/repo',
    'https://git.example:443/Org/repo',
    'https://user:secret@git.example/Org/repo',
    ' https://git.example/Org/repo\n',
    'https://git.example/Org/x/../repo',
    'https://git.example/Org/repo#main',
  ])('is one however it is written: %s', (text) => {
    expect(normalGitUrl(text)).toBe(same);
  });

  it.each([
    'http://git.example/Org/repo',
    'https://git.example/org/repo',
    'https://git.example:8443/Org/repo',
    'https://git.example/Org/repo2',
    'https://git.example/Org/repo/git',
    'https://git.example@evil.example/Org/repo',
    'https://git.example/Org/repo?x=1',
    'https://git.example/Org/repo/../repo2',
    'ssh://git@git.example/Org/repo',
    'git@git.example:Org/repo',
    'git://git.example/Org/repo',
    '',
  ])('is another: %s', (text) => {
    expect(normalGitUrl(text)).not.toBe(same);
  });

  it('by SSH is one in each of its forms', () => {
    expect(normalGitUrl('git+git@GIT.example:org/repo.git')).toBe('git@git.example:org/repo');
    expect(normalGitUrl('ssh://git@git.example:22/org/repo.git')).toBe('ssh://git@git.example/org/repo');
    expect(normalGitUrl('git://git.test:9418/repo.git')).toBe('git://git.test/repo');
  });

  it('is asked for only where it can be one', () => {
    expect(['https://git.example/a/b', 'git@git.example:a/b', 'git+https://git.example/a'].every(isGitUrl)).toBe(true);
    expect(['', 'main', 'https://git.example/', '/srv/repo', 'a b'].some(isGitUrl)).toBe(false);
  });
});

describe('the definition of a task', () => {
  const reference = (bundle: string) => ({ resolver: 'bundles', params: [{ name: 'bundle', value: bundle }] });
  const resolved = { uri: 'quay.io/org/task-build', digest: { sha256: HEX }, entryPoint: 'build' };
  const bundle = { uri: 'oci://quay.io/org/task-build', digest: `sha256:${HEX}`, bundle: true };

  it.each([
    ['as Tekton resolved it', reference('quay.io/org/task-build:1'), resolved],
    ['by its pin alone', reference(`quay.io/org/task-build:1@sha256:${HEX}`), {}],
    ['by both', reference(`quay.io/org/task-build:1@sha256:${HEX}`), resolved],
    ['with a scheme', reference('quay.io/org/task-build:1'), { ...resolved, uri: 'oci://quay.io/org/task-build:1' }],
    ['by the field of old', { name: 'build', bundle: 'quay.io/org/task-build:1' }, resolved],
  ])('is a bundle: %s', (_, asked, source) => {
    expect(definitionOf(asked, source)).toEqual(bundle);
  });

  it.each([
    ['an address that another resolver gave', { resolver: 'http' }, resolved],
    ['another digest than its pin', reference(`quay.io/org/task-build@sha256:${'b'.repeat(64)}`), resolved],
    ['another repository than was asked for', reference('quay.io/mallory/task-build:1'), resolved],
    ['a repository in git', { resolver: 'git' }, { uri: 'git+https://git.example/a.git', digest: { sha1: 'c' } }],
  ])('is none: %s', (_, asked, source) => {
    expect(definitionOf(asked, source)?.bundle).toBe(false);
  });

  it('is the run itself where nothing was resolved, or a tag alone is known', () => {
    expect(definitionOf({}, {})).toBeUndefined();
    expect(definitionOf(undefined, undefined)).toBeUndefined();
    expect(definitionOf(reference('quay.io/org/task-build:1'), {})).toBeUndefined();
  });

  it.each([
    ['oci://quay.io/org/task-build', true],
    ['oci://quay.io/org/*', true],
    ['oci://quay.io/org/task-*', true],
    ['oci://quay.io/**', true],
    ['oci://quay.io/*', false],
    ['oci://quay.io/org', false],
    ['oci://quay.io/org/task-buil', false],
    ['oci://quayXio/org/*', false],
  ])('is allowed by the pattern %s: %s', (pattern, allowed) => {
    expect(isBundlePattern(pattern)).toBe(true);
    expect(isAllowedTask(bundle, [pattern])).toBe(allowed);
    expect(isAllowedTask({ ...bundle, bundle: false }, [pattern])).toBe(false);
    expect(isAllowedTask(undefined, [pattern])).toBe(false);
  });

  it('is any where there is no pattern; and a pattern is of a bundle', () => {
    expect(isAllowedTask(undefined, [])).toBe(true);
    expect(['quay.io/org/*', 'git+https://x/y', 'oci://', 'oci://*'].some(isBundlePattern)).toBe(false);
  });
});
