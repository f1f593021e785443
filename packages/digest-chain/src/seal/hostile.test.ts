import { configOf, imageOf, ZERO } from '@multi-image/testing/image';
import { describe, expect, it } from 'vitest';
import { DEFAULT_PREFIX } from '../label-names.ts';
import { sealOne, textOf, unsealOne } from '../testing/sealed-image.ts';
import type { Image } from './manifest.ts';

const PREFIX = DEFAULT_PREFIX;
const code = (expected: string): unknown => expect.objectContaining({ code: expected });

describe('a hostile sealed image', () => {
  const origin = imageOf(configOf('{"Entrypoint":["good"],"Labels":{"a":"b"}}'));
  const sealed = sealOne(origin);
  const change = (from: string | RegExp, to: string): Image =>
    imageOf(Buffer.from(textOf(sealed.config).replace(from, to)));

  it.each([
    ['another entrypoint', '"good"', '"evil"'],
    ['another label', '"a":"b"', '"a":"c"'],
    ['a label more', '"a":"b"', '"a":"b","evil":"yes"'],
    ['a label after the seal', /"\}\}\}$/, '","evil":"yes"}}}'],
    ['a byte of white space within the seal', `,"${PREFIX}.metadata-image.url"`, `, "${PREFIX}.metadata-image.url"`],
    ['another link', ZERO, 'sha256:evil'],
    ['no url', /,"[^"]*metadata-image.url":"[^"]*"/, ''],
    ['a record that removes more', '"Labels"', `"Labels":{"${PREFIX}.sealed-over":"no-labels"},"x"`],
    [
      'a record that can not be read',
      `"${PREFIX}.sealed-from`,
      `"${PREFIX}.sealed-over":"a=%zz","${PREFIX}.sealed-from`,
    ],
    [
      'a record that restores another member',
      `,"${PREFIX}.metadata-image.digest"`,
      `,"${PREFIX}.sealed-over":"sealed-from.digest=%22x%22%2C%22evil%22%3A%22y%22,metadata-image.digest,metadata-image.url","${PREFIX}.metadata-image.digest"`,
    ],
  ])('with %s is not unsealed', (_, from, to) => {
    const hostile = change(from, to);
    expect(textOf(hostile.config)).not.toBe(textOf(sealed.config));
    expect(() => unsealOne(hostile)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^(SEAL_BROKEN|LINK_INVALID|NOT_SEALED)$/) }),
    );
  });

  it('can not pass a config off that its manifest does not name', () => {
    expect(() => unsealOne({ ...sealed, config: origin.config })).toThrow(code('DIGEST_MISMATCH'));
  });

  it('that was never sealed is told apart', () => {
    expect(() => unsealOne(origin)).toThrow(code('NOT_SEALED'));
  });
});
