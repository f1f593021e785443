import { configOf, imageOf, ZERO } from '@multi-image/testing/image';
import { describe, expect, it } from 'vitest';
import { DEFAULT_PREFIX, LabelNames } from '../label-names.ts';
import { DOCKER_MANIFEST } from '../media-types.ts';
import { METADATA, OTHER, sealAndRestore, sealOne, textOf } from '../testing/sealed-image.ts';
import { MAX_CONFIG_SIZE, sealConfig } from './config.ts';
import type { Image } from './manifest.ts';

const PREFIX = DEFAULT_PREFIX;
const code = (expected: string): unknown => expect.objectContaining({ code: expected });

describe('what sealing refuses', () => {
  const seal = (image: Image): unknown => sealOne(image);
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

  it.each([
    ['null', '"urls":null,"data":null'],
    ['nothing in it', '"urls":[ ],"data":""'],
  ])('no manifest for what it says nothing by, as some writers have it: %s', (_, members) => {
    const nothing = '"subject":null,"artifactType":null,"annotations":null';
    const manifest = (descriptor: string): string =>
      `{"schemaVersion":2,"config":${descriptor.replace('}', `,${members}}`)},"layers":[],${nothing}}`;
    sealAndRestore(withManifest(manifest));
  });

  it.each(['"urls":[""]', '"urls":{}', '"data":" "', '"data":0'])('a descriptor that says more: %s', (member) => {
    const manifest = (descriptor: string): string =>
      `{"schemaVersion":2,"config":${descriptor.replace('}', `,${member}}`)},"layers":[]}`;
    expect(() => seal(withManifest(manifest))).toThrow(code('SEAL_REFUSED'));
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
    ['config no object', textOf(configOf('[]')), 'NOT_AN_IMAGE'],
    ['Labels no object', textOf(configOf('{"Labels":["a"]}')), 'NOT_AN_IMAGE'],
    ['a label that is no text', textOf(configOf('{"Labels":{"a":1}}')), 'NOT_AN_IMAGE'],
    ['labels that Go also reads', textOf(configOf('{"labels":{"a":"b"}}')), 'SEAL_REFUSED'],
    ['labels that Go folds', textOf(configOf('{"Labels":{},"Label\u017f":{}}')), 'SEAL_REFUSED'],
    ['duplicate labels', textOf(configOf('{"Labels":{"a":"b","\\u0061":"b"}}')), 'JSON_DUPLICATE_KEY'],
    ['duplicates elsewhere', textOf(configOf('{"Volumes":{"a":{},"a":{}}}')), 'JSON_DUPLICATE_KEY'],
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
    expect(() => sealOne(image, [{ ...METADATA, role: 'primary' }])).toThrow(code('SEAL_REFUSED'));
    sealAndRestore(image);
  });

  it.each([
    ['no link', []],
    ['a role twice', [METADATA, OTHER]],
    ['a malformed role', [{ ...METADATA, role: 'Meta data' }]],
    ['a malformed digest', [{ ...METADATA, digest: 'sha256:abc' as const }]],
    ['a url with control characters', [{ ...METADATA, url: 'quay.io/a\n:b' }]],
  ])('%s', (_, links) => {
    expect(() => sealOne(imageOf(configOf()), links)).toThrow(code('LINK_INVALID'));
  });

  it('a malformed prefix', () => {
    expect(() => sealConfig(configOf(), { links: [METADATA], sealedFrom: ZERO }, new LabelNames('a"b'))).toThrow(
      code('LABEL_PREFIX_INVALID'),
    );
  });
});
