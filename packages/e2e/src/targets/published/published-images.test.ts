import {
  attachStatement,
  type Chain,
  createRegistry,
  type Digest,
  link,
  parseDigestReference,
  parseReference,
  parseTagReference,
  seal,
} from '@multi-image/digest-chain';
import { palette } from '@multi-image/kit/terminal';
import { REVISION, type TestChain } from '@multi-image/testing/chain';
import { configOf, imageOf } from '@multi-image/testing/image';
import { pushChain } from '@multi-image/testing/pushed-chain';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renderPage } from '../../report/html/page.ts';
import type { Report } from '../../report/report.ts';
import { renderReport } from '../../report/terminal.ts';
import { verifyPublished } from './verify-published.ts';

const registry = createRegistry();
let server: TestRegistry;

beforeAll(async () => {
  server = await startTestRegistry();
});
afterAll(() => server.stop());

const linkedOf = ({ image2, metadata }: TestChain) => ({
  role: 'metadata',
  image: parseDigestReference(`${image2}:${REVISION}@${metadata}`),
});

/** Attaches a statement to one image: the first that is attached is listed first. */
async function say(reference: string, digest: Digest, chain: Chain): Promise<void> {
  const repository = parseReference(reference);
  await attachStatement(registry, chain, [{ repository, manifest: await registry.getManifest(repository, digest) }]);
}

async function copy(digest: Digest, from: string, to: string): Promise<void> {
  const [source, target] = [parseReference(from), parseReference(to)];
  const manifest = await registry.getManifest(source, digest);
  await registry.putBlob(
    target,
    await registry.getBlob(source, JSON.parse(Buffer.from(manifest.bytes).toString()).config),
  );
  await registry.putManifest(target, target.tag ?? digest, manifest);
}

function shown(report: Report): string {
  return [...renderReport(report, palette(process.stderr)), renderPage(report)].join('\n');
}

const facts = ({ images }: Report) =>
  images.map(({ role, repository, revisionTag, embeds }) => [role, repository, revisionTag, embeds]);

/** With the labels of a seal; nothing is attached to it yet. */
async function sealed(name: string): Promise<TestChain & { sealed: Digest }> {
  const chain = await pushChain(server.host, name);
  const image = parseDigestReference(`${chain.image1}@${chain.origin}`);
  const tag = parseTagReference(`${chain.image1}:${REVISION}`);
  const { digest } = await seal(registry, image, [linkedOf(chain)], { tag, statement: false });
  return { ...chain, sealed: digest };
}

const truth = ({ image1, image2, origin, metadata, sealed }: TestChain & { sealed: Digest }): Chain => ({
  images: [
    { role: 'metadata', url: `${image2}:${REVISION}`, digest: metadata },
    { role: 'primary', url: `${image1}:${REVISION}`, digest: sealed, origin },
  ],
  embeds: [{ image: 'metadata', embedded: 'primary' }],
});

describe('whoever attaches a false statement first gives no image another name', () => {
  test('from an image with labels', async () => {
    const chain = await sealed('labels');
    const { image1, image2, origin, metadata } = chain;
    await say(image1, chain.sealed, {
      images: [
        { role: 'metadata', url: 'evil.example.com/attacker/image2:v666', digest: metadata },
        { role: 'attacker', url: `${image1}:${REVISION}`, digest: chain.sealed, origin },
      ],
      embeds: [{ image: 'attacker', embedded: 'metadata' }],
    });
    await say(image1, chain.sealed, truth(chain));
    const report = await verifyPublished({ reference: `${image1}:${REVISION}`, registry });
    expect(report.status).toBe('passed');
    expect(facts(report)).toEqual([
      ['primary', image1, REVISION, []],
      ['metadata', image2, REVISION, ['primary']],
    ]);
    expect(shown(report)).not.toMatch(/evil|attacker|v666/);
  });

  test('from the image that embeds it, though what it names is there', async () => {
    const chain = await sealed('embedder');
    const { image1, image2, metadata } = chain;
    const evil = `${server.host}/evil/image1`;
    await copy(chain.sealed, image1, `${evil}:v666`);
    const lie = truth(chain);
    await say(image2, metadata, {
      ...lie,
      images: lie.images.map((image) => (image.role === 'primary' ? { ...image, url: `${evil}:v666` } : image)),
    });
    await say(image2, metadata, truth(chain));
    const report = await verifyPublished({ reference: `${image2}:${REVISION}`, registry });
    expect(report.status).toBe('passed');
    expect(facts(report)).toEqual([
      ['primary', image1, REVISION, []],
      ['metadata', image2, REVISION, ['primary']],
    ]);
  });

  test('where a statement is the only link, what one alone says is not shown', async () => {
    const chain = await pushChain(server.host, 'alone');
    const { image1, image2, origin, metadata } = chain;
    const evil = `${server.host}/evil/image2`;
    await copy(metadata, image2, `${evil}:v666`);
    await say(image1, origin, {
      images: [
        { role: 'metadata', url: `${evil}:v666`, digest: metadata },
        { role: 'attacker', url: `${image1}:${REVISION}`, digest: origin },
      ],
      embeds: [{ image: 'metadata', embedded: 'attacker' }],
    });
    const tag = parseTagReference(`${image1}:${REVISION}`);
    await link(registry, parseDigestReference(`${image1}@${origin}`), [linkedOf(chain)], { tag });
    const report = await verifyPublished({ reference: `${image1}:${REVISION}`, registry });
    expect(report.status).toBe('passed');
    expect(facts(report)).toEqual([
      ['primary', image1, REVISION, []],
      ['metadata', '', null, ['primary']],
    ]);
    const text = renderReport(report, palette(process.stderr)).join('\n');
    expect(text).toContain('place unknown: statements disagree  (metadata)');
    expect(renderPage(report)).not.toContain('skopeo inspect');
  });
});

test('a chain by statement alone is shown as its one statement says', async () => {
  const chain = await pushChain(server.host, 'honest');
  const { image1, image2, origin } = chain;
  await link(registry, parseDigestReference(`${image1}@${origin}`), [linkedOf(chain)], {
    tag: parseTagReference(`${image1}:${REVISION}`),
  });
  const expected = [
    ['primary', image1, REVISION, []],
    ['metadata', image2, REVISION, ['primary']],
  ];
  for (const image of [image1, image2]) {
    const report = await verifyPublished({ reference: `${image}:${REVISION}`, registry });
    expect(facts(report)).toEqual(expected);
    expect(report.images.map(({ seal }) => seal)).toEqual(['referrer', 'none']);
  }
});

test('of three images, those in the middle are sealed and embed others', async () => {
  const push = async (role: string, embedded: Record<string, Digest>): Promise<Digest> => {
    const place = parseReference(`${server.host}/three/${role}:${REVISION}`);
    const entries = Object.entries(embedded).map(([name, digest]) => ({
      name,
      digest,
      url: `${server.host}/three/${name}@${digest}`,
    }));
    const Env = entries.flatMap(({ name, digest, url }) => [
      `${name.toUpperCase()}_DIGEST=${digest}`,
      `${name.toUpperCase()}_URL=${url}`,
    ]);
    const labels = entries.flatMap(({ name, digest, url }) => [
      [`io.konflux.poc.${name}-image.digest`, digest],
      [`io.konflux.poc.${name}-image.url`, url],
    ]);
    const Labels = { ...Object.fromEntries(labels), 'org.opencontainers.image.revision': REVISION };
    const config = configOf(JSON.stringify({ Env, Labels, role }));
    const { manifest } = imageOf(config);
    await registry.putBlob(place, config);
    await registry.putManifest(place, REVISION, manifest);
    return manifest.digest as Digest;
  };
  const sealWith = async (role: string, digest: Digest, others: Record<string, Digest>): Promise<Digest> => {
    const linked = Object.entries(others).map(([name, other]) => ({
      role: name,
      image: parseDigestReference(`${server.host}/three/${name}:${REVISION}@${other}`),
    }));
    const tag = parseTagReference(`${server.host}/three/${role}:${REVISION}`);
    const image = parseDigestReference(`${server.host}/three/${role}@${digest}`);
    return (await seal(registry, image, linked, { tag })).digest;
  };
  const operator = await push('operator', {});
  const bundle = await push('bundle', { operator });
  const catalog = await push('catalog', { operator, bundle });
  const sealedBundle = await sealWith('bundle', bundle, { catalog });
  const sealedOperator = await sealWith('operator', operator, { bundle: sealedBundle, catalog });
  const report = await verifyPublished({ reference: `${server.host}/three/operator:${REVISION}`, registry });
  expect(report.status).toBe('passed');
  expect(
    report.images.map(({ role, embeds, originDigest, sealedDigest }) => [role, embeds, originDigest, sealedDigest]),
  ).toEqual([
    ['operator', [], operator, sealedOperator],
    ['bundle', ['operator'], bundle, sealedBundle],
    ['catalog', ['operator', 'bundle'], catalog, null],
  ]);
});
