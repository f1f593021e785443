import { buildArgsOf, tasksOf } from '@multi-image/testing/attested-chain';
import { REVISION } from '@multi-image/testing/chain';
import { ONES } from '@multi-image/testing/image';
import { type MemoryChain, type MemoryChainOptions, memoryChain, signChain } from '@multi-image/testing/memory-chain';
import { memoryRegistry } from '@multi-image/testing/memory-registry';
import { gitMaterial, provenanceV02, SOURCE, type TestRun, type TestTask } from '@multi-image/testing/provenance';
import { createSigner } from '@multi-image/testing/signer';
import { describe, expect, it } from 'vitest';
import { referencesTo } from '../files/references.ts';
import { parseReference } from '../reference.ts';
import { verify } from '../verify.ts';
import { normalGitUrl } from './git-source.ts';

// Whoever can start a run, or push an image, can write much: a proof takes as long as that is, and no square of it. What is
// tried here took minutes each.

const signer = createSigner();
const MANY = 20_000;
const many = (each: (at: number) => string): string[] => Array.from({ length: MANY }, (_, at) => each(at));

interface Much {
  readonly images?: MemoryChainOptions;
  readonly run?: TestRun;
  readonly build2?: (chain: MemoryChain) => NonNullable<TestTask['params']>;
  readonly beside?: readonly TestTask[];
}

async function prove({ images, run, build2, beside = [] }: Much) {
  const registry = memoryRegistry();
  const chain = await memoryChain(registry, 'app', images);
  const tasks = tasksOf(chain, buildArgsOf(chain)).map((task) =>
    task.name === 'build-image-2' ? { ...task, params: { ...task.params, ...build2?.(chain) } } : task,
  );
  const statement = provenanceV02([chain.sealed, chain.metadata], [...tasks, ...beside], run);
  await signChain(registry, chain, signer, [{ image: chain.image2, digest: chain.metadata, statement }]);
  return verify(registry, parseReference(`${chain.image1}:${REVISION}`), { keys: signer.keys, source: SOURCE });
}

describe('a proof ends soon', () => {
  it.each<[string, 'attested' | 'none', Much]>([
    [
      'for a build with many arguments',
      'attested',
      { build2: (chain) => ({ BUILD_ARGS: [...buildArgsOf(chain), ...many((at) => `A${at}=x`)] }) },
    ],
    [
      'for a run of many sources',
      'none',
      { run: { materials: many((at) => `https://git.example/org/repo${at}`).map((url) => gitMaterial(url)) } },
    ],
    [
      'for a build that was given many files',
      'none',
      {
        build2: () => ({ X_ARTIFACT: many((at) => `oci:registry.example/x${at}`) }),
        beside: [{ name: 'giver', results: { X_ARTIFACT: many((at) => `oci:registry.example/x${at}`) } }],
      },
    ],
    [
      'for an image with many variables',
      'attested',
      {
        images: {
          env2: ({ origin, image1 }) => [
            `IMAGE1_DIGEST=${origin}`,
            `IMAGE1_URL=${image1}@${origin}`,
            ...many((at) => `A${at}_URL=quay.io/org/other@${ONES}`),
          ],
        },
      },
    ],
  ])('%s', { timeout: 20_000 }, async (_, level, much) => {
    expect((await prove(much)).level).toBe(level);
  });

  it('for an address of many slashes, and a file of many names in one line', { timeout: 10_000 }, () => {
    expect(normalGitUrl(`https://git.example/${'/'.repeat(500_000)}x`)).toMatch(/x$/);
    expect(referencesTo('quay.io/org/app', 'quay.io/org/app and '.repeat(100_000))).toEqual([]);
  });
});
