import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { makeCheckout, pipelineRun } from '@multi-image/testing/checkout';
import { describe, expect, it, onTestFinished } from 'vitest';
import { matchesGlob } from '../pac/glob.ts';
import { planRun } from '../plan-run.ts';
import { makePlan } from './plan.ts';
import { resolveRun } from './resolve.ts';
import { yamlFilesBelow } from './yaml-file.ts';

/** Reads each file as a stranger's; answers what became of it. */
function outcomeOf(text: string): string {
  try {
    const root = new Map([['run.yaml', text]]);
    makePlan(
      resolveRun({ root, file: 'run.yaml', variables: {}, lookup: () => undefined, authSecret: '', tasks: {} }),
      {},
    );
    return 'planned';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

const times = (text: string, length = 300_000): string => text.repeat(Math.ceil(length / text.length));

/** What took a time that grows with the square of the text, or worse: minutes for each of these. */
const REPEATED = {
  'names with dots': `$(${'a.'.repeat(40)}!`,
  braces: times('{{'),
  'braces and words': times('{{ x'),
  'an expression': times('{{ body.'),
  params: times('$(params.'),
  'params in brackets': times('$(params["'),
  contexts: times('$(context.taskRun.'),
  artifacts: times('$(steps.a.outputs.'),
  'results of steps': times('$(steps.a.results.'),
  digits: times('9'),
};

// Each is done in a fraction of this; a test that takes longer fails.
const SOON = 15_000;

describe('the file of a stranger takes no longer than its length', () => {
  it.each(Object.entries(REPEATED))(
    '%s',
    (_what, text) => {
      const short = text.slice(0, 100_000);
      const step = { name: 's', image: 'image' };
      const taskOf = (own: object, more: object = {}): object => ({
        name: 'a',
        ...more,
        taskSpec: { steps: [{ ...step, ...own }] },
      });
      const all = { script: short, env: [{ name: 'E', value: short }], workingDir: short };
      const { 'run.yaml': valid = '' } = pipelineRun({ tasks: [taskOf({ script: text })] });
      const { 'run.yaml': odd = '' } = pipelineRun(
        {
          results: [{ name: 'r', value: short }],
          tasks: [
            taskOf(all, {
              params: [{ name: 'p', value: short }],
              when: [{ input: short, operator: 'in', values: [short] }],
            }),
            {
              name: 'b',
              timeout: short,
              taskSpec: {
                results: [{ name: 'r', value: short }],
                steps: [{ ...step, computeResources: { limits: { cpu: short } } }],
              },
            },
            { name: 'c', taskRef: { name: short } },
            {
              name: 'd',
              taskRef: { resolver: 'http', params: [{ name: 'url', value: `${short.replaceAll('$', '?')}\n` }] },
            },
          ],
        },
        { timeouts: { pipeline: short } },
      );
      expect(outcomeOf(valid)).toMatch(/planned|INVALID/);
      expect(outcomeOf(odd)).toBe('INVALID');
    },
    SOON,
  );

  it.each([
    ['fields that nobody knows', Array.from({ length: 40_000 }, (_, index) => `k${index}: 1`).join('\n'), 'INVALID'],
    [
      'aliases',
      [...Array(8_000).keys()].map((index) => `k${index}: &a${index} x\nl${index}: *a${index}`).join('\n'),
      'INVALID',
    ],
    ['lists in each other', `a: ${'['.repeat(5000)}${']'.repeat(5000)}`, 'YAML_INVALID'],
    ['objects in each other', `a: ${'{"a": '.repeat(600)}1${'}'.repeat(600)}`, 'YAML_INVALID'],
    ['an anchor in itself', 'a: &a\n  b: *a', 'YAML_INVALID'],
  ])('%s', (_what, text, code) => expect(outcomeOf(`kind: PipelineRun\n${text}\n`)).toBe(code), SOON);

  it.each(['[', '[[]', '{', '{a,', '\\\\'])(
    'a pattern of an annotation: %s',
    (part) => {
      const matches = (): boolean => matchesGlob(times(part, 50_000), 'path');
      if (part.startsWith('{') || part === '[') expect(matches).toThrow();
      else expect(matches()).toBe(false);
    },
    SOON,
  );

  it('variables that bring in more than an object may have', () => {
    const script = '$(params.p)'.repeat(10_000);
    const { 'run.yaml': text = '' } = pipelineRun(
      { params: [{ name: 'p' }], tasks: [{ name: 'a', taskSpec: { steps: [{ name: 's', image: 'i', script }] } }] },
      { params: [{ name: 'p', value: 'x'.repeat(300_000) }] },
    );
    expect(outcomeOf(text)).toBe('INVALID');
  });
});

describe('the checkout of a stranger', () => {
  const checkoutOf = (files: Record<string, string>): string => {
    const { root, remove } = makeCheckout(files);
    onTestFinished(remove);
    return root;
  };

  it('has links that lead round or out, and none of them is followed', () => {
    const root = checkoutOf({ '.tekton/run.yaml': '', 'ci/task.yaml': '' });
    for (const name of ['a', 'b', 'c']) symlinkSync('.', join(root, '.tekton', name));
    symlinkSync('/', join(root, '.tekton/root'));
    symlinkSync('itself', join(root, '.tekton/itself'));
    symlinkSync('../ci', join(root, '.tekton/ci'));
    expect(yamlFilesBelow(root, '.tekton')).toEqual(['.tekton/ci/task.yaml', '.tekton/run.yaml']);
  });

  it('has a pipe, which nobody waits for', async () => {
    const root = checkoutOf({});
    mkdirSync(join(root, '.tekton'));
    execFileSync('mkfifo', [join(root, '.tekton/run.yaml')]);
    await expect(planRun({ root, file: '.tekton/run.yaml' })).rejects.toMatchObject({ code: 'FILE_NOT_READABLE' });
  });
});
