import { describe, expect, it } from 'vitest';
import { isLoopback, parseReference, requireTag, taggedName } from './reference.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('parseReference', () => {
  it.each([
    ['localhost:5480/org/x:tag.git', { registry: 'localhost:5480', repository: 'org/x', tag: 'tag.git' }],
    ['localhost:5480/x', { registry: 'localhost:5480', repository: 'x' }],
    ['localhost/x:1', { registry: 'localhost', repository: 'x', tag: '1' }],
    [`quay.io/org/x@${DIGEST}`, { registry: 'quay.io', repository: 'org/x', digest: DIGEST }],
    [`quay.io/a/b/c:t@${DIGEST}`, { registry: 'quay.io', repository: 'a/b/c', tag: 't', digest: DIGEST }],
    ['[::1]:5000/x:t', { registry: '[::1]:5000', repository: 'x', tag: 't' }],
  ])('%s', (text, expected) => {
    expect(parseReference(text)).toEqual(expected);
  });

  it.each([
    '',
    'x',
    'org/x',
    'localhost:5480',
    'quay.io/Org/x',
    'quay.io/x:',
    'quay.io/x:-t',
    'quay.io/../x',
    'quay.io/x@sha256:abc',
    `quay.io/x@${DIGEST}@${DIGEST}`,
    'quay.io/x y',
    'user@quay.io/x',
    'http://quay.io/x',
    '-o.io/x',
  ])('refuses %j', (text) => {
    expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: 'INVALID' }));
  });
});

it('knows its own machine', () => {
  const hosts = ['localhost', 'localhost:5000', '127.0.0.1:5000', '127.9.9.9', '[::1]:1'];
  expect(hosts.filter(isLoopback)).toEqual(hosts);
  const others = ['localhost.example.com', '127.0.0.1.example.com', 'quay.io', '[::2]', '10.0.0.1:5000'];
  expect(others.filter(isLoopback)).toEqual([]);
});

it('names what has no tag by latest', () => {
  expect(taggedName(parseReference(`quay.io/x@${DIGEST}`))).toBe('quay.io/x:latest');
});

it('refuses what can be no tag', () => {
  expect(requireTag('v1.0_a-b')).toBe('v1.0_a-b');
  for (const tag of ['', '.a', 'a/b', 'a b', 'a'.repeat(129)]) expect(() => requireTag(tag)).toThrow('tag');
});
