import { createHash } from 'node:crypto';
import { ONES, ZERO } from '@multi-image/testing/image';
import { describe, expect, it } from 'vitest';
import type { Digest } from '../digest.ts';
import { rewriteSbom } from './rewrite-sbom.ts';

const CHILD: Digest = `sha256:${'c'.repeat(64)}`;
const SEALED_CHILD: Digest = `sha256:${'d'.repeat(64)}`;
const IMAGES = [{ given: ZERO, sealed: ONES }] as const;
const hex = (digest: Digest): string => digest.slice('sha256:'.length);

const rewritten = (document: unknown, images: Parameters<typeof rewriteSbom>[1] = IMAGES, indent?: number) => {
  const bytes = rewriteSbom(Buffer.from(JSON.stringify(document, undefined, indent)), images);
  return bytes === undefined ? undefined : JSON.parse(Buffer.from(bytes).toString());
};

describe('an SBOM in SPDX', () => {
  const spdx = {
    spdxVersion: 'SPDX-2.3',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `quay.io/org/app@${ZERO}`,
    documentNamespace: 'https://konflux-ci.dev/spdxdocs/app-1234',
    packages: [
      {
        SPDXID: 'SPDXRef-image',
        name: 'app',
        checksums: [{ algorithm: 'SHA256', checksumValue: hex(ZERO) }],
        externalRefs: [
          { referenceType: 'purl', referenceLocator: `pkg:oci/app@sha256:${hex(ZERO)}?repository_url=quay.io/org/app` },
        ],
      },
      { SPDXID: 'SPDXRef-base', name: 'base', checksums: [{ algorithm: 'SHA256', checksumValue: hex(CHILD) }] },
    ],
    relationships: [
      { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: 'SPDXRef-image' },
    ],
  };

  it.each([undefined, 2])('names the sealed image, and the document that it comes from (indent %s)', (indent) => {
    const found = rewritten(spdx, IMAGES, indent);
    const text = JSON.stringify(spdx, undefined, indent);
    expect(found).toEqual({
      ...JSON.parse(JSON.stringify(spdx).replaceAll(hex(ZERO), hex(ONES))),
      documentNamespace: `https://konflux-ci.dev/spdxdocs/app-1234-sealed-${hex(ONES).slice(0, 16)}`,
      relationships: [
        ...spdx.relationships,
        {
          spdxElementId: 'SPDXRef-DOCUMENT',
          relationshipType: 'AMENDS',
          relatedSpdxElement: 'DocumentRef-before-sealing:SPDXRef-DOCUMENT',
          comment: expect.stringContaining(ZERO),
        },
      ],
      externalDocumentRefs: [
        {
          externalDocumentId: 'DocumentRef-before-sealing',
          spdxDocument: spdx.documentNamespace,
          checksum: { algorithm: 'SHA1', checksumValue: createHash('sha1').update(text).digest('hex') },
        },
      ],
    });
  });

  it('gets the lists that it lacks, and keeps those that are empty', () => {
    const { relationships: _, ...without } = spdx;
    expect(rewritten(without)?.relationships).toHaveLength(1);
    expect(rewritten({ ...spdx, relationships: [], externalDocumentRefs: [] })).toMatchObject({
      relationships: [{ relationshipType: 'AMENDS' }],
      externalDocumentRefs: [{ externalDocumentId: 'DocumentRef-before-sealing' }],
    });
  });

  it('refers to each document that it comes from by a name of its own, where it is amended again', () => {
    const again = rewritten(rewritten(spdx), [{ given: ONES, sealed: CHILD }]);
    const ids = again?.externalDocumentRefs.map(({ externalDocumentId }: Record<string, string>) => externalDocumentId);
    expect(ids).toEqual(['DocumentRef-before-sealing', 'DocumentRef-before-sealing-2']);
    expect(again?.relationships.at(-1).relatedSpdxElement).toBe('DocumentRef-before-sealing-2:SPDXRef-DOCUMENT');
  });

  it('gets its lists where they are null, and refers to nothing that has no place in it', () => {
    const nothing = rewritten({ ...spdx, relationships: null, externalDocumentRefs: null });
    expect(nothing?.externalDocumentRefs).toHaveLength(1);
    expect(nothing?.relationships).toHaveLength(1);
    expect(rewritten({ ...spdx, externalDocumentRefs: {} })?.relationships).toEqual(spdx.relationships);
  });

  it('of an index names its images, too', () => {
    const images = [...IMAGES, { given: CHILD, sealed: SEALED_CHILD }] as const;
    const found = rewritten(spdx, images);
    expect(found?.packages[1].checksums[0].checksumValue).toBe(hex(SEALED_CHILD));
    expect(found?.name).toBe(`quay.io/org/app@${ONES}`);
  });

  it('is the same again from the same', () => {
    expect(rewritten(spdx)).toEqual(rewritten(spdx));
  });
});

describe('an SBOM in CycloneDX', () => {
  const component = { type: 'container', name: 'quay.io/org/app', version: ZERO, purl: `pkg:oci/app@${ZERO}` };
  const ancestor = {
    type: 'container',
    name: 'quay.io/org/app',
    version: ZERO,
    hashes: [{ alg: 'SHA-256', content: hex(ZERO) }],
    description: 'the image as it was built, before labels were added',
  };

  it('names the sealed image, whose ancestor is the one that was built', () => {
    const found = rewritten({ bomFormat: 'CycloneDX', specVersion: '1.6', metadata: { component }, components: [] });
    expect(found?.metadata.component).toEqual({
      type: 'container',
      name: 'quay.io/org/app',
      version: ONES,
      purl: `pkg:oci/app@${ONES}`,
      pedigree: { ancestors: [ancestor] },
    });
  });

  it('keeps the ancestors that it has', () => {
    const other = { type: 'container', name: 'base' };
    const pedigree = { notes: 'x', ancestors: [other] };
    const found = rewritten({ bomFormat: 'CycloneDX', metadata: { component: { ...component, pedigree } } });
    expect(found?.metadata.component.pedigree).toEqual({ notes: 'x', ancestors: [other, ancestor] });
  });

  it.each([null, 'x', [], true])('stays JSON where its pedigree is %j, which has no room for ancestors', (pedigree) => {
    const found = rewritten({ bomFormat: 'CycloneDX', metadata: { component: { ...component, pedigree } } });
    expect(found?.metadata.component).toMatchObject({ version: ONES, pedigree });
  });
});

it.each([
  ['does not name the image', { spdxVersion: 'SPDX-2.3', name: 'app', documentNamespace: 'https://x' }],
  ['is of another format', { name: ZERO }],
  ['has no namespace', { spdxVersion: 'SPDX-2.3', name: ZERO }],
  ['is of no component', { bomFormat: 'CycloneDX', serialNumber: ZERO }],
])('stays as it is where it %s', (_, document) => {
  expect(rewritten(document)).toBeUndefined();
});

it('stays as it is where it is no JSON', () => {
  expect(rewriteSbom(Buffer.from(`SPDXVersion: SPDX-2.3\nDocumentName: ${ZERO}\n`), IMAGES)).toBeUndefined();
  expect(rewriteSbom(Buffer.from(`{"spdxVersion":"SPDX-2.3","name":"${ZERO}","name":"x"}`), IMAGES)).toBeUndefined();
});
