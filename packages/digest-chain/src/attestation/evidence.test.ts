import { setTimeout as sleep } from 'node:timers/promises';
import { provenanceV02 } from '@multi-image/testing/provenance';
import { createSigner, envelope } from '@multi-image/testing/signer';
import { describe, expect, it } from 'vitest';
import { type Digest, digestOf } from '../digest.ts';
import { DigestChainError, type ErrorCode } from '../errors.ts';
import { DSSE_ENVELOPE } from '../media-types.ts';
import { createRegistry } from '../registry/client.ts';
import type { RawManifest, Registry } from '../registry/registry.ts';
import { EvidenceReader, MAX_DOCUMENT_SIZE, MAX_DOCUMENTS } from './evidence.ts';

const place = { registry: 'localhost', repository: 'x' };
const signer = createSigner();
const image = manifestOf({ schemaVersion: 2 });

/** Attestations of the image; every other one is signed with another key. */
const documents = Array.from({ length: 24 }, (_, index) => {
  const statement = { ...provenanceV02([image.digest], []), predicateType: `https://example.com/${index}` };
  return envelope(index % 2 === 0 ? signer : createSigner(), statement);
});

function manifestOf(content: object): RawManifest {
  const bytes = Buffer.from(JSON.stringify(content));
  return { bytes, mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: digestOf(bytes) };
}

/** A registry with these documents at the tag .att, of which the first take longest, and what was read at once. */
function slowRegistry(sizeOf: (bytes: Uint8Array) => number, all: readonly Uint8Array[] = documents) {
  const layers = all.map((bytes) => ({ mediaType: DSSE_ENVELOPE, digest: digestOf(bytes), size: sizeOf(bytes) }));
  const blobs = new Map<Digest, Uint8Array>(all.map((bytes) => [digestOf(bytes), bytes]));
  const most = { requests: 0, bytes: 0 };
  const now = { requests: 0, bytes: 0 };
  const count = (requests: number, bytes: number): void => {
    now.requests += requests;
    now.bytes += bytes;
    most.requests = Math.max(most.requests, now.requests);
    most.bytes = Math.max(most.bytes, now.bytes);
  };
  const registry: Registry = {
    ...createRegistry(),
    listReferrers: async () => [],
    getManifest: async (_, reference) => manifestOf({ layers: reference.endsWith('.att') ? layers : [] }),
    async getBlob(_, { digest, size }) {
      count(1, size);
      const at = layers.findIndex((layer) => layer.digest === digest);
      await sleep(10 + 2 * (layers.length - at));
      count(-1, -size);
      return blobs.get(digest) ?? new Uint8Array();
    },
  };
  return { registry, most };
}

it('is read a few documents at a time, and told in the order of the registry', async () => {
  const { registry, most } = slowRegistry((bytes) => bytes.length);
  const { claims, rejected } = await new EvidenceReader(registry, signer.keys).read(place, image);
  expect(claims.map((claim) => claim.predicateType)).toEqual(
    Array.from({ length: 12 }, (_, index) => `https://example.com/${2 * index}`),
  );
  expect(rejected).toHaveLength(12);
  expect(most.requests).toBe(8);
});

it('holds no more at a time than the largest document may have', async () => {
  const size = MAX_DOCUMENT_SIZE / 4;
  const { registry, most } = slowRegistry(() => size);
  const { claims, rejected } = await new EvidenceReader(registry, signer.keys).read(place, image);
  expect(most).toEqual({ requests: 4, bytes: MAX_DOCUMENT_SIZE });
  expect(claims.length + rejected.length).toBe(17);
  expect(rejected.at(-1)?.reason).toContain('not read');
});

it('is read up to a number of documents', async () => {
  const many = Array.from({ length: MAX_DOCUMENTS + 1 }, (_, index) => Buffer.from(`{"index":${index}}`));
  const { registry } = slowRegistry((bytes) => bytes.length, many);
  const { rejected } = await new EvidenceReader(registry, signer.keys).read(place, image);
  expect(rejected).toHaveLength(MAX_DOCUMENTS + 1);
  expect(rejected.map(({ reason }) => reason.includes('not read')).indexOf(true)).toBe(MAX_DOCUMENTS);
});

it('tells what can not be read in the order of the registry', async () => {
  const digests = Array.from({ length: 8 }, (_, index) => digestOf(Buffer.from(`${index}`)));
  const { registry } = slowRegistry((bytes) => bytes.length, []);
  const broken: Registry = {
    ...registry,
    listReferrers: async () => digests.map((digest) => ({ mediaType: image.mediaType, digest, size: 1 })),
    async getManifest(repository, reference) {
      const at = digests.indexOf(reference as Digest);
      if (at === -1) return registry.getManifest(repository, reference);
      await sleep(10 * (digests.length - at));
      return { ...manifestOf({}), bytes: Buffer.from('{') };
    },
  };
  const { rejected } = await new EvidenceReader(broken, signer.keys).read(place, image);
  expect(rejected.map(({ source }) => source)).toEqual(digests);
});

describe('where the registry can not list what is attached', () => {
  const read = (code: ErrorCode) => {
    const { registry } = slowRegistry((bytes) => bytes.length, documents.slice(0, 1));
    const listReferrers = () => Promise.reject(new DigestChainError(code, 'no referrers'));
    return new EvidenceReader({ ...registry, listReferrers }, signer.keys).read(place, image);
  };

  it.each<ErrorCode>(['REGISTRY_ERROR', 'UNAUTHORIZED', 'RESPONSE_INVALID'])(
    'what is at the tags counts, and %s is told',
    async (code) => {
      const { claims, rejected } = await read(code);
      expect(claims).toHaveLength(1);
      expect(rejected).toEqual([{ source: 'referrers', reason: `${code}: no referrers` }]);
    },
  );

  it.each<ErrorCode>(['ABORTED', 'REGISTRY_UNREACHABLE', 'REGISTRY_TIMEOUT'])('%s ends it', async (code) => {
    await expect(read(code)).rejects.toMatchObject({ code });
  });
});
