import { REVISION } from '@multi-image/testing/chain';
import { type EmbeddingImage as Built, pushEmbedding } from '@multi-image/testing/embedding-image';
import { ONES } from '@multi-image/testing/image';
import { type MemoryRegistry, memoryRegistry } from '@multi-image/testing/memory-registry';
import { beforeEach, describe, expect, it } from 'vitest';
import { extract } from './extract.ts';
import { link } from './link.ts';
import { parseDigestReference, parseReference, parseTagReference } from './reference.ts';
import { seal } from './seal.ts';
import type { Chain } from './statement/chain.ts';
import { discoverStatements } from './statement/discover.ts';
import { formatStatement } from './statement/statement.ts';
import { type Verification, verify } from './verify.ts';

let registry: MemoryRegistry;

const imageOf = (role: string): string => `registry.example/chain/${role}`;
const build = (role: string, embeds: readonly Built[] = [], tag?: string): Promise<Built> =>
  pushEmbedding(registry, imageOf(role), role, embeds, { tag });

const at = ({ image, digest }: Built) => parseDigestReference(`${image}:${REVISION}@${digest}`);
const linked = (...images: readonly Built[]) => images.map((image) => ({ role: image.role, image: at(image) }));
const tagOf = ({ image }: Built) => ({ tag: parseTagReference(`${image}:${REVISION}`) });

async function prove({ image, digest }: Built): Promise<Verification> {
  const proof = await verify(registry, parseReference(`${image}@${digest}`));
  expect(proof.checks.filter(({ status }) => status !== 'passed' && status !== 'skipped')).toEqual([]);
  return proof;
}

const rolesOf = ({ links }: Verification): readonly string[] => links.map(({ role }) => role).toSorted();

async function statementsAt({ image, digest }: Built): Promise<readonly string[][]> {
  const { statements } = await discoverStatements(registry, parseReference(image), digest);
  return statements.map(({ chain }) => chain.images.map(({ role }) => role));
}

beforeEach(() => {
  registry = memoryRegistry();
});

describe('link of an operator, its bundle and its catalog', () => {
  let images: readonly [Built, Built, Built];
  beforeEach(async () => {
    const operator = await build('operator');
    const bundle = await build('bundle', [operator]);
    images = [operator, bundle, await build('catalog', [bundle])];
  });

  it('names all three in one statement, from any of which the chain is proved, and changes none', async () => {
    const [operator, bundle, catalog] = images;
    const result = await link(registry, at(operator), linked(bundle, catalog), tagOf(operator));
    expect(result.digest).toBe(operator.digest);
    for (const image of images) {
      expect(await statementsAt(image)).toEqual([['bundle', 'catalog', 'operator']]);
      const proof = await prove(image);
      expect(proof.level).toBe('linked');
      expect(proof.origin).toBe(image.digest);
      expect(rolesOf(proof)).toEqual(['bundle', 'catalog', 'operator'].filter((role) => role !== image.role));
    }
    const found = await extract(registry, parseReference(`${operator.image}:${REVISION}`), { role: 'catalog' });
    expect(found.digest).toBe(catalog.digest);
  });

  it('refuses an image that is connected with the others by none that is given, before anything is written', async () => {
    const [operator, , catalog] = images;
    await expect(link(registry, at(operator), linked(catalog), tagOf(operator))).rejects.toMatchObject({
      code: 'LINK_MISMATCH',
      expected: expect.stringContaining(operator.digest),
    });
    const other = await build('other', [{ ...operator, digest: ONES, url: `${operator.image}@${ONES}` }]);
    const all = linked(images[1], catalog, other);
    await expect(link(registry, at(operator), all, tagOf(operator))).rejects.toMatchObject({ code: 'LINK_MISMATCH' });
    expect(await statementsAt(operator)).toEqual([]);
  });

  it('is proved by the statement itself, where the images were copied without what was attached to them', async () => {
    const [operator, bundle, catalog] = images;
    await link(registry, at(operator), linked(bundle, catalog), tagOf(operator));
    const { statements } = await discoverStatements(registry, parseReference(bundle.image), bundle.digest);
    const [{ chain } = { chain: undefined }] = statements;
    const statement = formatStatement(chain as Chain);
    const copy = memoryRegistry();
    for (const { image, digest } of images) {
      const { config } = JSON.parse(
        Buffer.from((await registry.getManifest(parseReference(image), digest)).bytes).toString(),
      );
      await copy.putBlob(parseReference(image), await registry.getBlob(parseReference(image), config));
      await copy.putManifest(
        parseReference(image),
        REVISION,
        await registry.getManifest(parseReference(image), digest),
      );
    }
    const start = parseReference(`${bundle.image}:${REVISION}`);
    expect((await verify(copy, start)).level).toBe('none');
    const proof = await verify(copy, start, { statement });
    expect(proof.level).toBe('linked');
    expect(rolesOf(proof)).toEqual(['catalog', 'operator']);
    const other = await build('other');
    await expect(verify(registry, at(other), { statement })).rejects.toMatchObject({ code: 'STATEMENT_INVALID' });
    await expect(verify(copy, start, { statement: Buffer.from('{}') })).rejects.toMatchObject({
      code: 'STATEMENT_INVALID',
    });
  });

  it('reads what images have of one that was sealed, not what its seal links to', async () => {
    const [operator, bundle, catalog] = images;
    const { digest } = await seal(registry, at(bundle), linked(catalog), tagOf(bundle));
    const sealed = { ...bundle, digest };
    await link(registry, at(operator), linked(sealed, catalog), tagOf(operator));
    for (const image of [operator, sealed, catalog]) expect((await prove(image)).level).toBe('linked');
    // The catalog has two statements: that of the seal, and the wider one, which says all that the other does.
    expect((await statementsAt(catalog)).map((roles) => roles.length).toSorted()).toEqual([2, 3]);
    expect(rolesOf(await prove(catalog))).toEqual(['bundle', 'operator']);
  });
});

it('links two images that one embeds, and a further one that embeds both', async () => {
  const operator = await build('operator');
  const agent = await build('agent');
  const bundle = await build('bundle', [operator, agent]);
  const catalog = await build('catalog', [bundle]);
  await link(registry, at(operator), linked(agent, bundle, catalog), tagOf(operator));
  for (const image of [operator, agent, bundle, catalog]) expect((await prove(image)).links).toHaveLength(3);
  const { statements } = await discoverStatements(registry, parseReference(agent.image), agent.digest);
  expect(statements[0]?.chain.embeds).toEqual([
    { image: 'bundle', embedded: 'agent' },
    { image: 'bundle', embedded: 'operator' },
    { image: 'catalog', embedded: 'bundle' },
  ]);
});

it('links thirty-two images, whose proof takes fewer than a hundred requests', async () => {
  const operands = await Promise.all(Array.from({ length: 29 }, (_, at) => build(`operand-${at}`)));
  const operator = await build('operator', operands);
  const bundle = await build('bundle', [operator, ...operands]);
  const catalog = await build('catalog', [bundle]);
  const [first = operator, ...others] = [...operands, operator, bundle, catalog];
  await link(registry, at(first), linked(...others), tagOf(first));
  for (const start of [first, operator, catalog]) {
    registry.asked.length = 0;
    const proof = await prove(start);
    expect(proof.level).toBe('linked');
    expect(proof.links).toHaveLength(31);
    expect(registry.asked.length).toBeLessThanOrEqual(100);
  }
});

it('starts from an image in the middle, which embeds one that was sealed', async () => {
  const operator = await build('operator');
  const bundle = await build('bundle', [operator]);
  const catalog = await build('catalog', [bundle]);
  const { digest } = await seal(registry, at(operator), linked(bundle), tagOf(operator));
  const sealed = { ...operator, digest };
  await link(registry, at(bundle), linked(sealed, catalog), tagOf(bundle));
  for (const image of [sealed, bundle, catalog]) expect((await prove(image)).level).toBe('linked');
  expect(rolesOf(await prove(bundle))).toEqual(['catalog', 'operator']);
});

it('refuses statements that contradict each other, though both hold', async () => {
  const operator = await build('operator');
  const bundle = await build('bundle', [operator]);
  const catalogs = [await build('catalog', [bundle]), await build('catalog', [bundle, operator], 'other')];
  for (const catalog of catalogs) await link(registry, at(operator), linked(bundle, catalog));
  const proof = await verify(registry, parseReference(`${bundle.image}@${bundle.digest}`));
  expect(proof.level).toBe('none');
  expect(proof.checks.find(({ id }) => id === 'chain-statement')).toMatchObject({
    status: 'failed',
    evidence: expect.stringContaining('name different images'),
  });
});
