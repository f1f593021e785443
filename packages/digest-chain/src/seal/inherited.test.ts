import { configOf, imageOf, ONES } from '@multi-image/testing/image';
import { describe, expect, it } from 'vitest';
import { DEFAULT_PREFIX } from '../label-names.ts';
import { BUNDLE, labelsOf, METADATA, OTHER, sealAndRestore, sealOne, unsealOne } from '../testing/sealed-image.ts';
import type { Image } from './manifest.ts';

const PREFIX = DEFAULT_PREFIX;
const code = (expected: string): unknown => expect.objectContaining({ code: expected });

describe('labels inherited from a sealed base image', () => {
  const base = sealOne(imageOf(configOf('{"Labels":{"z":"1"}}')), [METADATA]);
  // A builder sorts the labels that it inherits.
  const inherit = (from: Image, extra: Record<string, string> = {}): Image => {
    const labels = { ...labelsOf(from.config), ...extra };
    return imageOf(configOf(JSON.stringify({ Labels: Object.fromEntries(Object.entries(labels).sort()) })));
  };

  it('are replaced in place and restored', () => {
    const derived = inherit(base);
    const sealed = sealAndRestore(derived, [OTHER, BUNDLE]);
    expect(labelsOf(sealed.config)[`${PREFIX}.metadata-image.digest`]).toBe(ONES);
    expect(sealOne(sealed, [OTHER, BUNDLE]).manifest).toEqual(sealed.manifest);
    expect(sealOne(sealed).manifest).toEqual(sealOne(derived).manifest);
  });

  it('are written down with their tokens, percent-encoded', () => {
    const config = configOf(`{"Labels":{"${PREFIX}.metadata-image.url" : "a\\u0062,=\u00e4", "z":"1"}}`);
    const labels = labelsOf(sealAndRestore(imageOf(config)).config);
    expect(labels[`${PREFIX}.sealed-over`]).toBe(
      'sealed-from.digest,metadata-image.digest,metadata-image.url=%22a%5Cu0062%2C%3D%C3%A4%22',
    );
    expect(Object.keys(labels).map((key) => key.replace(`${PREFIX}.`, ''))).toEqual([
      'metadata-image.url',
      'z',
      'sealed-from.digest',
      'sealed-over',
      'metadata-image.digest',
    ]);
  });

  it('of other roles stay, and are no links of this seal', () => {
    const sealed = sealAndRestore(inherit(base), [BUNDLE]);
    expect(unsealOne(sealed).seal.links).toEqual([BUNDLE]);
  });

  it('grow by little with each generation', () => {
    const sizes: number[] = [];
    let image: Image = imageOf(configOf('{"Labels":{"a":"b"}}'));
    for (let generation = 0; generation < 12; generation++) {
      const sealed = sealAndRestore(inherit(image, { generation: `${generation}` }));
      sizes.push(sealed.config.length);
      image = sealed;
    }
    const growth = sizes.map((size, index) => size - (sizes[index - 1] ?? 0));
    expect(growth.at(-1)).toBeLessThan(1500);
  });

  it.each([
    ['null', 'null'],
    ['escapes', '"\\u0073ha256:\\/\\n\\ud83d\\ude00"'],
    ['unicode and what the record is made of', '"%25,=&ä€😀\\\\\\""'],
    ['an empty text', '""'],
  ])('may be %s', (_, token) => {
    for (const name of ['sealed-from.digest', 'sealed-over', 'metadata-image.digest', 'metadata-image.\\u0075rl']) {
      sealAndRestore(imageOf(configOf(`{"Labels":{"${PREFIX}.${name}" : ${token} ,"b":"c"}}`)));
    }
  });

  it('are no seal of the image that inherits them', () => {
    expect(() => unsealOne(inherit(base))).toThrow(code('SEAL_BROKEN'));
    expect(() => unsealOne(inherit(base, { zz: 'after the seal' }))).toThrow(code('SEAL_BROKEN'));
  });
});
