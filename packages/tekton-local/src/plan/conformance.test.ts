import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasBusybox } from '@multi-image/testing/busybox';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probeContainers } from '../containers/containers.ts';
import { TektonLocalError } from '../errors.ts';
import { type Comparison, compare, planOf } from '../testing/compare.ts';
import { rowsOfPage } from '../testing/conformance-page.ts';
import { Judge, judgeProgram, tektonModule } from '../testing/judge.ts';
import { differencesOf } from '../testing/judged-outcome.ts';
import { mutationBases } from '../testing/mutation-bases.ts';
import { type Mutation, mutation } from '../testing/mutations.ts';
import { makeStandInImages } from '../testing/stand-in-image.ts';
import { runExample, sayOf, tektonExamples } from '../testing/tekton-examples.ts';

// Whether tekton-local reads Tekton as Tekton does: as its webhook takes or refuses, and as its controllers replace.

const FOLDER = new URL('../../testdata/tekton/', import.meta.url).pathname;
/**
 * Each says in its first line whether Tekton takes it, and then how its TaskRuns end; or what is said of it where Tekton does
 * not, or takes it and it is a limit here.
 */
const cases = readdirSync(FOLDER)
  .sort()
  .map((file) => {
    const text = readFileSync(join(FOLDER, file), 'utf8');
    const [, word = '', problem = ''] = /^# (taken|refused|limit) ?(.*)/.exec(text) ?? [];
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
    else expect(said).toContain(`${word === 'limit' ? 'UNSUPPORTED' : 'INVALID'} ${problem}`);
  });
});

const STEP = { image: 'image', script: 'echo' };
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

  it.each(cases.map((each) => [each.file, each] as const))('%s', async (_file, { text, word, problem }) => {
    const how = problem.startsWith('{') ? (JSON.parse(problem) as Mutation['how']) : {};
    const { verdict, taken, why } = await compare(judge, text, how);
    const wanted = word === 'limit' ? 'limit' : 'same';
    expect({ verdict, taken, why: verdict === wanted ? [] : why }).toEqual({
      verdict: wanted,
      taken: word !== 'refused',
      why: [],
    });
  });

  it('a finally task for whose matrix there is no result, on which Tekton waits', async () => {
    const first = { name: 'first', taskSpec: { results: [{ name: 'list', type: 'array' }], steps: [STEP] } };
    const matrix = { params: [{ name: 'item', value: '$(tasks.first.results.list[*])' }] };
    const last = { name: 'last', matrix, taskSpec: { params: [{ name: 'item' }], steps: [STEP] } };
    const spec = { pipelineSpec: { tasks: [first], finally: [last] } };
    const run = { apiVersion: 'tekton.dev/v1', kind: 'PipelineRun', metadata: { name: 'run' }, spec };
    const { verdict, taken, why } = await compare(judge, JSON.stringify(run), { tasks: { first: { fails: true } } });
    expect({ verdict, taken, why }).toEqual({ verdict: 'same', taken: false, why: [] });
  });

  it("every example of Tekton's, as docs/tekton-conformance.md says", async () => {
    const examples = tektonExamples(tekton);
    expect(examples.length).toBeGreaterThan(150);
    const said: { name: string; said: string }[] = [];
    for (const example of examples) {
      const { words, comparison } = await sayOf(judge, example);
      if (comparison.verdict === 'different') expect.soft(comparison.why, example.name).toEqual([]);
      said.push({ name: example.name, said: words });
    }
    // pnpm --filter @multi-image/tekton-local conformance
    expect(rowsOfPage().map(({ name, said: words }) => ({ name, said: words }))).toEqual(said);
  });

  it.skipIf(!isSlow || !hasBusybox)('runs them as the page says', async () => {
    const { images, remove } = await makeStandInImages();
    try {
      const containers = await probeContainers();
      const examples = tektonExamples(tekton);
      const rows = rowsOfPage().filter(({ run }) => run === 'Succeeded');
      expect(rows.length).toBeGreaterThan(80);
      for (const { name } of rows) {
        const example = examples.find((each) => each.name === name);
        if (example === undefined) throw new Error(`Tekton has no example ${name}`);
        const { status, message, logs, outcome } = await runExample(example, images, containers);
        expect
          // Of tasks whose failure is ignored there is a message all the same.
          .soft({ name, status }, [message, ...logs.slice(-10)].join('\n'))
          .toEqual({ name, status: 'Succeeded' });
        // What the TaskRuns left here, Tekton's controllers make the same of.
        if (name.startsWith('pipelineruns/')) {
          expect
            .soft({ name, differences: await differencesOf(judge, example.text, outcome) })
            .toEqual({ name, differences: [] });
        }
      }
    } finally {
      remove();
    }
  });

  it('what mutations start from', async () => {
    for (const documents of mutationBases) {
      const text = documents.map((document) => JSON.stringify(document)).join('\n---\n');
      const { verdict, taken, why } = await compare(judge, text);
      expect({ verdict, taken, why }).toEqual({ verdict: 'same', taken: true, why: [] });
    }
  });

  // In the normal run the same files each time; what a slow run finds becomes a case of its own.
  const runs = isSlow ? 5000 : 100;
  it(`${runs} mutations`, async () => {
    const seed = isSlow ? Math.trunc(Math.random() * 2 ** 31) : 1;
    const found: (Mutation & { comparison: Comparison })[] = [];
    for (const { text, how } of fc.sample(mutation, { numRuns: runs, seed })) {
      const comparison = await compare(judge, text, how);
      if (comparison.verdict === 'different') found.push({ text, how, comparison });
    }
    expect(found.slice(0, 3), `seed ${seed}`).toEqual([]);
  });
});
