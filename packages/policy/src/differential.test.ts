import {
  DEFAULT_PREFIX,
  DigestChainError,
  digestOf,
  type Image,
  LabelNames,
  OCI_INDEX,
  sealTree,
  unsealTree,
} from '@multi-image/digest-chain';
import { CONFIG_TYPES, imageOf, ONES, ZERO } from '@multi-image/testing/image';
import { anyImage, anyLinks } from '@multi-image/testing/image-arbitrary';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imageAnswer, manifestAnswer } from './testing/answers.ts';
import { HAS_GO, Opa } from './testing/opa.ts';

// The policy and digest-chain, asked about the same images: all of them in one run of Open Policy Agent.

/** `pnpm test:slow` asks about many more. */
const IMAGES = process.env.SLOW === '1' ? 2_000 : 500;

const NAMES = new LabelNames();

/** A manifest around a config, as one of the tools writes it. */
const anyWritten: fc.Arbitrary<(config: Uint8Array, mediaType: string) => Image> = fc
  .record({
    sizeFirst: fc.boolean(),
    indent: fc.constantFrom(undefined, '  ', '   ', '\t'),
    end: fc.constantFrom('', '\n'),
    typed: fc.boolean(),
    layers: fc.nat(2),
    annotations: fc.constantFrom(undefined, { 'org.opencontainers.image.base.name': 'a/b:c', a: 'ä "b" \\' }),
  })
  .map(({ sizeFirst, indent, end, typed, layers, annotations }) => (config, mediaType) => {
    const descriptor = (type: string, digest: string, size: number): object =>
      sizeFirst ? { mediaType: type, size, digest } : { mediaType: type, digest, size };
    const layer = descriptor('application/vnd.oci.image.layer.v1.tar+gzip', `sha256:${'a'.repeat(64)}`, 5);
    const document = {
      schemaVersion: 2,
      mediaType: typed || mediaType.includes('docker') ? mediaType : undefined,
      config: descriptor(CONFIG_TYPES[mediaType] ?? '', digestOf(config), config.length),
      layers: Array.from({ length: layers }, () => layer),
      annotations: annotations && Object.fromEntries(Object.entries(annotations).sort()),
    };
    const bytes = Buffer.from(`${JSON.stringify(document, null, indent)}${end}`);
    return { manifest: { bytes, mediaType, digest: digestOf(bytes) }, config };
  });

/** Its config in every shape, and its manifest as tools write it. */
const anyToolsImage = fc
  .tuple(anyImage, anyWritten)
  .map(([{ config, manifest }, write]) => write(config, manifest.mediaType));

/** With a link by SHA-512 as well: only the digests of what is looked at have to be SHA-256. */
const anySealed = fc.tuple(anyToolsImage, anyLinks).map(([image, links]) => sealOne(image, links));

function sealOne(image: Image, links: Parameters<typeof sealTree>[1]): Image {
  const [sealed] = sealTree({ manifest: image.manifest, images: [image] }, links, NAMES).images;
  if (sealed === undefined) throw new RangeError('no image');
  return sealed;
}

/** What digest-chain says of it. */
function expected(image: Image): object | null {
  try {
    const { seal } = unsealTree({ manifest: image.manifest, images: [image] }, NAMES);
    return { from: seal.sealedFrom, links: seal.links };
  } catch (error) {
    if (error instanceof DigestChainError) return null;
    throw error;
  }
}

/** The image with another config, which its manifest names. */
function withConfig({ manifest, config: old }: Image, config: Uint8Array): Image {
  const text = Buffer.from(manifest.bytes)
    .toString()
    .replace(digestOf(old), digestOf(config))
    .replace(new RegExp(`("size": ?)${old.length}\\b`), `$1${config.length}`);
  const bytes = Buffer.from(text);
  return { manifest: { ...manifest, bytes, digest: digestOf(bytes) }, config };
}

const EDITS: readonly ((text: string) => string)[] = [
  (text) => text.replace('":"sha256', '" :"sha256'),
  (text) => text.replace(/\}(?=[^}]*$)/, ' }'),
  (text) => text.replace(',"io.konflux', ' ,"io.konflux'),
  (text) => text.replace(',"io.konflux', ',"evil":"yes","io.konflux'),
  (text) => text.replace('"rootfs"', '"container_config":{"Labels":{"a":"b"}},"rootfs"'),
  (text) => text.replace(/sealed-over":"[^"]*"/, 'sealed-over":"no-labels"'),
  (text) => text.replace(/sealed-over":"([a-z.-]+),/, 'sealed-over":"$1=%22x%22,'),
  (text) => text.replace(/"sha256:[0-9a-f]{64}"/, `"sha256:${'1'.repeat(64)}"`),
  (text) => text.replace('-image.url":"', '-image.url":"x'),
  (text) => text.replace(/"Labels"/, '"labels"'),
  (text) => text.replace(/,"io.konflux[^,]*(?=\})/, ''),
  (text) => text.replace('{', '{"x":1,"x":1,'),
  (text) => text.replace('{', '{"x":"\\ud800",'),
];

const anyBroken = fc
  .tuple(anySealed, fc.nat(), fc.nat(255), fc.constantFrom(undefined, ...EDITS))
  .map(([image, position, byte, edit]) => {
    if (edit !== undefined) return withConfig(image, Buffer.from(edit(Buffer.from(image.config).toString())));
    const config = Uint8Array.from(image.config);
    config[position % config.length] = byte;
    return withConfig(image, config);
  });

const QUERY = `{id: result |
  some id, packed in data.cases
  images := [object.union(image, {"config": base64.decode(image.packed)}) | some image in packed.images]
  tree := {"digest": packed.digest, "index": packed.index, "images": images}
  result := {
    "readable": count([1 | data.lib.image_chain.trees.is_readable(tree)]) == 1,
    "unsealed": [{"from": found.from, "links": found.links} | found := data.lib.image_chain.trees.unsealed(tree, "${DEFAULT_PREFIX}")],
  }
}`;

interface Answer {
  readonly readable: boolean;
  readonly unsealed: readonly object[];
}

describe.skipIf(!HAS_GO)('the policy and digest-chain (skipped where there is no Go)', () => {
  let opa: Opa;
  beforeAll(() => {
    opa = new Opa();
  });
  afterAll(() => opa.close());

  const ask = (trees: readonly object[]): Answer[] => {
    const cases = Object.fromEntries(trees.map((tree, id) => [`${id}`, tree]));
    const answers = opa.evaluate(QUERY, { cases }) as Record<string, Answer>;
    return trees.map((_, id) => answers[`${id}`] ?? { readable: false, unsealed: [] });
  };
  const asTree = (image: Image): object => ({
    digest: image.manifest.digest,
    index: null,
    images: [imageAnswer(image)],
  });
  const compare = (images: readonly Image[]): Answer[] => {
    const answers = ask(images.map(asTree));
    const said = answers.map(({ unsealed }) => unsealed);
    expect(said).toEqual(images.map((image) => [expected(image)].filter((one) => one !== null)));
    return answers;
  };

  it(`read the same seal out of ${IMAGES} images of every shape`, () => {
    const answers = compare(fc.sample(anySealed, { numRuns: IMAGES, seed: 1 }));
    expect(answers.every(({ readable, unsealed }) => readable && unsealed.length === 1)).toBe(true);
  });

  it(`refuse the same of ${IMAGES / 2} that were changed after they were sealed`, () => {
    const images = fc.sample(anyBroken, { numRuns: IMAGES / 2, seed: 2 });
    compare(images);
    expect(images.filter((image) => expected(image) === null).length).toBeGreaterThan(0.6 * images.length);
  });

  it('refuse what sealing would never have written, though it leads back to an origin', () => {
    const role = NAMES.digestOf('metadata');
    const linked = [`"${role}":"${ZERO}"`, `"${NAMES.urlOf('metadata')}":"quay.io/org/image2:tag"`] as const;
    /** An image with this in front of its config's members, sealed by hand: a label before the seal, and no record. */
    const behind = (members: string | Uint8Array): Image => {
      const text = (seal: string): Uint8Array =>
        Buffer.concat([
          Buffer.from('{'),
          Buffer.from(members),
          Buffer.from(`"rootfs":{"diff_ids":[]},"config":{"Labels":{"a":"b"${seal}}}}`),
        ]);
      const { manifest } = imageOf(text(''));
      return imageOf(text(`,"${NAMES.sealedFrom}":"${manifest.digest}",${linked.join(',')}`));
    };
    /** Sealed by hand over a label of the seal's, with this record. */
    const over = (env: readonly string[], record: string): Image => {
      const text = (labels: string): Uint8Array =>
        Buffer.from(`{"rootfs":{"diff_ids":[]},"config":{"Env":${JSON.stringify(env)},"Labels":{${labels}}}}`);
      const { manifest } = imageOf(text(`"${role}":"${ONES}"`));
      const from = `"${NAMES.sealedFrom}":"${manifest.digest}","${NAMES.sealedOver}":"${record}"`;
      return imageOf(text(`${linked[0]},${from},${linked[1]}`));
    };
    const record = `sealed-from.digest,metadata-image.digest=%22${ONES}%22,metadata-image.url`;
    const right = [behind(''), behind('"x":{"y":"\\ud83d\\ude00 \ufffd"},'), over([], record)];
    const wrong = [
      behind('"x":1,"x":1,'),
      behind('"x":{"y":1,"\\u0079":1},'),
      behind('"x":"\\ud800",'),
      behind(Buffer.from('"x":"\xff",', 'latin1')),
      behind('"Config":{},'),
      behind(`"x":${'['.repeat(64)}${']'.repeat(64)},`),
      over([`IMAGE2_DIGEST=${ONES}`], record),
      over([], record.replace('=%22s', '=%22%73')),
      over([], record.split(',').reverse().join(',')),
      over([], `${record},metadata-image.url`),
    ];
    compare([...right, ...wrong]);
    expect(right.map(expected)).not.toContain(null);
    expect(wrong.map(expected)).toEqual(wrong.map(() => null));
  });

  it('are told apart by manifests that no tool writes, of which a policy has no bytes: it says nothing for them', () => {
    const images = fc.sample(fc.tuple(anyImage, anyLinks), { numRuns: 100, seed: 3 }).map(([i, l]) => sealOne(i, l));
    const answers = ask(images.map(asTree));
    for (const [at, { readable, unsealed }] of answers.entries()) {
      const image = images[at] as Image;
      if (unsealed.length > 0) expect(unsealed).toEqual([expected(image)]);
      if (!readable) expect(unsealed).toEqual([]);
    }
    expect(answers.filter(({ readable }) => !readable).length).toBeGreaterThan(50);
  });

  it('lead indexes back the same way', () => {
    const samples = fc.sample(fc.tuple(fc.array(anyToolsImage, { minLength: 1, maxLength: 3 }), anyLinks), {
      numRuns: 25,
      seed: 4,
    });
    const sealed = samples.map(([images, links]) => {
      const manifests = images.map(({ manifest }, at) => ({
        mediaType: manifest.mediaType,
        digest: manifest.digest,
        size: manifest.bytes.length,
        platform: { architecture: 'amd64', os: `os${at}` },
      }));
      const document = { schemaVersion: 2, mediaType: OCI_INDEX, manifests };
      const bytes = Buffer.from(JSON.stringify(document));
      const unique = new Map(images.map((image) => [image.manifest.digest, image]));
      const origin = {
        manifest: { bytes, mediaType: OCI_INDEX, digest: digestOf(bytes) },
        images: [...unique.values()],
      };
      return sealTree(origin, links, NAMES);
    });
    const tree = ({ manifest, images }: (typeof sealed)[number], change = (image: Image): Image => image): object => ({
      digest: manifest.digest,
      index: manifestAnswer(manifest),
      images: images.map((image) => imageAnswer(change(image))),
    });
    expect(ask(sealed.map((one) => tree(one))).map(({ unsealed }) => unsealed)).toEqual(
      sealed.map((one) => {
        const { seal } = unsealTree(one, NAMES);
        return [{ from: seal.sealedFrom, links: seal.links }];
      }),
    );
    const changed = (image: Image): Image => ({ ...image, config: Buffer.concat([image.config, Buffer.from(' ')]) });
    expect(ask(sealed.map((one) => tree(one, changed))).every(({ readable }) => !readable)).toBe(true);
  });
});
