import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DigestChainError } from './errors.ts';
import {
  checkRepository,
  formatReference,
  isTag,
  parseDigestReference,
  parseReference,
  parseTagReference,
} from './reference.ts';

const SHA256 = `sha256:${'a1'.repeat(32)}`;
const SHA512 = `sha512:${'b2'.repeat(64)}`;

const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof DigestChainError) return error.code;
    throw error;
  }
  return 'none';
};

describe('parseReference', () => {
  it.each([
    ['quay.io/org/image', { registry: 'quay.io', repository: 'org/image' }],
    ['quay.io/org/image:1.0', { registry: 'quay.io', repository: 'org/image', tag: '1.0' }],
    [`quay.io/org/image@${SHA256}`, { registry: 'quay.io', repository: 'org/image', digest: SHA256 }],
    [`quay.io/a/b/c:t@${SHA512}`, { registry: 'quay.io', repository: 'a/b/c', tag: 't', digest: SHA512 }],
    ['localhost/image', { registry: 'localhost', repository: 'image' }],
    ['localhost:5000/image:t', { registry: 'localhost:5000', repository: 'image', tag: 't' }],
    ['127.0.0.1:5000/a/b', { registry: '127.0.0.1:5000', repository: 'a/b' }],
    ['[::1]/image', { registry: '[::1]', repository: 'image' }],
    ['[2001:db8::1]:5000/image:t', { registry: '[2001:db8::1]:5000', repository: 'image', tag: 't' }],
    ['Registry.Example/image', { registry: 'registry.example', repository: 'image' }],
    ['registry:5000/image', { registry: 'registry:5000', repository: 'image' }],
    ['ubuntu', { registry: 'docker.io', repository: 'library/ubuntu' }],
    ['ubuntu:24.04', { registry: 'docker.io', repository: 'library/ubuntu', tag: '24.04' }],
    ['org/image', { registry: 'docker.io', repository: 'org/image' }],
    ['docker.io/ubuntu', { registry: 'docker.io', repository: 'library/ubuntu' }],
    ['index.docker.io/org/image', { registry: 'docker.io', repository: 'org/image' }],
    ['quay.io/a__b/c--d.e_f', { registry: 'quay.io', repository: 'a__b/c--d.e_f' }],
  ])('reads %s', (text, expected) => {
    expect(parseReference(text)).toEqual(expected);
  });

  it.each([
    '',
    ' ',
    'quay.io/',
    'quay.io/org/',
    '/org/image',
    'quay.io//image',
    'quay.io/Org/image',
    'Host/image',
    'LOCALHOST/image',
    'quay.io/org/image:',
    'quay.io/org/image:.t',
    'quay.io/org/image:-option',
    `quay.io/org/image:${'t'.repeat(129)}`,
    'quay.io/org/image:a:b',
    `quay.io/org/image@${SHA256}@${SHA256}`,
    'quay.io/org/../image',
    'quay.io/org/./image',
    'quay.io/org/image?x=1',
    'quay.io/org/image#x',
    'quay.io/org%2fimage',
    'quay.io/org\\image',
    'quay.io/org/image\n',
    'quay.io/a___b',
    'quay.io/-a',
    'https://quay.io/org/image',
    'user:password@quay.io/org/image',
    'quay.io:0/image',
    'quay.io:65536/image',
    'quay.io:x/image',
    'quay..io/image',
    '-quay.io/image',
    '1.2.3.999/image',
    '0x7f.0.0.1/image',
    '127.1:5000/image',
    '0177.0.0.1/image',
    '[::1::2]/image',
    '[::1%25eth0]/image',
    '[127.0.0.1]/image',
    'xn--/\u00e4.example/image',
    `quay.io/${'a'.repeat(256)}`,
    'a'.repeat(100_000),
  ])('refuses %j', (text) => {
    expect(['REFERENCE_INVALID', 'DIGEST_INVALID']).toContain(codeOf(() => parseReference(text)));
  });

  it.each([
    `sha256:${'a'.repeat(63)}`,
    `sha256:${'A'.repeat(64)}`,
    `md5:${'a'.repeat(32)}`,
    'sha256:',
    '',
    SHA256.slice(7),
  ])('refuses the digest %j', (digest) => {
    expect(codeOf(() => parseReference(`quay.io/org/image@${digest}`))).toBe('DIGEST_INVALID');
  });

  it('gives back what it was given', () => {
    const component = fc.stringMatching(/^[a-z0-9]{1,8}(?:(?:\.|_|__|-{1,3})[a-z0-9]{1,8}){0,2}$/);
    const host = fc.oneof(
      fc.constantFrom('localhost', 'docker.io', '[::1]', '[2001:db8::7]', '10.0.0.1'),
      fc.stringMatching(/^[a-z0-9]{1,8}\.(?:example|io)$/),
    );
    const registry = fc.tuple(host, fc.option(fc.integer({ min: 1, max: 65535 }), { nil: undefined }));
    const reference = fc.record(
      {
        registry: registry.map(([name, port]) => (port === undefined ? name : `${name}:${port}`)),
        repository: fc.array(component, { minLength: 2, maxLength: 4 }).map((parts) => parts.join('/')),
        tag: fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/),
        digest: fc.constantFrom(SHA256, SHA512),
      },
      { requiredKeys: ['registry', 'repository'] },
    );
    fc.assert(
      fc.property(reference, (given) => {
        const { registry, repository, tag, digest } = given;
        const text = `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
        expect(parseReference(text)).toEqual(given);
        expect(formatReference(parseReference(text))).toBe(text);
      }),
    );
  });

  it('reads whatever it accepts in one way only', () => {
    const text = fc.string({ unit: fc.constantFrom(...'aZ0.:/@_-[]%?#\\ \n', 'sha256:', SHA256), maxLength: 12 });
    fc.assert(
      fc.property(text, (given) => {
        let reference: ReturnType<typeof parseReference>;
        try {
          reference = parseReference(given);
        } catch {
          return;
        }
        expect(parseReference(formatReference(reference))).toEqual(reference);
        const url = new URL(`https://${reference.registry}/v2/${reference.repository}/manifests/x`);
        expect(url.pathname).toBe(`/v2/${reference.repository}/manifests/x`);
        expect(url.search + url.hash + url.username).toBe('');
      }),
      { numRuns: 5000 },
    );
  });
});

it('wants a digest, or a tag alone, where one is needed', () => {
  expect(parseDigestReference(`quay.io/org/image:t@${SHA256}`)).toMatchObject({ tag: 't', digest: SHA256 });
  expect(codeOf(() => parseDigestReference('quay.io/org/image:t'))).toBe('REFERENCE_INVALID');
  expect(parseTagReference('quay.io/org/image:t')).toEqual({ registry: 'quay.io', repository: 'org/image', tag: 't' });
  expect(codeOf(() => parseTagReference('quay.io/org/image'))).toBe('REFERENCE_INVALID');
  expect(codeOf(() => parseTagReference(`quay.io/org/image:t@${SHA256}`))).toBe('REFERENCE_INVALID');
});

it.each([
  { registry: 'quay.io', repository: '../../token' },
  { registry: 'quay.io', repository: 'org/image?n=1' },
  { registry: 'quay.io/v2/other', repository: 'image' },
  { registry: 'user@quay.io', repository: 'image' },
  { registry: 'quay.io#', repository: 'image' },
])('finds a repository that leads elsewhere: %j', (repository) => {
  expect(codeOf(() => checkRepository(repository))).toBe('REFERENCE_INVALID');
});

it('knows tags', () => {
  expect(['latest', '_x', '0', 't'.repeat(128)].every(isTag)).toBe(true);
  expect(['', '.x', 'a/b', 'a:b', '../x', 'a b', 't'.repeat(129)].some(isTag)).toBe(false);
});
