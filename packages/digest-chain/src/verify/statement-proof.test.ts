import { REVISION, type TestChain } from '@multi-image/testing/chain';
import { ONES } from '@multi-image/testing/image';
import { pushChain } from '@multi-image/testing/pushed-chain';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Digest } from '../digest.ts';
import { extract } from '../extract.ts';
import { link } from '../link.ts';
import { OCI_MANIFEST } from '../media-types.ts';
import { parseDigestReference, parseReference, parseTagReference } from '../reference.ts';
import { createRegistry } from '../registry/client.ts';
import { type SealResult, seal } from '../seal.ts';
import { attachStatement } from '../statement/artifact.ts';
import type { Chain } from '../statement/chain.ts';
import { discoverStatements } from '../statement/discover.ts';
import { type Verification, verify } from '../verify.ts';

let server: TestRegistry;
const registry = createRegistry();

beforeAll(async () => {
  server = await startTestRegistry();
});
afterAll(async () => {
  await server.stop();
});

const build = (name: string, options: Parameters<typeof pushChain>[2] = {}): Promise<TestChain> =>
  pushChain(server.host, name, options);

const linkedOf = (chain: TestChain) => [
  { role: 'metadata', image: parseDigestReference(`${chain.image2}:${REVISION}@${chain.metadata}`) },
];

function sealChain(chain: TestChain, options: Parameters<typeof seal>[3] = {}): Promise<SealResult> {
  const origin = parseDigestReference(`${chain.image1}@${chain.origin}`);
  return seal(registry, origin, linkedOf(chain), { tag: parseTagReference(`${chain.image1}:${REVISION}`), ...options });
}

function linkChain(chain: TestChain): ReturnType<typeof link> {
  const image = parseDigestReference(`${chain.image1}@${chain.origin}`);
  return link(registry, image, linkedOf(chain), { tag: parseTagReference(`${chain.image1}:${REVISION}`) });
}

const verifyAt = (text: string): Promise<Verification> => verify(registry, parseReference(text));

const failures = (proof: Verification): string[] =>
  proof.checks.filter((check) => check.status === 'failed').map((check) => check.id);

async function statementsAt(image: string, digest: Digest): Promise<readonly Chain[]> {
  const { statements } = await discoverStatements(registry, parseReference(image), digest);
  return statements.map((statement) => statement.chain);
}

/** The chain as its statement tells it, with something changed. */
function chainOf(chain: TestChain, change: Partial<Chain> = {}): Chain {
  return {
    images: [
      { role: 'primary', url: `${chain.image1}:${REVISION}`, digest: chain.origin },
      { role: 'metadata', url: `${chain.image2}:${REVISION}`, digest: chain.metadata },
    ],
    embeds: [{ image: 'metadata', embedded: 'primary' }],
    ...change,
  };
}

async function attachTo(image: string, digest: Digest, chain: Chain): Promise<void> {
  const repository = parseReference(image);
  await attachStatement(registry, chain, [{ repository, manifest: await registry.getManifest(repository, digest) }]);
}

describe('seal', () => {
  it('attaches one statement to every image, sealed and not, and attaching again changes nothing', async () => {
    const chain = await build('attach');
    const { digest } = await sealChain(chain, { statement: { pipelineRun: 'app-on-push-1' } });
    const expected: Chain = {
      images: [
        { role: 'metadata', url: `${chain.image2}:${REVISION}`, digest: chain.metadata },
        { role: 'primary', url: `${chain.image1}:${REVISION}`, digest, origin: chain.origin },
      ],
      embeds: [{ image: 'metadata', embedded: 'primary' }],
      source: { commit: REVISION },
      pipelineRun: 'app-on-push-1',
    };
    const all = async (): Promise<unknown> => [
      await statementsAt(chain.image1, digest),
      await statementsAt(chain.image1, chain.origin),
      await statementsAt(chain.image2, chain.metadata),
    ];
    expect(await all()).toEqual([[expected], [expected], [expected]]);
    await sealChain(chain, { statement: { pipelineRun: 'app-on-push-1' } });
    expect(await all()).toEqual([[expected], [expected], [expected]]);
  });

  it('attaches none where it is told so', async () => {
    const chain = await build('none');
    const { digest } = await sealChain(chain, { statement: false });
    expect(await statementsAt(chain.image1, digest)).toEqual([]);
    const proof = await verifyAt(`${chain.image1}:${REVISION}`);
    expect(proof.level).toBe('linked');
    expect(proof.checks.find((check) => check.id === 'chain-statement')?.status).toBe('skipped');
  });
});

describe('verify of a sealed chain', () => {
  it('compares the statement with the labels, and starts from any image', async () => {
    const chain = await build('any');
    const { digest } = await sealChain(chain);
    for (const start of [
      `${chain.image1}:${REVISION}`,
      `${chain.image2}:${REVISION}`,
      `${chain.image1}@${chain.origin}`,
    ]) {
      const proof = await verifyAt(start);
      expect(proof.level, start).toBe('linked');
      expect(proof.checks.find((check) => check.id === 'chain-statement')?.status, start).toBe('passed');
      expect(proof.origin).toBe(start.startsWith(chain.image2) ? chain.metadata : chain.origin);
    }
    expect((await verifyAt(`${chain.image2}:${REVISION}`)).links).toEqual([
      { role: 'primary', url: `${chain.image1}:${REVISION}`, digest },
    ]);
  });

  it('holds by the labels, and says so, where every statement says something else: who hides it gains nothing', async () => {
    const chain = await build('disagree');
    const { digest } = await sealChain(chain, { statement: false });
    const [primary, metadata] = chainOf(chain).images;
    if (primary === undefined || metadata === undefined) throw new Error('no images');
    const sealed = { ...primary, digest, origin: chain.origin };
    await attachTo(chain.image1, digest, chainOf(chain, { images: [sealed, { ...metadata, digest: ONES }] }));
    const proof = await verifyAt(`${chain.image1}:${REVISION}`);
    expect(failures(proof)).toEqual([]);
    expect(proof.level).toBe('linked');
    expect(proof.checks.find((check) => check.id === 'chain-statement')).toMatchObject({
      status: 'skipped',
      evidence: expect.stringContaining('another metadata image'),
    });
    // One that agrees is enough: anyone who may push could attach the other.
    await sealChain(chain);
    const agreed = await verifyAt(`${chain.image1}:${REVISION}`);
    expect(agreed.level).toBe('linked');
    expect(agreed.checks.find((check) => check.id === 'chain-statement')?.status).toBe('passed');
  });
});

describe('link', () => {
  it.each(['oci', 'docker'] as const)(
    'leaves the image as it is, and is proved from either end (%s)',
    async (format) => {
      const chain = await build(`link-${format}`, { format });
      const result = await linkChain(chain);
      expect(result).toMatchObject({ digest: chain.origin, url: `${chain.image1}:${REVISION}` });
      expect((await registry.getManifest(parseReference(chain.image1), REVISION)).digest).toBe(chain.origin);
      for (const start of [`${chain.image1}:${REVISION}`, `${chain.image2}:${REVISION}`]) {
        const proof = await verifyAt(start);
        expect(proof.level).toBe('linked');
        expect(new Set(proof.checks.filter((check) => check.status === 'passed').map((check) => check.id))).toEqual(
          new Set([
            'link-present',
            'linked-image-exists',
            'embeds-origin',
            'origin-reconstructed',
            'same-revision',
            'chain-statement',
          ]),
        );
      }
      const image = parseReference(`${chain.image1}:${REVISION}`);
      expect(await extract(registry, image, { role: 'metadata', revision: REVISION })).toMatchObject({
        url: `${chain.image2}:${REVISION}`,
        digest: chain.metadata,
      });
    },
  );

  it('refuses what does not embed the image, and writes neither statement nor tag', async () => {
    const chain = await build('link-other', { embedded: ONES });
    await expect(linkChain(chain)).rejects.toMatchObject({ code: 'LINK_MISMATCH' });
    expect(await statementsAt(chain.image1, chain.origin)).toEqual([]);
    await expect(registry.getManifest(parseReference(chain.image1), REVISION)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});

describe('a statement that anyone could have attached', () => {
  it.each<[string, (chain: TestChain, other: TestChain) => Partial<Chain>, string]>([
    [
      'names an image that is not there',
      (chain) => ({
        images: chainOf(chain).images.map((image) => (image.role === 'metadata' ? { ...image, digest: ONES } : image)),
      }),
      'linked-image-exists',
    ],
    [
      'names an image that embeds another',
      (chain, other) => ({ images: [chainOf(chain).images[0] ?? never(), chainOf(other).images[1] ?? never()] }),
      'embeds-origin',
    ],
    ['turns the embedding round', () => ({ embeds: [{ image: 'primary', embedded: 'metadata' }] }), 'embeds-origin'],
    ['says no embedding', () => ({ embeds: [] }), 'link-present'],
    ['names another commit', () => ({ source: { commit: 'f'.repeat(40) } }), 'same-revision'],
    [
      'places an image elsewhere',
      (chain, other) => ({
        images: chainOf(chain).images.map((image) =>
          image.role === 'metadata' ? { ...image, url: other.image1 } : image,
        ),
      }),
      'linked-image-exists',
    ],
    [
      'says that the image was sealed',
      (chain) => ({
        images: chainOf(chain).images.map((image) => (image.role === 'metadata' ? { ...image, origin: ONES } : image)),
      }),
      'origin-reconstructed',
    ],
  ])('proves nothing where it %s', async (name, change, failed) => {
    const key = `${name.length}-${failed}`;
    const [chain, other] = [await build(`lie-${key}`), await build(`other-${key}`)];
    await attachTo(chain.image1, chain.origin, chainOf(chain, change(chain, other)));
    const start = `${chain.image1}@${chain.origin}`;
    const proof = await verifyAt(start);
    expect(proof.level).toBe('none');
    expect(failures(proof)).toEqual(expect.arrayContaining([failed, 'chain-statement']));
    // It is passed over where another one holds.
    await linkChain(chain);
    expect((await verifyAt(start)).level).toBe('linked');
  });

  it('proves nothing where it names another origin than the seal', async () => {
    const chain = await build('origin');
    const { digest } = await sealChain(chain, { statement: false });
    const [primary = never(), metadata = never()] = chainOf(chain).images;
    const images = [{ ...primary, digest, origin: ONES }, metadata];
    await attachTo(chain.image2, chain.metadata, chainOf(chain, { images }));
    const proof = await verifyAt(`${chain.image2}@${chain.metadata}`);
    expect(failures(proof)).toEqual(['embeds-origin', 'origin-reconstructed', 'chain-statement']);
    expect(
      proof.checks.find((check) => check.id === 'origin-reconstructed' && check.status === 'failed'),
    ).toMatchObject({
      expected: chain.origin,
      found: ONES,
    });
  });

  it('is not read where it is malformed, and said to be there', async () => {
    const chain = await build('malformed');
    const image = parseReference(chain.image1);
    await linkChain(chain);
    const [{ artifact } = never()] = (await discoverStatements(registry, image, chain.origin)).statements;
    const good = Buffer.from((await registry.getManifest(image, artifact)).bytes).toString();
    const statement = Buffer.from('{"_type":"x","_type":"y"}');
    const { digest, size } = await registry.putBlob(image, statement);
    const bytes = Buffer.from(
      good.replace(
        /"layers":\[\{"mediaType":"([^"]+)","digest":"[^"]+","size":\d+/,
        `"layers":[{"mediaType":"$1","digest":"${digest}","size":${size}`,
      ),
    );
    await registry.putReferrer(image, { bytes, mediaType: OCI_MANIFEST });
    const { statements, rejected } = await discoverStatements(registry, image, chain.origin);
    expect(statements).toHaveLength(1);
    expect(rejected).toEqual([expect.stringContaining('JSON_DUPLICATE_KEY')]);
  });

  it('is refused where two that hold name different images', async () => {
    const chain = await build('two');
    await linkChain(chain);
    const again = await build('two', { labels: { again: '1' } });
    expect(again.origin).toBe(chain.origin);
    await linkChain(again);
    const proof = await verifyAt(`${chain.image1}@${chain.origin}`);
    expect(failures(proof)).toEqual(['chain-statement']);
    expect(proof.level).toBe('none');
    expect((await verifyAt(`${chain.image2}@${chain.metadata}`)).level).toBe('linked');
  });
});

function never(): never {
  throw new Error('not there');
}
