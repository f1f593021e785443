import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TektonLocalError } from '../errors.ts';
import { type Comparison, compare, planOf } from '../testing/compare.ts';
import { Judge, judgeProgram, tektonModule } from '../testing/judge.ts';
import { mutationBases } from '../testing/mutation-bases.ts';
import { type Mutation, mutation } from '../testing/mutations.ts';

// Whether tekton-local reads Tekton as Tekton does: as its webhook takes or refuses, and as its controllers replace.

const FOLDER = new URL('../../testdata/tekton/', import.meta.url).pathname;
/** Each says in its first line whether Tekton takes it, or what is said of it where it does not. */
const cases = readdirSync(FOLDER)
  .sort()
  .map((file) => {
    const text = readFileSync(join(FOLDER, file), 'utf8');
    const [, word = '', problem = ''] = /^# (taken|refused) ?(.*)/.exec(text) ?? [];
    return { file, text, word, problem };
  });

describe('a file', () => {
  it.each(cases.map((each) => [each.file, each] as const))('%s', (_file, { text, word, problem }) => {
    let said: string[] = [];
    try {
      planOf(text);
    } catch (error) {
      if (!(error instanceof TektonLocalError)) throw error;
      const { code, message, problems } = error;
      const all = problems.length === 0 ? [{ code, message, path: '' }] : problems;
      said = all.map((problem) => `${problem.code} ${problem.path}: ${problem.message}`);
    }
    if (word === 'taken') expect(said).toEqual([]);
    else expect(said).toContain(`INVALID ${problem}`);
  });
});

const program = judgeProgram();
const isSlow = process.env.SLOW === '1';

describe.skipIf(program === undefined)("with Tekton's own code as the judge (pnpm judge builds it, with Go)", () => {
  let judge: Judge;
  let tekton: string;
  beforeAll(() => {
    tekton = tektonModule();
    judge = new Judge(program ?? '', tekton);
  });
  afterAll(() => judge.stop());

  it.each(cases.map((each) => [each.file, each] as const))('%s', async (_file, { text, word }) => {
    const { verdict, taken, why } = await compare(judge, text);
    expect({ verdict, taken, why: verdict === 'same' ? [] : why }).toEqual({
      verdict: 'same',
      taken: word === 'taken',
      why: [],
    });
  });

  it('every example of Tekton for v1', { timeout: 120_000 }, async () => {
    const folder = join(tekton, 'examples/v1');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml'));
    expect(files.length).toBeGreaterThan(100);
    const different: string[] = [];
    for (const file of files.sort()) {
      const { verdict, why } = await compare(judge, readFileSync(join(folder, file), 'utf8'));
      if (verdict === 'different') different.push(`${file}: ${why.join('; ')}`);
    }
    expect(different).toEqual([]);
  });

  it('what mutations start from', async () => {
    for (const documents of mutationBases) {
      const text = documents.map((document) => JSON.stringify(document)).join('\n---\n');
      const { verdict, taken, why } = await compare(judge, text);
      expect({ verdict, taken, why }).toEqual({ verdict: 'same', taken: true, why: [] });
    }
  });

  // In the normal run the same files each time; what a slow run finds becomes a case of its own.
  const runs = isSlow ? 5000 : 200;
  it(`${runs} mutations`, { timeout: 1_200_000 }, async () => {
    const seed = isSlow ? Math.trunc(Math.random() * 2 ** 31) : 1;
    const found: (Mutation & { comparison: Comparison })[] = [];
    for (const { text, how } of fc.sample(mutation, { numRuns: runs, seed })) {
      const comparison = await compare(judge, text, how);
      if (comparison.verdict === 'different') found.push({ text, how, comparison });
    }
    expect(found.slice(0, 3), `seed ${seed}`).toEqual([]);
  });
});
