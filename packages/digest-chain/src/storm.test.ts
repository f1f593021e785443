import { REVISION, type TestChain } from '@multi-image/testing/chain';
import { pushChain } from '@multi-image/testing/pushed-chain';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { mapConcurrently } from '../../kit/src/concurrent.ts';
import { DigestChainError } from './errors.ts';
import { parseDigestReference, parseReference, parseTagReference } from './reference.ts';
import { createRegistry } from './registry/client.ts';
import type { Registry } from './registry/registry.ts';
import { type SealResult, seal } from './seal.ts';
import { discoverStatements } from './statement/discover.ts';
import { PROFILE_LOGIN, PROFILES, type QuirkProxy, startQuirkProxy } from './testing/profiles.ts';
import { verify } from './verify.ts';

// Many seals at once, of which connections are cut at any byte, at models of products. All of it takes minutes, so without
// SLOW=1 it is a few seals at products that differ in where the statement is listed.

const ALL = process.env.SLOW === '1';
const [DIFFERENT, SAME] = ALL ? [100, 20] : [6, 4];
const SHARE_CUT = 0.05;
/** Of 100 seals at a registry that limits how often it is asked. */
const TIME = ALL ? 900_000 : 180_000;
const NAMES = ALL ? Object.keys(PROFILES) : ['Artifactory', 'Harbor', 'Quay'];

let real: TestRegistry;
let proxy: QuirkProxy;
beforeAll(async () => {
  real = await startTestRegistry();
  proxy = await startQuirkProxy(real.host);
});
afterAll(async () => {
  await proxy?.stop();
  await real?.stop();
});
beforeEach(() => {
  proxy.cuts = () => false;
  proxy.quirks = [];
});

function clientOf(): Registry {
  const credentials = async () => ({ type: 'basic', ...PROFILE_LOGIN }) as const;
  return createRegistry({ credentials, retryPause: 20 });
}

function sealed(chain: TestChain, tag: string, statement: { pipelineRun: string } | false): Promise<SealResult> {
  const image = parseDigestReference(`${chain.image2}:${REVISION}@${chain.metadata}`);
  return seal(clientOf(), parseDigestReference(`${chain.image1}@${chain.origin}`), [{ role: 'metadata', image }], {
    tag: parseTagReference(`${chain.image1}:${tag}`),
    statement,
  });
}

/** What came of all; what failed has to say why. */
async function settled(seals: readonly Promise<SealResult>[]): Promise<readonly (SealResult | DigestChainError)[]> {
  return Promise.all(
    seals.map((each) =>
      each.catch((error: unknown) => {
        if (error instanceof DigestChainError && error.code !== 'ABORTED') return error;
        throw error;
      }),
    ),
  );
}

describe.each(NAMES)('%s', (name) => {
  const rules = PROFILES[name]?.() ?? [];
  const statements = !rules.some(({ does }) => does.includes('to a manifest with a `subject`'));
  const begin = (): void => {
    proxy.quirks = rules.map(({ quirk }) => quirk);
    proxy.cuts = () => Math.random() < SHARE_CUT;
  };
  const calm = (): void => {
    proxy.cuts = () => false;
  };

  it(`publishes ${DIFFERENT} different images whole, or not at all`, { timeout: TIME }, async () => {
    const names = Array.from({ length: DIFFERENT }, (_, index) => `${name.replace(/\W+/g, '-').toLowerCase()}${index}`);
    const chains = await mapConcurrently(names, (each) => pushChain(proxy.host, each));
    begin();
    const seals = chains.map((chain, index) => sealed(chain, 'v1', statements && { pipelineRun: `run-${index}` }));
    const outcomes = await settled(seals);
    calm();
    const failed = outcomes.filter((outcome) => outcome instanceof DigestChainError);
    // One request in twenty is cut, and each is tried five times.
    expect(failed.length, failed.join('\n')).toBeLessThanOrEqual(DIFFERENT / 20);
    await mapConcurrently(chains, async (chain, index) => {
      const client = clientOf();
      const tag = parseReference(`${chain.image1}:v1`);
      const there = await client.headManifest(tag, 'v1');
      const outcome = outcomes[index];
      if (there === undefined) return void expect(outcome).toBeInstanceOf(DigestChainError);
      expect((await verify(client, tag)).level).toBe('linked');
      if (!statements) return;
      const { statements: found } = await discoverStatements(client, parseReference(chain.image2), chain.metadata);
      expect(found.map(({ chain: said }) => said.pipelineRun)).toContain(`run-${index}`);
    });
  });

  it(`loses nothing of ${SAME} seals of the same image into the same tag`, { timeout: TIME }, async () => {
    const chain = await pushChain(proxy.host, `${name.replace(/\W+/g, '-').toLowerCase()}-same`);
    begin();
    const runs = Array.from({ length: SAME }, (_, index) => `run-${index}`);
    const outcomes = await settled(runs.map((pipelineRun) => sealed(chain, 'v1', statements && { pipelineRun })));
    calm();
    const done = outcomes.flatMap((outcome) => (outcome instanceof DigestChainError ? [] : outcome));
    expect(done.length, outcomes.filter((each) => each instanceof DigestChainError).join('\n')).toBeGreaterThan(0);
    expect(new Set(done.map(({ digest }) => digest)).size).toBe(1);
    const client = clientOf();
    expect((await verify(client, parseReference(`${chain.image1}:v1`))).level).toBe('linked');
    if (!statements) return;
    const [sealedAs] = done;
    for (const [image, digest] of [
      [chain.image2, chain.metadata],
      [chain.image1, chain.origin],
      [chain.image1, sealedAs?.digest ?? chain.origin],
    ] as const) {
      const place = parseReference(image);
      const listed = await client.listReferrers(place, digest);
      const found = await Promise.all(
        listed.map(async (referrer) => {
          const { layers } = JSON.parse(
            Buffer.from((await client.getManifest(place, referrer.digest)).bytes).toString(),
          );
          return Buffer.from(await client.getBlob(place, layers[0])).toString();
        }),
      );
      const lost = runs.filter((run, index) => {
        return !(outcomes[index] instanceof DigestChainError) && !found.some((text) => text.includes(`"${run}"`));
      });
      expect(lost).toEqual([]);
    }
  });
});
