import {
  createRegistry,
  type Digest,
  parseDigestReference,
  parsePlaces,
  parseReference,
  parseTagReference,
  seal,
} from '@multi-image/digest-chain';
import { REVISION, type TestChain } from '@multi-image/testing/chain';
import { pushChain } from '@multi-image/testing/pushed-chain';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Values } from '../../options.ts';
import { handChecksOf } from '../../report/by-hand.ts';
import { runVerifyCommand } from './command.ts';
import { verifyPublished } from './verify-published.ts';

const registry = createRegistry({ retries: 0 });
let released: TestRegistry;
let chain: TestChain & { sealed: Digest };

beforeAll(async () => {
  const built = await startTestRegistry();
  released = await startTestRegistry();
  const made = await pushChain(built.host, 'app');
  const linked = { role: 'metadata', image: parseDigestReference(`${made.image2}:${REVISION}@${made.metadata}`) };
  const tag = parseTagReference(`${made.image1}:${REVISION}`);
  const { digest } = await seal(registry, parseDigestReference(`${made.image1}@${made.origin}`), [linked], { tag });
  const moved = (text: string): string => text.replace(built.host, `${released.host}/mirror`);
  for (const image of [made.image1, made.image2]) await copy(`${image}:${REVISION}`, moved(`${image}:${REVISION}`));
  chain = { ...made, image1: moved(made.image1), image2: moved(made.image2), sealed: digest };
  // The place that all labels name is gone.
  await built.stop();
});
afterAll(() => released.stop());

async function copy(from: string, to: string): Promise<void> {
  const [source, target] = [parseReference(from), parseReference(to)];
  const manifest = await registry.getManifest(source, source.tag ?? '');
  const { config } = JSON.parse(Buffer.from(manifest.bytes).toString());
  await registry.putBlob(target, await registry.getBlob(source, config));
  await registry.putManifest(target, target.tag ?? '', manifest);
}

describe('a chain that was copied, and is gone where its labels name it', () => {
  test('is proved where it is now, and shown there', async () => {
    const at = parsePlaces('--at', [`metadata=${chain.image2}`]);
    const report = await verifyPublished({ reference: `${chain.image1}:${REVISION}`, registry, at });
    expect(report).toMatchObject({ status: 'passed', level: 'linked' });
    expect(report.images.map(({ role, repository }) => [role, repository])).toEqual([
      ['primary', chain.image1],
      ['metadata', chain.image2],
    ]);
    const commands = handChecksOf(report).flatMap(({ checks }) => checks.map(({ command }) => command));
    expect(commands).toContain(
      `npx --yes pnpm@12 e2e verify ${chain.image1}@${chain.sealed} --at metadata=${chain.image2}`,
    );
  });

  test('without its places, the error says how to give them', async () => {
    const proof = verifyPublished({ reference: `${chain.image1}:${REVISION}`, registry });
    await expect(proof).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      hint: expect.stringContaining('--at ROLE=REPOSITORY'),
    });
  });

  test('where the image itself can’t be reached, that is no help', async () => {
    const error = await verifyPublished({ reference: '127.0.0.1:1/x/y:z', registry }).catch((reason) => reason);
    expect(error.code).toBe('REGISTRY_UNREACHABLE');
    expect(String(error.hint)).not.toContain('--at');
  });
});

test.each([
  ['a place without a role', { at: ['a/b'] }],
  ['a revision that is no commit', { revision: 'main' }],
  ['what only a signature says, without a signer', { source: 'https://git.example/org/repo' }],
])('%s is refused before a registry is asked', async (_, values) => {
  const verified = runVerifyCommand('127.0.0.1:1/x/y:z', values as unknown as Values, new AbortController().signal);
  await expect(verified).rejects.toMatchObject({ code: 'USAGE' });
});
