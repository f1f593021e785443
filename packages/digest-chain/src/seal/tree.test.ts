import { configOf, imageOf, ONES, ZERO } from '@multi-image/testing/image';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../digest.ts';
import { DEFAULT_PREFIX } from '../label-names.ts';
import { DOCKER_MANIFEST, OCI_MANIFEST } from '../media-types.ts';
import {
  BUNDLE,
  labelsOf,
  METADATA,
  OTHER,
  sealAndRestore,
  sealOne,
  textOf,
  unsealOne,
} from '../testing/sealed-image.ts';

const PREFIX = DEFAULT_PREFIX;

describe('sealing', () => {
  it('appends its labels in a fixed order and leaves every other byte', () => {
    const origin = imageOf(configOf('{ "Labels" : {"a":"b" } , "Cmd":null}'));
    const sealed = sealAndRestore(origin, [METADATA, BUNDLE]);
    const seal = [
      `"${PREFIX}.sealed-from.digest":"${origin.manifest.digest}"`,
      `"${PREFIX}.bundle-image.digest":"${ONES}","${PREFIX}.bundle-image.url":"quay.io/org/bundle:abc"`,
      `"${PREFIX}.metadata-image.digest":"${ZERO}","${PREFIX}.metadata-image.url":"quay.io/org/image2:abc"`,
    ].join(',');
    expect(textOf(sealed.config)).toBe(textOf(configOf(`{ "Labels" : {"a":"b",${seal} } , "Cmd":null}`)));
    expect(textOf(sealOne(origin, [BUNDLE, METADATA]).config)).toBe(textOf(sealed.config));
  });

  it('changes nothing in the manifest but the digest and size of the config', () => {
    const origin = imageOf(configOf('{"Labels":{"a":"b"}}'));
    const sealed = sealAndRestore(origin);
    expect(textOf(sealed.manifest.bytes)).toBe(
      textOf(origin.manifest.bytes)
        .replace(digestOf(origin.config), digestOf(sealed.config))
        .replace(`"size":${origin.config.length}`, `"size":${sealed.config.length}`),
    );
  });

  it.each([
    undefined,
    'null',
    '{}',
    '{ \n}',
    '{"Cmd":["Labels"]}',
    '{"Labels":null}',
    '{"Labels":null, "Cmd":[]}',
    '{"Labels":{}}',
    '{ "Labels" : {\t} , "Cmd":[]}',
    '{"Labels":{"":""}}',
    '{"Labels":{"a":null}}',
    '{"Labels":{"\\"Labels\\":{":"}"}, "Volumes":{"Labels":{}}}',
    '{"Labels":{"ä\\u00e4\\/":"\\u2028 \u{1f600}"}}',
  ])('restores config: %s', (member) => {
    for (const mediaType of [OCI_MANIFEST, DOCKER_MANIFEST]) {
      const sealed = sealAndRestore(imageOf(configOf(member), { mediaType }), [METADATA, BUNDLE]);
      expect(labelsOf(sealed.config)).toMatchObject({ [`${PREFIX}.metadata-image.digest`]: ZERO });
    }
  });

  it.each([
    [undefined, 'no-config', '{"Labels":{SEAL}}'],
    ['null', 'null-config', '{"Labels":{SEAL}}'],
    ['{ \n}', 'empty-config', '{"Labels":{SEAL} \n}'],
    ['{"Cmd":[] }', 'no-labels', '{"Cmd":[],"Labels":{SEAL} }'],
    ['{"Labels":null, "Cmd":[]}', 'null-labels', '{"Labels":{SEAL}, "Cmd":[]}'],
    ['{"Labels":{ }, "Cmd":[]}', 'empty-labels', '{"Labels":{SEAL }, "Cmd":[]}'],
  ])('writes where there are no labels, and which way there are none: %s (%s)', (member, word, expected) => {
    const origin = imageOf(configOf(member));
    const seal = [
      `"${PREFIX}.sealed-from.digest":"${origin.manifest.digest}","${PREFIX}.sealed-over":"${word}"`,
      `"${PREFIX}.metadata-image.digest":"${ZERO}","${PREFIX}.metadata-image.url":"quay.io/org/image2:abc"`,
    ].join(',');
    expect(textOf(sealOne(origin).config)).toBe(textOf(configOf(expected.replace('SEAL', () => seal))));
  });

  it('keeps the whitespace, unknown members and unusual numbers of a manifest', () => {
    const manifest = (descriptor: string): string =>
      `\n{"layers":[ ],"x":1.50E+2,"config" :\t${descriptor.replace('"size":', '"x":{"size":-0},\n"size" : ')},"schemaVersion":2}\n`;
    sealAndRestore(imageOf(configOf(), { manifest }));
  });

  it('is a no-op the second time, and replaces its links when they are others', () => {
    const origin = imageOf(configOf());
    const once = sealOne(origin);
    expect(sealOne(once).manifest).toEqual(once.manifest);
    const again = sealOne(once, [OTHER, BUNDLE]);
    expect(again.manifest).toEqual(sealOne(origin, [OTHER, BUNDLE]).manifest);
    expect(unsealOne(again).origin.manifest).toEqual(origin.manifest);
    expect(sealOne(again).manifest).toEqual(once.manifest);
  });

  it('seals under two prefixes, one over the other', () => {
    const origin = imageOf(configOf());
    const inner = sealOne(origin, [METADATA], 'a.b');
    const outer = sealOne(inner, [BUNDLE]);
    expect(unsealOne(unsealOne(outer).origin, 'a.b').origin.manifest).toEqual(origin.manifest);
  });

  it('keeps the algorithm of the digests that it replaces', () => {
    const config = configOf();
    const image = imageOf(config, {
      manifest: (descriptor) =>
        `{"schemaVersion":2,"config":${descriptor.replace(digestOf(config), digestOf(config, 'sha512'))},"layers":[]}`,
    });
    const sha512 = { ...image, manifest: { ...image.manifest, digest: digestOf(image.manifest.bytes, 'sha512') } };
    const { origin } = unsealOne(sealOne(sha512));
    expect(origin.manifest).toEqual(sha512.manifest);
  });
});
