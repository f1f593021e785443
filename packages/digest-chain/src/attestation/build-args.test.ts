import {
  attest,
  buildArgsOf,
  type SealedChain,
  sealedChain,
  signBoth,
  tasksOf,
} from '@multi-image/testing/attested-chain';
import { REVISION } from '@multi-image/testing/chain';
import { ZERO } from '@multi-image/testing/image';
import {
  provenanceV1,
  provenanceV02,
  type TestTask,
  taskProvenanceV1,
  taskProvenanceV02,
} from '@multi-image/testing/provenance';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { createSigner } from '@multi-image/testing/signer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Check } from '../check.ts';
import { assertVerified } from '../extract.ts';
import { parseReference } from '../reference.ts';
import { createRegistry } from '../registry/client.ts';
import { type Verification, verify } from '../verify.ts';

let server: TestRegistry;
const registry = createRegistry();
const signer = createSigner();

beforeAll(async () => {
  server = await startTestRegistry();
});
afterAll(async () => {
  await server.stop();
});

/** A signed chain with these statements at Image 2, and what is proved of it. */
async function prove(
  name: string,
  statementsOf: (chain: SealedChain) => readonly object[],
  withOrigin = false,
): Promise<{
  chain: SealedChain;
  verification: Verification;
  level: string;
  check: Check | undefined;
  built: Check | undefined;
  provenance: string | undefined;
}> {
  const chain = await sealedChain(server.host, name.replaceAll(/[^a-z0-9]+/gi, '-').toLowerCase());
  await signBoth(chain, signer);
  await attest(chain.image2, chain.metadata, signer, ...statementsOf(chain));
  if (withOrigin) await attestOrigin(chain);
  const verification = await verify(registry, parseReference(`${chain.image1}:${REVISION}`), {
    keys: signer.keys,
  });
  const of = (id: Check['id']) => verification.checks.find((check) => check.id === id);
  return {
    chain,
    verification,
    level: verification.level,
    check: of('build-args'),
    built: verification.checks.find(({ id, role }) => id === 'built-by' && role === 'metadata'),
    provenance: of('provenance')?.status,
  };
}

type StatementOf = (chain: SealedChain) => object;

/** The run that built both images, whose provenance lists its tasks. */
const run: StatementOf = (chain) => provenanceV02([chain.sealed, chain.metadata], tasksOf(chain, buildArgsOf(chain)));

/** The same run, whose provenance lists no tasks. */
const plainRun: StatementOf = (chain) =>
  provenanceV1([chain.sealed, chain.origin, chain.metadata], tasksOf(chain, buildArgsOf(chain)), false);

/** A run that has both images and only passes on Image 2. */
const passesOn: StatementOf = (chain) => {
  const tasks = tasksOf(chain, []).filter((task) => task.name !== 'build-image-2');
  return provenanceV02([chain.sealed, chain.metadata], tasks);
};

/** A run that has both images, and of whose tasks none returned Image 2. */
const namesOnly: StatementOf = (chain) => {
  const tasks = tasksOf(chain, []).filter((task) => !task.name.endsWith('image-2'));
  return provenanceV02([chain.sealed, chain.metadata], tasks);
};

/** Another run, which built Image 2 alone. */
const otherRun: StatementOf = (chain) => {
  const task = { name: 'build-image-2', params: { BUILD_ARGS: buildArgsOf(chain) } };
  return provenanceV02([chain.metadata], [{ ...task, results: { IMAGE_DIGEST: chain.metadata } }]);
};

const build = (chain: SealedChain, buildArgs: readonly string[] = buildArgsOf(chain)): TestTask => ({
  name: 'build-image-2',
  params: { BUILD_ARGS: buildArgs },
});
const extract: TestTask = { name: 'extract-image-2', params: { IMAGE: 'x' } };

/** What Chains writes about one TaskRun of the run that returned Image 2. */
const taskV02 = (chain: SealedChain, task: TestTask): object => taskProvenanceV02([chain.metadata], task);
const taskV1 = (chain: SealedChain, task: TestTask): object => taskProvenanceV1([chain.metadata], task);

/** And about the one that returned the origin of Image 1: it is attached to that. */
const attestOrigin = (chain: SealedChain): Promise<void> =>
  attest(chain.image1, chain.origin, signer, taskProvenanceV02([chain.origin], { name: 'build-image-1' }));

const TASK_FORMATS = [
  ['SLSA v0.2', taskV02],
  ['SLSA v1', taskV1],
] as const;

describe('the build of Image 2', () => {
  it.each([
    ['another digest', (chain: SealedChain) => [`IMAGE1_DIGEST=${ZERO}`, `IMAGE1_URL=${chain.image1}`]],
    ['the digest only within a url', (chain: SealedChain) => [`IMAGE1_URL=${chain.image1}@${chain.origin}`]],
    ['the sealed digest', (chain: SealedChain) => [`IMAGE1_DIGEST=${chain.sealed}`]],
    ['the digest overridden', (chain: SealedChain) => [...buildArgsOf(chain), `IMAGE1_DIGEST=${ZERO}`]],
    ['nothing', () => []],
  ])('fails where it was called with %s', async (name, buildArgs) => {
    const { chain, level, check, provenance } = await prove(`args-${name}`, (chain) => [
      provenanceV02([chain.sealed, chain.metadata], tasksOf(chain, buildArgs(chain))),
    ]);
    expect(provenance).toBe('passed');
    expect(check).toMatchObject({
      status: 'failed',
      expected: `BUILD_ARGS of build-image-2 with one IMAGE1_DIGEST=${chain.origin}, and nothing that may contradict it`,
      found: buildArgs(chain).join(' ') || 'no BUILD_ARGS',
    });
    expect(level).toBe('none');
  });

  it('fails where it was called with another digest under the released name', async () => {
    const argsWith = (digest: string) => (chain: SealedChain) => [
      provenanceV02(
        [chain.sealed, chain.metadata],
        tasksOf(chain, [
          ...buildArgsOf(chain),
          `IMAGE1_RELEASED_URL=registry.example/released@${digest || chain.origin}`,
        ]),
      ),
    ];
    expect(await prove('released', argsWith(''))).toMatchObject({ level: 'attested' });
    expect(await prove('released-other', argsWith(ZERO))).toMatchObject({
      level: 'none',
      check: { status: 'failed', found: `IMAGE1_RELEASED_URL=registry.example/released@${ZERO}` },
    });
  });

  it.each([
    ['passes Image 2 on', passesOn, 'scan-image-2: passes it on'],
    ['returns it from no task', namesOnly, 'build-image-1'],
  ])('is not told by another run, where the one that has both images %s', async (name, first, found) => {
    const failed = {
      status: 'failed',
      expected: expect.stringContaining('a task with the result IMAGE_DIGEST'),
      found: expect.stringContaining(found),
    };
    const ofRun = await prove(`other-${name}`, (chain) => [first(chain), otherRun(chain)]);
    expect(ofRun).toMatchObject({ level: 'none', built: failed });
    for (const [format, task] of TASK_FORMATS) {
      const ofTask = await prove(`other-${name}-${format}`, (chain) => [first(chain), task(chain, build(chain))]);
      expect(ofTask, format).toMatchObject({ level: 'none', built: failed });
    }
  });

  it('is known beside runs that only pass Image 2 on', async () => {
    const proof = await prove('passed-on', (chain) => [passesOn(chain), run(chain), otherRun(chain)]);
    expect(proof).toMatchObject({ level: 'attested', check: { status: 'passed' } });
  });

  it('is known where one of two runs that have both images proves it: who hides the other one gains nothing', async () => {
    const { level } = await prove('contradiction', (chain) => [
      provenanceV02([chain.sealed, chain.metadata], tasksOf(chain, [`IMAGE1_DIGEST=${ZERO}`])),
      run(chain),
    ]);
    expect(level).toBe('attested');
  });
});

describe('a run whose provenance lists no tasks', () => {
  it.each([
    ['alone', () => []],
    ['beside another run that does', (chain: SealedChain) => [otherRun(chain)]],
  ])('leaves the build unknown: %s', async (name, others) => {
    const proof = await prove(`plain-${name}`, (chain) => [plainRun(chain), ...others(chain)]);
    // Nothing contradicts the links, and nothing is attested.
    expect(() => assertVerified(proof.verification, { keys: signer.keys })).toThrow(
      expect.objectContaining({ code: 'VERIFICATION_FAILED', message: expect.stringContaining('built-by') }),
    );
    assertVerified(proof.verification);
    expect(proof).toMatchObject({
      level: 'linked',
      check: { status: 'skipped', evidence: expect.stringContaining('https://tekton.dev/chains/v2/slsa)') },
    });
  });

  it.each(TASK_FORMATS)("is completed by the tasks' own, whoever else passes Image 2 on (%s)", async (name, task) => {
    const proveWith = (key: string, ...tasks: readonly ((chain: SealedChain) => TestTask)[]) =>
      prove(
        `task-${key}-${name}`,
        (chain) => [plainRun(chain), ...tasks.map((make) => task(chain, make(chain)))],
        true,
      );
    const alone = await proveWith('alone', build);
    expect(alone).toMatchObject({ level: 'attested', check: { status: 'passed' } });
    const beside = await proveWith('beside', () => extract, build);
    expect(beside).toMatchObject({ level: 'attested', check: { status: 'passed' } });
    const without = await proveWith('without', () => extract);
    expect(without).toMatchObject({ level: 'linked', check: { status: 'skipped', found: 'no BUILD_ARGS' } });
  });

  it('is not completed where nothing tells who built Image 1, or by a task that says that it is of another run', async () => {
    const one = await prove('task-no-origin', (chain) => [plainRun(chain), taskV02(chain, build(chain))]);
    expect(one.level).not.toBe('attested');
    const other = await prove(
      'task-other-run',
      (chain) => [plainRun(chain), taskProvenanceV02([chain.metadata], build(chain), { uid: 'another' })],
      true,
    );
    expect(other.level).not.toBe('attested');
  });

  it('is completed where one of two documents proves it: who hides the other one gains nothing', async () => {
    const { level } = await prove(
      'task-contradiction',
      (chain) => [
        plainRun(chain),
        taskV02(chain, build(chain)),
        taskV1(chain, build(chain, [`IMAGE1_DIGEST=${ZERO}`])),
      ],
      true,
    );
    expect(level).toBe('attested');
  });
});
