import { configOf, imageOf, ONES } from '@multi-image/testing/image';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../digest.ts';
import { DEFAULT_PREFIX, LabelNames } from '../label-names.ts';
import { DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../media-types.ts';
import {
  ATTESTATION,
  BUNDLE,
  indexOf,
  labelsOf,
  METADATA,
  OTHER,
  sealOne,
  textOf,
  unsealOne,
} from '../testing/sealed-image.ts';
import type { Link } from './config.ts';
import { MAX_CHILDREN } from './image-index.ts';
import type { Image } from './manifest.ts';
import { type ImageTree, type SealedTree, sealTree, unsealTree } from './tree.ts';

const PREFIX = DEFAULT_PREFIX;
const code = (expected: string): unknown => expect.objectContaining({ code: expected });
const seal = (tree: ImageTree, links: readonly Link[] = [METADATA]): SealedTree =>
  sealTree(tree, links, new LabelNames());
const unseal = (tree: ImageTree): ImageTree => unsealTree(tree, new LabelNames()).origin;

const amd64 = imageOf(configOf('{"Labels":{"arch":"amd64"}}'));
const arm64 = imageOf(configOf('null'));

describe.each([
  [OCI_INDEX, OCI_MANIFEST],
  [DOCKER_LIST, DOCKER_MANIFEST],
])('an index (%s)', (mediaType, childType) => {
  const images = [amd64, arm64].map(({ config }) => imageOf(config, { mediaType: childType }));
  const origin = indexOf(images, mediaType, mediaType === OCI_INDEX ? [ATTESTATION] : []);

  it('is sealed in each of its images, and every other byte of it stays', () => {
    const sealed = seal(origin, [METADATA, BUNDLE]);
    let expected = textOf(origin.manifest.bytes);
    for (const [index, old] of origin.images.entries()) {
      const image = sealed.images[index] as Image;
      expect(labelsOf(image.config)[`${PREFIX}.sealed-from.digest`]).toBe(origin.manifest.digest);
      expected = expected
        .replace(old.manifest.digest, image.manifest.digest)
        .replace(`"size":${old.manifest.bytes.length},`, `"size":${image.manifest.bytes.length},`);
    }
    expect(textOf(sealed.manifest.bytes)).toBe(expected);
    expect(unseal(sealed)).toEqual(origin);
  });

  it('is the same when it is sealed again, and has other links when it is sealed with others', () => {
    const once = seal(origin);
    expect(seal(once)).toEqual(once);
    expect(seal(once, [OTHER])).toEqual(seal(origin, [OTHER]));
  });
});

describe('an index', () => {
  it('may name an image twice', () => {
    const origin = indexOf([amd64, arm64, amd64], OCI_INDEX);
    expect(origin.images).toHaveLength(2);
    expect(unseal(seal(origin))).toEqual(origin);
  });

  it('may hold both kinds of images, and images that are sealed themselves', () => {
    const origin = indexOf([sealOne(amd64), imageOf(arm64.config, { mediaType: DOCKER_MANIFEST })], OCI_INDEX);
    const sealed = seal(origin, [OTHER]);
    expect(unseal(sealed)).toEqual(origin);
    expect(seal(sealed, [OTHER])).toEqual(sealed);
  });

  it('keeps its artifacts as they are', () => {
    const artifact = `{"mediaType":"${OCI_MANIFEST}","artifactType":"a/b","digest":"${ONES}","size":1e0}`;
    const origin = indexOf([amd64], OCI_INDEX, [artifact]);
    const sealed = seal(origin);
    expect(textOf(sealed.manifest.bytes)).toContain(artifact);
    expect(unseal(sealed)).toEqual(origin);
  });

  it.each(['application/vnd.oci.image.config.v1+json', ''])(
    'may say of an image that its artifactType is "%s"',
    (type) => {
      const origin = replaced(indexOf([amd64, arm64], OCI_INDEX), '"platform"', `"artifactType":"${type}","platform"`);
      const { bytes } = origin.manifest;
      const tree = { ...origin, manifest: { ...origin.manifest, digest: digestOf(bytes) } };
      expect(unseal(seal(tree))).toEqual(tree);
    },
  );

  it.each([
    ['names another index', indexOf([amd64], OCI_INDEX, [`{"mediaType":"${OCI_INDEX}"}`]), 'SEAL_REFUSED'],
    ['names something unknown', indexOf([amd64], OCI_INDEX, ['{"mediaType":"text/plain"}']), 'SEAL_REFUSED'],
    ['names no image', indexOf([], OCI_INDEX), 'NOT_AN_IMAGE'],
    ['holds only attestations', { ...indexOf([amd64], OCI_INDEX), manifest: onlyAttestations() }, 'NOT_AN_IMAGE'],
    ['says that it is another', { ...indexOf([amd64], OCI_INDEX), manifest: mislabelled() }, 'MEDIA_TYPE_UNSUPPORTED'],
    ['is attached', replaced(indexOf([amd64], OCI_INDEX), '"x":1e2', '"subject":{}'), 'SEAL_REFUSED'],
    ['is an artifact', replaced(indexOf([amd64], OCI_INDEX), '"x":1e2', '"artifactType":"a/b"'), 'NOT_AN_IMAGE'],
    ['has another key by case', replaced(indexOf([amd64], OCI_INDEX), '"x"', '"Manifests"'), 'SEAL_REFUSED'],
    ['embeds an image', replaced(indexOf([amd64], OCI_INDEX), '"platform"', '"data":"e30","platform"'), 'SEAL_REFUSED'],
    [
      'has too many images',
      indexOf(
        Array.from({ length: MAX_CHILDREN + 1 }, (_, index) => imageOf(configOf(`{"Labels":{"n":"${index}"}}`))),
        OCI_INDEX,
      ),
      'SEAL_REFUSED',
    ],
    ['has another image than given', { ...indexOf([amd64], OCI_INDEX), images: [arm64] }, 'DIGEST_MISMATCH'],
    ['has an image of another size', replaced(indexOf([amd64], OCI_INDEX), '"size":', '"size":1'), 'DIGEST_MISMATCH'],
    ['names an artifact as an image', indexOf([artifactImage()], OCI_INDEX), 'NOT_AN_IMAGE'],
  ])('is refused where it %s', (_, tree, expected) => {
    expect(() => seal(tree)).toThrow(code(expected));
  });

  it('is not unsealed where its images have different seals, or another image was put in', () => {
    const origin = indexOf([amd64, arm64], OCI_INDEX);
    const sealed = seal(origin);
    const other = seal(origin, [OTHER]);
    const mixed = [sealed.images[0], other.images[1]] as Image[];
    expect(() => unseal(indexOf(mixed, OCI_INDEX))).toThrow(code('SEAL_BROKEN'));
    const foreign = seal(indexOf([arm64, amd64], OCI_INDEX));
    expect(() => unseal(indexOf([...foreign.images], OCI_INDEX))).not.toThrow();
    expect(() => unseal(indexOf([...foreign.images].reverse(), OCI_INDEX))).toThrow(code('SEAL_BROKEN'));
    expect(() => unseal(indexOf([...sealed.images, arm64], OCI_INDEX))).toThrow(code('NOT_SEALED'));
  });

  it('is what its images were sealed from: one of them alone does not unseal', () => {
    const sealed = seal(indexOf([amd64, arm64], OCI_INDEX));
    expect(() => unsealOne(sealed.images[0] as Image)).toThrow(code('SEAL_BROKEN'));
  });
});

function replaced(tree: ImageTree, from: string, to: string): ImageTree {
  return { ...tree, manifest: { ...tree.manifest, bytes: Buffer.from(textOf(tree.manifest.bytes).replace(from, to)) } };
}

function onlyAttestations(): ImageTree['manifest'] {
  const bytes = Buffer.from(`{"schemaVersion":2,"manifests":[${ATTESTATION}]}`);
  return { ...indexOf([], OCI_INDEX).manifest, bytes };
}

function mislabelled(): ImageTree['manifest'] {
  return { ...indexOf([amd64], DOCKER_LIST).manifest, mediaType: OCI_INDEX };
}

function artifactImage(): Image {
  return imageOf(configOf(), {
    manifest: (config) => `{"schemaVersion":2,"artifactType":"a/b","config":${config},"layers":[]}`,
  });
}
