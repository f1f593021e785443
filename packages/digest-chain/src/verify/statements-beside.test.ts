import { REVISION, type TestChain } from '@multi-image/testing/chain';
import { ZERO } from '@multi-image/testing/image';
import { pushChain } from '@multi-image/testing/pushed-chain';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DigestChainError, type ErrorCode } from '../errors.ts';
import { link } from '../link.ts';
import { EMPTY_MEDIA_TYPE, OCI_MANIFEST } from '../media-types.ts';
import { parseDigestReference, parseReference, parseTagReference } from '../reference.ts';
import { createRegistry } from '../registry/client.ts';
import type { Registry } from '../registry/registry.ts';
import { type SealResult, seal } from '../seal.ts';
import { ARTIFACT_TYPE } from '../statement/artifact.ts';
import { formatStatement } from '../statement/statement.ts';
import { type Verification, verify } from '../verify.ts';

let server: TestRegistry;
const registry = createRegistry();

beforeAll(async () => {
  server = await startTestRegistry();
});
afterAll(() => server.stop());

/** Attaches something with this artifactType, or with none, as cosign does with its signatures. */
async function attach(image: string, digest: string, artifactType: string | undefined, text: string): Promise<void> {
  const place = parseReference(image);
  const { bytes, mediaType } = await registry.getManifest(place, digest);
  const [config, layer] = await Promise.all(['{}', text].map((blob) => registry.putBlob(place, Buffer.from(blob))));
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    ...(artifactType === undefined ? {} : { artifactType }),
    config: { mediaType: EMPTY_MEDIA_TYPE, ...config },
    layers: [{ mediaType: 'application/vnd.in-toto+json', ...layer }],
    subject: { mediaType, digest, size: bytes.length },
  };
  await registry.putReferrer(place, { bytes: Buffer.from(JSON.stringify(manifest)), mediaType: OCI_MANIFEST });
}

const sealChain = ({ image1, image2, origin, metadata }: TestChain): Promise<SealResult> =>
  seal(
    registry,
    parseDigestReference(`${image1}@${origin}`),
    [{ role: 'metadata', image: parseDigestReference(`${image2}:${REVISION}@${metadata}`) }],
    { tag: parseTagReference(`${image1}:${REVISION}`), statement: false },
  );

const statementCheck = (proof: Verification) => proof.checks.find(({ id }) => id === 'chain-statement');

describe('a chain by labels needs no statement', () => {
  it.each([
    ['a signature of cosign', undefined, 'none is attached; the labels are the link'],
    ['a malformed statement', ARTIFACT_TYPE, /^none that is attached can be read \(.*; the labels are the link$/],
  ])('and holds beside %s', async (_, type, reason) => {
    const chain = await pushChain(server.host, `beside-${type?.length ?? 0}`);
    const { digest } = await sealChain(chain);
    await attach(chain.image1, digest, type, '{}');
    const proof = await verify(registry, parseReference(`${chain.image1}:${REVISION}`));
    expect(proof.level).toBe('linked');
    expect(statementCheck(proof)).toMatchObject({ status: 'skipped', evidence: expect.stringMatching(reason) });
  });

  it.each<ErrorCode>(['REGISTRY_ERROR', 'UNAUTHORIZED', 'RESPONSE_INVALID', 'TOO_LARGE'])(
    'and holds where the registry answers the question for one with %s',
    async (code) => {
      const chain = await pushChain(server.host, `faulty-${code.toLowerCase()}`);
      await sealChain(chain);
      const faulty: Registry = {
        ...registry,
        listReferrers: () => Promise.reject(new DigestChainError(code, 'no referrers')),
      };
      const proof = await verify(faulty, parseReference(`${chain.image1}:${REVISION}`));
      expect(proof.level).toBe('linked');
      expect(statementCheck(proof)).toMatchObject({
        status: 'skipped',
        evidence: `none could be looked for (${code}: no referrers); the labels are the link`,
      });
    },
  );
});

describe('a statement that the caller gives beside labels', () => {
  const given = async (name: string, statementFor: (chain: TestChain, sealed: SealResult) => Uint8Array) => {
    const chain = await pushChain(server.host, name);
    const statement = statementFor(chain, await sealChain(chain));
    return verify(registry, parseReference(`${chain.image1}:${REVISION}`), { statement });
  };
  const about = ({ image1, image2, metadata }: TestChain, { digest, origin }: SealResult, linked = metadata) =>
    formatStatement({
      images: [
        { role: 'primary', url: `${image1}:${REVISION}`, digest, origin },
        { role: 'metadata', url: `${image2}:${REVISION}`, digest: linked },
      ],
      embeds: [{ image: 'metadata', embedded: 'primary' }],
    });

  it('is compared with them', async () => {
    const proof = await given('given', (chain, sealed) => about(chain, sealed));
    expect(statementCheck(proof)).toMatchObject({ status: 'passed' });
  });

  it('fails the proof where it says something else', async () => {
    const proof = await given('given-other', (chain, sealed) => about(chain, sealed, ZERO));
    expect(proof.level).toBe('none');
    expect(statementCheck(proof)).toMatchObject({ status: 'failed', found: expect.stringContaining('metadata') });
  });

  it.each<[ErrorCode, Uint8Array]>([
    ['JSON_INVALID', Buffer.alloc(0)],
    ['STATEMENT_INVALID', Buffer.from('{}')],
  ])('ends it with %s where it is none', async (code, statement) => {
    await expect(given(`given-${code.toLowerCase()}`, () => statement)).rejects.toMatchObject({ code });
  });
});

describe('a chain by statement', () => {
  const linkChain = ({ image1, image2, origin, metadata }: TestChain): ReturnType<typeof link> =>
    link(
      registry,
      parseDigestReference(`${image1}@${origin}`),
      [{ role: 'metadata', image: parseDigestReference(`${image2}:${REVISION}@${metadata}`) }],
      { tag: parseTagReference(`${image1}:${REVISION}`) },
    );

  it('is not taken from the first statements where there are more than are read', async () => {
    const chain = await pushChain(server.host, 'crowd');
    // Of somebody else, and it holds: its image really embeds Image 1.
    await linkChain(await pushChain(server.host, 'crowd', { labels: { other: '1' } }));
    for (let junk = 0; junk < 7; junk++) await attach(chain.image1, chain.origin, ARTIFACT_TYPE, `{"junk":${junk}}`);
    const start = parseReference(`${chain.image1}@${chain.origin}`);
    expect((await verify(registry, start)).level).toBe('linked');
    await linkChain(chain);
    const proof = await verify(registry, start);
    expect(proof.level).toBe('none');
    expect(statementCheck(proof)).toMatchObject({ status: 'failed', found: '1 were read, 1 more were not' });
  });

  it('holds beside signatures of cosign, however many', async () => {
    const chain = await pushChain(server.host, 'signed');
    await linkChain(chain);
    for (let times = 0; times < 10; times++) await attach(chain.image1, chain.origin, undefined, `{"n":${times}}`);
    expect((await verify(registry, parseReference(`${chain.image1}@${chain.origin}`))).level).toBe('linked');
  });

  it('holds where an image of it is the start of a further chain', async () => {
    const chain = await pushChain(server.host, 'operator');
    const catalog = await pushChain(server.host, 'catalog', { embedded: chain.metadata });
    const bundle = await seal(
      registry,
      parseDigestReference(`${chain.image2}@${chain.metadata}`),
      [{ role: 'catalog', image: parseDigestReference(`${catalog.image2}:${REVISION}@${catalog.metadata}`) }],
      // Not by a tag: the test's catalog says that it was built with a copy.
    );
    await seal(
      registry,
      parseDigestReference(`${chain.image1}@${chain.origin}`),
      [{ role: 'metadata', image: parseDigestReference(`${chain.image2}@${bundle.digest}`) }],
      { tag: parseTagReference(`${chain.image1}:${REVISION}`) },
    );
    for (const start of [`${chain.image1}:${REVISION}`, `${chain.image1}@${chain.origin}`]) {
      expect((await verify(registry, parseReference(start))).level, start).toBe('linked');
    }
  });
});

it('a list of statements that are not there takes no request for each of them', async () => {
  const chain = await pushChain(server.host, 'dangling-statements');
  await sealChain(chain);
  const listed = Array.from({ length: 1000 }, (_, at) => ({
    mediaType: OCI_MANIFEST,
    digest: `sha256:${`${at}`.padStart(64, '0')}` as const,
    size: 7,
    artifactType: ARTIFACT_TYPE,
  }));
  let asked = 0;
  const dangling: Registry = {
    ...registry,
    listReferrers: async () => listed,
    getManifest(repository, reference, call) {
      asked++;
      return registry.getManifest(repository, reference, call);
    },
  };
  const proof = await verify(dangling, parseReference(`${chain.image1}:${REVISION}`));
  expect(proof.level).toBe('linked');
  expect(statementCheck(proof)?.status).toBe('skipped');
  expect(asked).toBeLessThan(40);
});
