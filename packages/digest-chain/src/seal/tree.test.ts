import { describe, expect, it } from 'vitest';
import { digestOf } from '../digest.ts';
import { configOf, imageOf, ONES, ZERO } from '../testing/image.ts';
import { MAX_CONFIG_SIZE, type Seal, sealConfig } from './config.ts';
import type { Image, SealedImage } from './image.ts';
import { DEFAULT_PREFIX, type Link } from './labels.ts';
import { DOCKER_MANIFEST, OCI_MANIFEST } from './manifest.ts';
import { sealTree, unsealTree } from './tree.ts';

const PREFIX = DEFAULT_PREFIX;
const METADATA: Link = { role: 'metadata', url: 'quay.io/org/image2:abc', digest: ZERO };
const OTHER: Link = { role: 'metadata', url: 'quay.io/org/image2:def', digest: ONES };
const BUNDLE: Link = { role: 'bundle', url: 'quay.io/org/bundle:abc', digest: ONES };

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const labelsOf = (config: Uint8Array): Record<string, string> => JSON.parse(text(config)).config.Labels;
const code = (expected: string): unknown => expect.objectContaining({ code: expected });

const treeOf = (image: Image): { manifest: Image['manifest']; images: Image[] } => ({
  manifest: image.manifest,
  images: [image],
});

/** An image is a tree of one. */
function sealImage(image: Image, links: readonly Link[], prefix: string): SealedImage {
  const { images } = sealTree(treeOf(image), links, prefix);
  return images[0] as SealedImage;
}

function unsealImage(image: Image, prefix: string): { origin: Image; seal: Seal } {
  const { origin, seal } = unsealTree(treeOf(image), prefix);
  return { origin: { ...(origin.images[0] as Image), manifest: origin.manifest }, seal };
}

function expectRestored(image: Image, links: readonly Link[] = [METADATA]): Image {
  const sealed = sealImage(image, links, PREFIX);
  expect(digestOf(sealed.manifest.bytes)).toBe(sealed.manifest.digest);
  const { origin, seal } = unsealImage(sealed, PREFIX);
  expect(text(origin.config)).toBe(text(image.config));
  expect(text(origin.manifest.bytes)).toBe(text(image.manifest.bytes));
  expect(seal.sealedFrom).toBe(image.manifest.digest);
  return sealed;
}

describe('sealing', () => {
  it('appends its labels in a fixed order and leaves every other byte', () => {
    const origin = imageOf(configOf('{ "Labels" : {"a":"b" } , "Cmd":null}'));
    const sealed = expectRestored(origin, [METADATA, BUNDLE]);
    const seal = [
      `"${PREFIX}.sealed-from.digest":"${origin.manifest.digest}"`,
      `"${PREFIX}.bundle-image.digest":"${ONES}","${PREFIX}.bundle-image.url":"quay.io/org/bundle:abc"`,
      `"${PREFIX}.metadata-image.digest":"${ZERO}","${PREFIX}.metadata-image.url":"quay.io/org/image2:abc"`,
    ].join(',');
    expect(text(sealed.config)).toBe(text(configOf(`{ "Labels" : {"a":"b",${seal} } , "Cmd":null}`)));
    expect(text(sealImage(origin, [BUNDLE, METADATA], PREFIX).config)).toBe(text(sealed.config));
  });

  it('changes nothing in the manifest but the digest and size of the config', () => {
    const origin = imageOf(configOf('{"Labels":{"a":"b"}}'));
    const sealed = expectRestored(origin);
    expect(text(sealed.manifest.bytes)).toBe(
      text(origin.manifest.bytes)
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
      const sealed = expectRestored(imageOf(configOf(member), { mediaType }), [METADATA, BUNDLE]);
      expect(labelsOf(sealed.config)).toMatchObject({ [`${PREFIX}.metadata-image.digest`]: ZERO });
    }
  });

  it('keeps the whitespace, unknown members and unusual numbers of a manifest', () => {
    const manifest = (descriptor: string): string =>
      `\n{"layers":[ ],"x":1.50E+2,"config" :\t${descriptor.replace('"size":', '"x":{"size":-0},\n"size" : ')},"schemaVersion":2}\n`;
    expectRestored(imageOf(configOf(), { manifest }));
  });

  it('is a no-op the second time, and replaces its links when they are others', () => {
    const origin = imageOf(configOf());
    const once = sealImage(origin, [METADATA], PREFIX);
    expect(sealImage(once, [METADATA], PREFIX).manifest).toEqual(once.manifest);
    const again = sealImage(once, [OTHER, BUNDLE], PREFIX);
    expect(again.manifest).toEqual(sealImage(origin, [OTHER, BUNDLE], PREFIX).manifest);
    expect(unsealImage(again, PREFIX).origin.manifest).toEqual(origin.manifest);
    expect(sealImage(again, [METADATA], PREFIX).manifest).toEqual(once.manifest);
  });

  it('seals under two prefixes, one over the other', () => {
    const origin = imageOf(configOf());
    const inner = sealImage(origin, [METADATA], 'a.b');
    const outer = sealImage(inner, [BUNDLE], PREFIX);
    expect(unsealImage(unsealImage(outer, PREFIX).origin, 'a.b').origin.manifest).toEqual(origin.manifest);
  });

  it('keeps the algorithm of the digests that it replaces', () => {
    const config = configOf();
    const image = imageOf(config, {
      manifest: (descriptor) =>
        `{"schemaVersion":2,"config":${descriptor.replace(digestOf(config), digestOf(config, 'sha512'))},"layers":[]}`,
    });
    const sha512 = { ...image, manifest: { ...image.manifest, digest: digestOf(image.manifest.bytes, 'sha512') } };
    const { origin } = unsealImage(sealImage(sha512, [METADATA], PREFIX), PREFIX);
    expect(origin.manifest).toEqual(sha512.manifest);
  });
});

describe('labels inherited from a sealed base image', () => {
  const base = sealImage(imageOf(configOf('{"Labels":{"z":"1"}}')), [METADATA], PREFIX);
  // A builder sorts the labels that it inherits.
  const inherit = (from: Image, extra: Record<string, string> = {}): Image => {
    const labels = { ...labelsOf(from.config), ...extra };
    return imageOf(configOf(JSON.stringify({ Labels: Object.fromEntries(Object.entries(labels).sort()) })));
  };

  it('are replaced in place and restored', () => {
    const derived = inherit(base);
    const sealed = expectRestored(derived, [OTHER, BUNDLE]);
    expect(labelsOf(sealed.config)[`${PREFIX}.metadata-image.digest`]).toBe(ONES);
    expect(sealImage(sealed, [OTHER, BUNDLE], PREFIX).manifest).toEqual(sealed.manifest);
    expect(sealImage(sealed, [METADATA], PREFIX).manifest).toEqual(sealImage(derived, [METADATA], PREFIX).manifest);
  });

  it('of other roles stay, and are no links of this seal', () => {
    const sealed = expectRestored(inherit(base), [BUNDLE]);
    expect(unsealImage(sealed, PREFIX).seal.links).toEqual([BUNDLE]);
  });

  it('grow by little with each generation', () => {
    const sizes: number[] = [];
    let image: Image = imageOf(configOf('{"Labels":{"a":"b"}}'));
    for (let generation = 0; generation < 12; generation++) {
      const sealed = expectRestored(inherit(image, { generation: `${generation}` }), [METADATA]);
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
      expectRestored(imageOf(configOf(`{"Labels":{"${PREFIX}.${name}" : ${token} ,"b":"c"}}`)));
    }
  });

  it('are no seal of the image that inherits them', () => {
    expect(() => unsealImage(inherit(base), PREFIX)).toThrow(code('SEAL_BROKEN'));
    expect(() => unsealImage(inherit(base, { zz: 'after the seal' }), PREFIX)).toThrow(code('SEAL_BROKEN'));
  });
});

describe('what sealing refuses', () => {
  const seal = (image: Image): unknown => sealImage(image, [METADATA], PREFIX);
  const withManifest = (manifest: (descriptor: string) => string, mediaType?: string): Image =>
    imageOf(configOf(), mediaType === undefined ? { manifest } : { manifest, mediaType });

  it.each([
    [
      'an artifact',
      (d: string) => `{"schemaVersion":2,"artifactType":"a/b","config":${d},"layers":[]}`,
      'NOT_AN_IMAGE',
    ],
    [
      'a config of another type',
      (d: string) => `{"schemaVersion":2,"config":${d.replace('image.config', 'empty')},"layers":[]}`,
      'NOT_AN_IMAGE',
    ],
    [
      'a signature dressed as an image',
      (d: string) =>
        `{"schemaVersion":2,"config":${d},"layers":[{"mediaType":"application/vnd.dev.cosign.simplesigning.v1+json"}]}`,
      'NOT_AN_IMAGE',
    ],
    ['no layers', (d: string) => `{"schemaVersion":2,"config":${d}}`, 'NOT_AN_IMAGE'],
    [
      'duplicate keys',
      (d: string) => `{"schemaVersion":2,"config":${d},"config":${d},"layers":[]}`,
      'JSON_DUPLICATE_KEY',
    ],
    [
      'a key that Go also reads',
      (d: string) => `{"schemaVersion":2,"config":${d},"Config":${d},"layers":[]}`,
      'SEAL_REFUSED',
    ],
    ['a subject', (d: string) => `{"schemaVersion":2,"config":${d},"layers":[],"subject":{}}`, 'SEAL_REFUSED'],
    [
      'an embedded config',
      (d: string) => `{"schemaVersion":2,"config":${d.replace('{', '{"data":"e30=",')},"layers":[]}`,
      'SEAL_REFUSED',
    ],
    [
      'a size that is no plain integer',
      (d: string) => `{"schemaVersion":2,"config":${d.replace(/"size":(\d+)/, '"size":$1e0')},"layers":[]}`,
      'SEAL_REFUSED',
    ],
    [
      'a digest with escapes',
      (d: string) => `{"schemaVersion":2,"config":${d.replace('"sha256', '"\\u0073ha256')},"layers":[]}`,
      'SEAL_REFUSED',
    ],
    [
      'another mediaType than the Content-Type',
      (d: string) => `{"schemaVersion":2,"mediaType":"${DOCKER_MANIFEST}","config":${d},"layers":[]}`,
      'MEDIA_TYPE_UNSUPPORTED',
    ],
    ['schema version 1', (d: string) => `{"schemaVersion":1,"config":${d},"layers":[]}`, 'MEDIA_TYPE_UNSUPPORTED'],
    ['no JSON', () => '{', 'JSON_INVALID'],
    [
      'too large',
      (d: string) => `{"schemaVersion":2,"config":${d},"layers":[]${' '.repeat(4 * 1024 * 1024)}}`,
      'SEAL_REFUSED',
    ],
  ])('a manifest: %s', (_, manifest, expected) => {
    expect(() => seal(withManifest(manifest))).toThrow(code(expected));
  });

  it('a Docker manifest that does not say what it is, and media types that it does not know', () => {
    const manifest = (descriptor: string): string => `{"schemaVersion":2,"config":${descriptor},"layers":[]}`;
    expect(() => seal(withManifest(manifest, DOCKER_MANIFEST))).toThrow(code('MEDIA_TYPE_UNSUPPORTED'));
    const image = withManifest(manifest);
    for (const mediaType of ['application/vnd.docker.distribution.manifest.v1+prettyjws', 'text/plain']) {
      expect(() => seal({ ...image, manifest: { ...image.manifest, mediaType } })).toThrow(
        code('MEDIA_TYPE_UNSUPPORTED'),
      );
    }
  });

  it.each([
    ['an array', '[]', 'NOT_AN_IMAGE'],
    ['no rootfs', '{"config":{}}', 'NOT_AN_IMAGE'],
    ['config no object', text(configOf('[]')), 'NOT_AN_IMAGE'],
    ['Labels no object', text(configOf('{"Labels":["a"]}')), 'NOT_AN_IMAGE'],
    ['a label that is no text', text(configOf('{"Labels":{"a":1}}')), 'NOT_AN_IMAGE'],
    ['labels that Go also reads', text(configOf('{"labels":{"a":"b"}}')), 'SEAL_REFUSED'],
    ['labels that Go folds', text(configOf('{"Labels":{},"Label\u017f":{}}')), 'SEAL_REFUSED'],
    ['duplicate labels', text(configOf('{"Labels":{"a":"b","\\u0061":"b"}}')), 'JSON_DUPLICATE_KEY'],
    ['duplicates elsewhere', text(configOf('{"Volumes":{"a":{},"a":{}}}')), 'JSON_DUPLICATE_KEY'],
  ])('a config: %s', (_, config, expected) => {
    expect(() => seal(imageOf(Buffer.from(config)))).toThrow(code(expected));
  });

  it('a config that would be too large', () => {
    const config = Buffer.concat([configOf(), Buffer.alloc(MAX_CONFIG_SIZE - configOf().length, ' ')]);
    expect(() => seal(imageOf(config))).toThrow(code('SEAL_REFUSED'));
  });

  it('a config that is not the one of the manifest', () => {
    expect(() => seal({ ...imageOf(configOf()), config: configOf('{}') })).toThrow(code('DIGEST_MISMATCH'));
  });

  it('a link of the role that the image embeds', () => {
    const embeds = { Env: [`IMAGE1_DIGEST=${ZERO}`], Labels: { [`${PREFIX}.primary-image.digest`]: ZERO } };
    const image = imageOf(configOf(JSON.stringify(embeds)));
    expect(() => sealImage(image, [{ ...METADATA, role: 'primary' }], PREFIX)).toThrow(code('SEAL_REFUSED'));
    expectRestored(image);
  });

  it.each([
    ['no link', []],
    ['a role twice', [METADATA, OTHER]],
    ['a malformed role', [{ ...METADATA, role: 'Meta data' }]],
    ['a malformed digest', [{ ...METADATA, digest: 'sha256:abc' as const }]],
    ['a url with control characters', [{ ...METADATA, url: 'quay.io/a\n:b' }]],
  ])('%s', (_, links) => {
    expect(() => sealImage(imageOf(configOf()), links, PREFIX)).toThrow(code('LINK_INVALID'));
  });

  it('a malformed prefix', () => {
    expect(() => sealConfig(configOf(), { links: [METADATA], sealedFrom: ZERO }, 'a"b')).toThrow(
      code('LABEL_PREFIX_INVALID'),
    );
  });
});

describe('a hostile sealed image', () => {
  const origin = imageOf(configOf('{"Entrypoint":["good"],"Labels":{"a":"b"}}'));
  const sealed = sealImage(origin, [METADATA], PREFIX);
  const change = (from: string | RegExp, to: string): Image =>
    imageOf(Buffer.from(text(sealed.config).replace(from, to)));

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
    expect(text(hostile.config)).not.toBe(text(sealed.config));
    expect(() => unsealImage(hostile, PREFIX)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^(SEAL_BROKEN|LINK_INVALID|NOT_SEALED)$/) }),
    );
  });

  it('can not pass a config off that its manifest does not name', () => {
    expect(() => unsealImage({ ...sealed, config: origin.config }, PREFIX)).toThrow(code('DIGEST_MISMATCH'));
  });

  it('that was never sealed is told apart', () => {
    expect(() => unsealImage(origin, PREFIX)).toThrow(code('NOT_SEALED'));
  });
});
