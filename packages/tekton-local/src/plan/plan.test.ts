import { readFileSync } from 'node:fs';
import { makeCheckout, pipelineRun, scriptTask } from '@multi-image/testing/checkout';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import type { TektonLocalError } from '../errors.ts';
import { planRun } from '../plan-run.ts';
import { planOf, problemsOf } from '../testing/plan.ts';

/** Pipelines that are refused, each below what it has and what is said of it. */
const REFUSED = readFileSync(new URL('../../testdata/refused.yaml', import.meta.url), 'utf8')
  .split('---\n')
  .map((text): [what: string, problem: string, pipelineSpec: object] => {
    const [what = '', problem = ''] = text.split('\n').map((line) => line.replace('# ', ''));
    return [what, problem, parse(text)];
  });

const ok = scriptTask('ok', 'true');

describe('refuses before the run, by name and path', () => {
  it.each(REFUSED)('%s', (_what, problem, pipelineSpec) => {
    expect(problemsOf(() => planOf(pipelineRun(pipelineSpec)))).toEqual([problem]);
  });

  it('a run that needs the git credential, with what gives it one', () => {
    const workspaces = [{ name: 'git-auth', secret: { secretName: 'auth' } }];
    const needing = (optional: boolean) =>
      pipelineRun({ tasks: [ok], workspaces: [{ name: 'git-auth', optional }] }, { workspaces });
    expect(problemsOf(() => planOf(needing(false)))).toEqual([
      expect.stringMatching(/^spec\.workspaces\[0\]: .* --workspace git-auth=FOLDER$/),
    ]);
    expect(problemsOf(() => planOf(needing(true)))).toEqual([]);
  });

  it('a TaskRun with two of the claims that folders are given for', async () => {
    const workspaces = ['a', 'b'].map((name) => ({ name, persistentVolumeClaim: { claimName: `claim-${name}` } }));
    const taskSpec = { workspaces: [{ name: 'a' }, { name: 'b' }], steps: [{ image: 'image', script: 'true' }] };
    const run = {
      apiVersion: 'tekton.dev/v1',
      kind: 'TaskRun',
      metadata: { name: 'r' },
      spec: { workspaces, taskSpec },
    };
    const { root, remove } = makeCheckout({ 'run.yaml': JSON.stringify(run) });
    onTestFinished(remove);
    const refused = planRun({ root, file: 'run.yaml', claims: { 'claim-a': root, 'claim-b': root } });
    await expect(refused).rejects.toMatchObject({
      problems: [
        {
          code: 'INVALID',
          path: 'spec.workspaces',
          message: 'has more than one volume claim, which Tekton refuses as it is installed: claim-a, claim-b',
        },
      ],
    });
    await expect(
      planRun({ root, file: 'run.yaml', claims: { 'claim-a': root }, workspaces: { b: root } }),
    ).resolves.toBeDefined();
  });

  it('tells all problems at once, with their lines', () => {
    const files = pipelineRun({
      tasks: [scriptTask('a', '', { spec: { sidecars: [{ name: 's', image: 'i', lifecycle: {} }], x: 1 } })],
    });
    const lines = (files['run.yaml'] ?? '').split('\n');
    const place = (key: string): [string, number, number] => {
      const line = lines.findIndex((text) => text.includes(key));
      return ['run.yaml', line + 1, (lines[line]?.indexOf(key) ?? 0) + 1];
    };
    try {
      planOf(files);
      expect.unreachable();
    } catch (error) {
      const { problems, code } = error as TektonLocalError;
      expect(code).toBe('INVALID');
      expect(problems.map(({ file, line, column }) => [file, line, column])).toEqual([
        place('"lifecycle"'),
        place('"x"'),
      ]);
    }
  });

  it('overrides that the pipeline does not declare', () => {
    const files = pipelineRun({ params: [{ name: 'p', default: 'x' }], tasks: [ok] });
    expect(() => planOf(files, { params: { q: 'x' } })).toThrow(expect.objectContaining({ code: 'USAGE' }));
    expect(() => planOf(files, { params: { p: ['x'] } })).toThrow(expect.objectContaining({ code: 'USAGE' }));
    expect(planOf(files, { params: { p: 'y' } }).params).toEqual({ p: 'y' });
  });

  it.each([
    [
      'aliases that explode',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
        .split('')
        .map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[index]}`).join()}]`)
        .join('\n')}`,
    ],
    ['no YAML', 'kind: [PipelineRun'],
  ])('%s', (_name, text) => {
    expect(() => planOf({ 'run.yaml': text })).toThrow(expect.objectContaining({ code: 'YAML_INVALID' }));
  });
});
