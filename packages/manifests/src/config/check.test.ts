import { describe, expect, test } from 'vitest';
import { chainOf, image, TWO } from '../testing/chains.ts';
import { checkConfig } from './check.ts';

/** `path: expected; found` of everything that is wrong. */
function problems(config: unknown): string[] {
  return checkConfig(config).issues.map(({ path, expected, found }) => `${path}: ${expected}; ${found}`);
}

test('a right config is taken as it is', () => {
  expect(checkConfig(TWO)).toEqual({ config: TWO, issues: [] });
});

test('everything that is wrong is said at once, in order, with what was found', () => {
  const config = {
    ...TWO,
    namespace: 'Tenant',
    registri: 'quay.io/org',
    seal: 'glue',
    images: [
      { role: 'primary', repository: 'Org/App', containerfile: '/etc/passwd', component: 'app' },
      { role: 'metadata', repository: 'metadata', containerfile: 'x', embeds: ['primry'], hermetic: 'yes' },
    ],
  };
  expect(problems(config)).toEqual([
    'images[0].containerfile: a path inside the repository, without ..; "/etc/passwd"',
    'images[0].repository: a repository name: lower-case words joined by . _ __ - or /; "Org/App"',
    'images[1].embeds[0]: the role of another image: primary; "primry"',
    'images[1].hermetic: true or false; "yes"',
    'namespace: a Kubernetes name: a-z, 0-9 and -, starting with a letter, at most 40 characters; "Tenant"',
    'registri: no such field; "quay.io/org"',
    'seal: one of label, referrer; "glue"',
  ]);
});

describe('relations between images', () => {
  const primary = image('primary', [], { component: 'app' });
  test.each([
    [
      'a cycle',
      [primary, image('a', ['b']), image('b', ['c']), image('c', ['a'])],
      'images[1].embeds: no cycle: an image can only embed one that is built before it; a embeds b embeds c embeds a',
    ],
    [
      'itself',
      [primary, image('a', ['a'])],
      'images[1].embeds: no cycle: an image can only embed one that is built before it; a embeds a',
    ],
    ['an unknown role', [primary, image('a', ['b'])], 'images[1].embeds[0]: the role of another image: primary; "b"'],
    [
      'a role twice',
      [primary, image('a', ['primary', 'primary'])],
      'images[1].embeds[1]: each role once; "primary" again',
    ],
    [
      'a role of two',
      [primary, image('a'), image('a', [], { repository: 'b' })],
      'images[2].role: a role of its own; "a", as images[1] has',
    ],
    [
      'a repository of two',
      [primary, image('a', [], { repository: 'primary' })],
      'images[1].repository: a repository of its own; "primary", as images[0] has',
    ],
    [
      'a component of two',
      [primary, image('a', ['primary'], { component: 'app' })],
      'images[1].component: a component of its own; "app", as images[0] has',
    ],
    [
      'a name that a default has',
      [primary, image('a', [], { name: 'image-1' })],
      'images[1].name: a name of its own; "image-1", as images[0] has',
    ],
    [
      'names with the same build arguments',
      [primary, image('a', [], { name: 'image1' })],
      'images[1].name: a name whose build arguments are not taken; "IMAGE1", as images[0] has',
    ],
    [
      'no component to build',
      [image('primary')],
      "images[0].component: the component that runs the build: the first image's; nothing",
    ],
    [
      'a primary image that embeds',
      [image('a', ['b'], { component: 'app' }), image('b')],
      'images[0].embeds: nothing of this chain: the first image is the one that the others lead back to; b',
    ],
    [
      'a scanner without a way',
      [primary, image('a', [], { component: 'scan' })],
      'images[1].component: an image that a scanner finds: by the link from one that it embeds, or by the statement of both (seal: referrer); "scan" on an image that nothing leads to',
    ],
    [
      'a role that a parameter has',
      [primary, image('output', ['primary'])],
      'images[1].role: another role: output-image is taken; "output"',
    ],
  ])('%s', (_, images, problem) => {
    expect(problems(chainOf(images))).toContain(problem);
  });
});

test('a released name is one image’s', () => {
  const named = (role: string, releaseRepository: string) =>
    image(role, [], { releaseRepository, ...(role === 'a' ? { component: 'app' } : {}) });
  expect(problems(chainOf([named('a', 'registry.example/acme/a'), named('b', 'registry.example/acme/a')]))).toEqual([
    'images[1].releaseRepository: a releaseRepository of its own; "registry.example/acme/a", as images[0] has',
  ]);
  expect(problems(chainOf([named('a', 'acme')]))).toEqual([
    expect.stringContaining('images[0].releaseRepository: a registry and'),
  ]);
});

describe('how an image is linked to those that embed it', () => {
  const a = image('a', [], { component: 'app' });
  const [b, c] = [image('b', ['a']), image('c', ['b'])];

  test('is the chain’s way, or its own', () => {
    expect(problems(chainOf([a, b, c], { seal: 'referrer' }))).toEqual([]);
    expect(problems(chainOf([{ ...a, seal: 'referrer' }, { ...b, seal: 'label' }, c]))).toEqual([]);
    expect(problems(chainOf([{ ...a, seal: 'none' }, image('d', []), image('b', ['a', 'd'])]))).toEqual([]);
  });

  test('is of an image that another embeds', () => {
    expect(problems(chainOf([a, { ...b, seal: 'label' }]))).toEqual([
      'images[1].seal: nothing: no image embeds this one; "label"',
    ]);
    expect(problems(chainOf([{ ...a, seal: 'labels' as 'label' }, b]))).toEqual([
      expect.stringContaining('images[0].seal: '),
    ]);
  });

  test('leads to every image that embeds others', () => {
    expect(problems(chainOf([a, { ...b, seal: 'none' }, c], { seal: 'referrer' }))).toEqual([
      'images[2].embeds: one of the images that it embeds to be linked to it: seal: label or referrer; b with seal: none',
    ]);
  });
});

test.each([
  ['a', []],
  ['org.example_2', []],
  ['a.', ['labelPrefix: lower-case letters, digits, ".", "_" and "-", as in io.konflux.poc; "a."']],
])('a label prefix is what digest-chain takes for one: %j', (labelPrefix, expected) => {
  expect(problems({ ...TWO, labelPrefix })).toEqual(expected);
});

describe('fields', () => {
  test.each([
    ['registry', 'Quay.io/org'],
    ['registry', 'quay.io/org/'],
    ['registry', 'localhost:5000/org'],
    ['registry', 'quay.io'],
    ['registry', 'https://quay.io/org'],
    ['application', 'app_1'],
    ['application', 'a'.repeat(41)],
    ['application', '1app'],
    ['namespace', 'a\nb'],
    ['labelPrefix', 'Prefix'],
    ['labelPrefix', 'io.konflux."'],
    ['displayName', 'a $(params.x)'],
    ['displayName', '{{ x }}'],
    ['displayName', '\u2028$(params.x)'],
    ['displayName', ''],
    ['displayName', 'a\u001b[31m'],
    ['pullRequestExpiry', '5 days'],
    ['timeouts', { build: '0h' }],
    ['git', { url: 'https://user:pass@git.example/x' }],
    ['git', { url: 'git@git.example:x' }],
    ['git', { url: 'https://git.example/x', branch: 'a..b' }],
    ['git', { url: 'https://git.example/x', branch: '-f' }],
    ['git', { url: 'https://git.example/x', branch: 'a"b' }],
    ['digestChain', '../outside.ts'],
    ['checks', ['no-such-check']],
    ['images', []],
    ['images', 'none'],
  ])('%s: %j is refused', (field, value) => {
    const found = checkConfig({ ...TWO, [field]: value }).issues;
    expect(found.map(({ path }) => path.split(/[.[]/)[0])).toContain(field);
    for (const issue of found) {
      expect(issue.expected).not.toBe('');
      expect(`${issue.path}${issue.expected}${issue.found}`).toMatch(/^[\x20-\x7e…]*$/);
    }
  });

  test.each([[undefined], [null], [42], ['text'], [[]], [() => {}], [{}]])('no config at all: %j', (config) => {
    expect(checkConfig(config).issues.length).toBeGreaterThan(0);
  });

  test('a key that is no name is quoted in the path', () => {
    const config = chainOf([image('primary', [], { component: 'app', buildArgs: { 'a b': '1', FINE: '\n' } })]);
    expect(problems(config)).toEqual([
      'images[0].buildArgs.FINE: text without $( and {{ and without control characters; "\\n"',
      'images[0].buildArgs["a b"]: a build argument: letters, digits and _; "a b"',
    ]);
  });
});
