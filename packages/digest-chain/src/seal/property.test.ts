import { anyImage, anyLinks } from '@multi-image/testing/image-arbitrary';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestAlgorithm, digestOf } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import { decodeJson } from '../json/decode.ts';
import { DEFAULT_PREFIX, LabelNames } from '../label-names.ts';
import { OCI_INDEX } from '../media-types.ts';
import { indexOf, labelsOf, sealAndRestore, sealOne, textOf, unsealOne } from '../testing/sealed-image.ts';
import type { Image } from './manifest.ts';
import { sealTree, unsealTree } from './tree.ts';

// `pnpm test:slow` runs all of them; a sample is enough to notice that something broke.
const SLOW = process.env.SLOW === '1';
const runs = (slow: number): { numRuns: number } => ({ numRuns: SLOW ? slow : Math.round(slow / 200) });

describe('for every image', () => {
  it('unsealing what was sealed gives every byte back, and every reader finds the links', () => {
    fc.assert(
      fc.property(anyImage, anyLinks, (image, links) => {
        const sealed = sealAndRestore(image, links);
        const labels = labelsOf(sealed.config);
        expect(labels[`${DEFAULT_PREFIX}.sealed-from.digest`]).toBe(image.manifest.digest);
        for (const { role, url, digest } of links) {
          expect(labels[`${DEFAULT_PREFIX}.${role}-image.digest`]).toBe(digest);
          expect(labels[`${DEFAULT_PREFIX}.${role}-image.url`]).toBe(url);
        }
        expect(withoutSeal(sealed, links)).toEqual(withoutSeal(image, links));
      }),
      runs(100_000),
    );
  });

  it('sealing again is a no-op, and other links replace the first', () => {
    fc.assert(
      fc.property(anyImage, anyLinks, anyLinks, (image, links, others) => {
        const sealed = sealOne(image, links);
        expect(sealOne(sealed, links)).toEqual(sealed);
        const again = sealOne(sealed, others);
        expect(again).toEqual(sealOne(image, others));
      }),
      runs(20_000),
    );
  });

  it('an index of images is restored, too', () => {
    fc.assert(
      fc.property(fc.array(anyImage, { minLength: 1, maxLength: 3 }), anyLinks, (images, links) => {
        const origin = indexOf(images, OCI_INDEX);
        const sealed = sealTree(origin, links, new LabelNames());
        expect(unsealTree(sealed, new LabelNames()).origin).toEqual(origin);
        expect(sealTree(sealed, links, new LabelNames())).toEqual(sealed);
      }),
      runs(10_000),
    );
  });

  it('a sealed config of which one byte changed unseals to the same origin or not at all', () => {
    fc.assert(
      fc.property(anyImage, anyLinks, fc.nat(), fc.nat(255), (image, links, position, byte) => {
        const sealed = sealOne(image, links);
        const config = Uint8Array.from(sealed.config);
        config[position % config.length] = byte;
        const restored = tryUnseal(withConfig(sealed, config));
        if (restored !== undefined) expect(restored).toEqual(image);
      }),
      runs(50_000),
    );
  });
});

/** What the config says, without the labels of this seal; containers that exist only to hold labels are left out. */
function withoutSeal(image: Image, links: readonly { role: string }[]): unknown {
  // Not JSON.parse: see decode.ts.
  const value = decodeJson(image.config) as { config?: { Labels?: Record<string, string> } };
  const names = [
    'sealed-from.digest',
    'sealed-over',
    ...links.flatMap(({ role }) => [`${role}-image.digest`, `${role}-image.url`]),
  ];
  for (const name of names) delete value.config?.Labels?.[`${DEFAULT_PREFIX}.${name}`];
  if (isEmpty(value.config?.Labels)) delete value.config?.Labels;
  if (isEmpty(value.config)) delete value.config;
  return value;
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || (typeof value === 'object' && Object.keys(value).length === 0);
}

function tryUnseal(image: Image): Image | undefined {
  try {
    return unsealOne(image).origin;
  } catch (error) {
    if (error instanceof DigestChainError) return undefined;
    throw error;
  }
}

/** The image with another config, and a manifest that names it. */
function withConfig(image: Image, config: Uint8Array): Image {
  const { bytes, mediaType, digest } = image.manifest;
  const old = JSON.parse(textOf(bytes)).config.digest as Parameters<typeof digestAlgorithm>[0];
  // Same length, so the size in the manifest still holds.
  const manifest = Buffer.from(textOf(bytes).replace(old, digestOf(config, digestAlgorithm(old))));
  return { manifest: { bytes: manifest, mediaType, digest: digestOf(manifest, digestAlgorithm(digest)) }, config };
}
