import { ONES, ZERO } from '@multi-image/testing/image';
import { describe, expect, it } from 'vitest';
import { DigestChainError } from '../errors.ts';
import type { Chain } from './chain.ts';
import { digestsOf, formatStatement, parseStatement } from './statement.ts';

const TWOS = `sha256:${'2'.repeat(64)}` as const;
const COMMIT = 'c'.repeat(40);

const chain: Chain = {
  images: [
    { role: 'primary', url: 'quay.io/org/app:1.0', digest: ONES, origin: ZERO },
    { role: 'metadata', url: 'quay.io/org/meta:1.0', digest: TWOS },
  ],
  embeds: [{ image: 'metadata', embedded: 'primary' }],
  source: { url: 'https://github.com/org/repo', commit: COMMIT },
  pipelineRun: 'app-on-push-x7k2p',
};

/** A statement with its text changed. */
function changed(from: string | RegExp, to: string): Uint8Array {
  const text = Buffer.from(formatStatement(chain)).toString();
  const result = text.replace(from, to);
  if (result === text) throw new Error('nothing changed');
  return Buffer.from(result);
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof DigestChainError) return error.code;
    throw error;
  }
  return 'none';
}

describe('the bytes', () => {
  it('are an in-toto statement whose subjects are all digests of the chain', () => {
    expect(JSON.parse(Buffer.from(formatStatement(chain)).toString())).toEqual({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [
        { name: 'quay.io/org/meta', digest: { sha256: '2'.repeat(64) } },
        { name: 'quay.io/org/app', digest: { sha256: '1'.repeat(64) } },
        { name: 'quay.io/org/app', digest: { sha256: '0'.repeat(64) } },
      ],
      predicateType: 'https://poc.konflux.io/image-chain/v1',
      predicate: {
        images: [
          { role: 'metadata', url: 'quay.io/org/meta:1.0', digest: TWOS },
          { role: 'primary', url: 'quay.io/org/app:1.0', digest: ONES, origin: ZERO },
        ],
        embeds: [{ image: 'metadata', embedded: 'primary' }],
        source: { url: 'https://github.com/org/repo', commit: COMMIT },
        pipelineRun: 'app-on-push-x7k2p',
      },
    });
  });

  it('are the same for the same chain, whatever the order it is given in', () => {
    const reversed: Chain = {
      pipelineRun: 'app-on-push-x7k2p',
      source: { commit: COMMIT, url: 'https://github.com/org/repo' },
      embeds: chain.embeds.map(({ embedded, image }) => ({ embedded, image })),
      images: chain.images.map((image) => Object.fromEntries(Object.entries(image).reverse()) as never).reverse(),
    };
    expect(formatStatement(reversed)).toEqual(formatStatement(chain));
  });

  it('are read back', () => {
    const read = parseStatement(formatStatement(chain));
    expect(formatStatement(read)).toEqual(formatStatement(chain));
    expect(digestsOf(read)).toEqual(new Set([ZERO, ONES, TWOS]));
  });

  it('leave out an origin that is what is published, and what is not known', () => {
    const [, metadata] = chain.images;
    const text = Buffer.from(
      formatStatement({ images: [{ ...(metadata ?? never()), origin: TWOS }], embeds: [] }),
    ).toString();
    expect(text).not.toContain('origin');
    expect(text).not.toContain('source');
    expect(parseStatement(Buffer.from(text)).images).toEqual([metadata]);
  });
});

describe('a statement from outside', () => {
  it('may have members that are not known', () => {
    expect(parseStatement(changed('"embeds":[{', '"later":1,"embeds":[{"more":[],')).embeds).toEqual(chain.embeds);
  });

  it.each([
    ['a duplicate key', /"_type"/, '"predicateType":"x","_type"', 'JSON_DUPLICATE_KEY'],
    ['a duplicate key deep inside', '"role":"metadata"', '"role":"primary","role":"metadata"', 'JSON_DUPLICATE_KEY'],
    ['what is no JSON', /}$/, '', 'JSON_INVALID'],
    ['another type', 'in-toto.io/Statement/v1', 'in-toto.io/Statement/v2', 'STATEMENT_INVALID'],
    ['another predicate', 'image-chain/v1', 'image-chain/v2', 'STATEMENT_INVALID'],
    ['a subject that is no image', '"sha256":"0', '"sha256":"3', 'STATEMENT_INVALID'],
    ['a subject too few', /{"name":"quay.io\/org\/meta"[^}]*}},/, '', 'STATEMENT_INVALID'],
    ['a role twice', '"role":"primary"', '"role":"metadata"', 'STATEMENT_INVALID'],
    ['a role with a newline', '"role":"primary"', '"role":"pri\\nmary"', 'STATEMENT_INVALID'],
    ['an edge to an unknown role', '"embedded":"primary"', '"embedded":"other"', 'STATEMENT_INVALID'],
    ['an edge twice', '"embeds":[', '"embeds":[{"image":"metadata","embedded":"primary"},', 'STATEMENT_INVALID'],
    ['a cycle', '"embeds":[', '"embeds":[{"image":"primary","embedded":"metadata"},', 'STATEMENT_INVALID'],
    [
      'an image that embeds itself',
      '"embeds":[',
      '"embeds":[{"image":"primary","embedded":"primary"},',
      'STATEMENT_INVALID',
    ],
    ['a url with a digest', 'quay.io/org/meta:1.0', `quay.io/org/meta@${ZERO}`, 'STATEMENT_INVALID'],
    ['a url with control characters', 'quay.io/org/meta:1.0', 'quay.io/org/meta:\\u001b[2J', 'STATEMENT_INVALID'],
    ['a url that depends on its reader', 'quay.io/org/meta:1.0', 'org/meta:1.0', 'STATEMENT_INVALID'],
    ['a commit that is none', COMMIT, 'main', 'STATEMENT_INVALID'],
    ['a git url with spaces', 'https://github.com/org/repo', 'https://x y', 'STATEMENT_INVALID'],
    ['a pipeline run that is no name', 'app-on-push-x7k2p', '$(id)', 'STATEMENT_INVALID'],
    ['a number for a role', '"role":"primary"', '"role":1', 'STATEMENT_INVALID'],
    ['no images', /"images":\[.*\],"embeds":\[.*\],"source"/, '"images":[],"embeds":[],"source"', 'STATEMENT_INVALID'],
  ])('is refused with %s', (_, from, to, code) => {
    expect(codeOf(() => parseStatement(changed(from, to)))).toBe(code);
  });

  it('is refused when it is too large', () => {
    expect(codeOf(() => parseStatement(Buffer.alloc(2 * 1024 * 1024 + 1, ' ')))).toBe('STATEMENT_INVALID');
  });
});

it('takes a long chain, and finds a cycle in it', () => {
  const roles = Array.from({ length: 2000 }, (_, index) => `r${index}`);
  const images = roles.map((role) => ({ role, url: 'quay.io/org/app', digest: ZERO }));
  const embeds = roles.slice(1).map((role, index) => ({ image: role, embedded: `r${index}` }));
  expect(codeOf(() => formatStatement({ images, embeds }))).toBe('none');
  const cycle = [...embeds, { image: 'r0', embedded: 'r1999' }];
  expect(codeOf(() => formatStatement({ images, embeds: cycle }))).toBe('STATEMENT_INVALID');
});

function never(): never {
  throw new Error('not there');
}
