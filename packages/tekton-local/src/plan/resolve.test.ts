import { globSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pipelineRun } from '@multi-image/testing/checkout';
import { describe, expect, it } from 'vitest';
import { planOf, problemsOf } from '../testing/plan.ts';
import { makePlan, type Plan } from './plan.ts';
import { resolvePipelineRun, resolveRun } from './resolve.ts';

describe('as Pipelines as Code resolves', () => {
  const document = (kind: string, name: string, spec: object, annotations: object = {}): string =>
    JSON.stringify({ apiVersion: 'tekton.dev/v1', kind, metadata: { name, annotations }, spec });
  const task = (image: string): object => ({ steps: [{ name: 's', image }] });
  const images = ({ implementations }: Plan): string[] =>
    [...implementations.values()].flatMap((item) => item.task.steps.map((step) => step.image));
  const run = (annotations: object): string =>
    document('PipelineRun', 'r', { pipelineRef: { name: 'p' } }, annotations);
  const pipeline = (names: string[], annotations: object = {}): string =>
    document('Pipeline', 'p', { tasks: names.map((name) => ({ name, taskRef: { name } })) }, annotations);

  it('the annotations of the PipelineRun, of the Pipeline, then .tekton', () => {
    const found = planOf(
      {
        '.tekton/run.yaml': run({
          'pipelinesascode.tekton.dev/pipeline': 'ci/p.yaml',
          'pipelinesascode.tekton.dev/task': '[ci/a.yaml]',
        }),
        'ci/p.yaml': pipeline(['a', 'b', 'c'], { 'pipelinesascode.tekton.dev/task': '[ci/b.yaml, ci/other-a.yaml]' }),
        'ci/a.yaml': document('Task', 'a', task('image-a')),
        'ci/other-a.yaml': document('Task', 'a', task('not-this')),
        'ci/b.yaml': document('Task', 'b', task('image-b')),
        '.tekton/tasks/c.yaml': document('Task', 'c', task('image-c')),
        '.tekton/other.yaml': 'kind: PipelineRun\nmetadata: {name: "{{ unknown }}"}',
      },
      { file: '.tekton/run.yaml' },
    );
    expect(images(found)).toEqual(['image-a', 'image-b', 'image-c']);
  });

  it('inside the run, where params and workspaces of the Pipeline reach what does not declare them', () => {
    const says = { steps: [{ name: 's', image: 'i', args: ['$(params.p)', '$(context.task.name)'] }] };
    const files = {
      '.tekton/run.yaml': document('PipelineRun', 'r', {
        pipelineRef: { name: 'p' },
        params: [{ name: 'p', value: 'given' }],
      }),
      '.tekton/p.yaml': document('Pipeline', 'p', {
        params: [{ name: 'p' }],
        tasks: [{ name: 'a', taskRef: { name: 'a' } }],
      }),
      '.tekton/a.yaml': document('Task', 'a', says),
    };
    const found = planOf(files, { file: '.tekton/run.yaml' });
    expect(found.pipeline.tasks[0]?.reference.kind).toBe('embedded');
    // As it stands in a cluster without Pipelines as Code, the Task has to declare it.
    const outside = { ...files, 'run.yaml': files['.tekton/run.yaml'] };
    expect(problemsOf(() => planOf(outside))[0]).toContain('$(params.p) refers to nothing that is declared');
    // What is wrong is said where it stands.
    const broken = { ...files, '.tekton/a.yaml': document('Task', 'a', { steps: [{ name: 's', image: 5 }] }) };
    expect(() => planOf(broken, { file: '.tekton/run.yaml' })).toThrow(
      /^\.tekton\/a\.yaml:1:\d+: spec\.steps\[0\]\.image: /,
    );
  });

  it('without the fields that Tekton does not know, which a cluster would refuse elsewhere', () => {
    const surprising = { ...task('i'), surprise: 1 };
    const files = {
      '.tekton/run.yaml': document('PipelineRun', 'r', { pipelineRef: { name: 'p' }, extra: {} }),
      '.tekton/p.yaml': pipeline(['a']),
      '.tekton/a.yaml': document('Task', 'a', surprising),
    };
    const { notes } = planOf(files, { file: '.tekton/run.yaml' });
    expect(notes).toEqual([
      '.tekton/run.yaml:1: Tekton has no field spec.extra; Pipelines as Code drops it',
      '.tekton/a.yaml:1: Tekton has no field spec.surprise; Pipelines as Code drops it',
    ]);
    const outside = {
      'run.yaml': document('PipelineRun', 'r', { pipelineSpec: { tasks: [{ name: 'a', taskSpec: surprising }] } }),
    };
    expect(problemsOf(() => planOf(outside))[0]).toContain('surprise: Tekton knows no such field');
  });

  it('paths in a Pipeline from its own folder, or from the checkout where they are nowhere else', () => {
    const of = (path: string, there: string): Plan =>
      planOf(
        {
          '.tekton/run.yaml': run({ 'pipelinesascode.tekton.dev/pipeline': 'ci/p.yaml' }),
          'ci/p.yaml': pipeline(['a'], { 'pipelinesascode.tekton.dev/task-1': path }),
          [there]: document('Task', 'a', task('image-a')),
        },
        { file: '.tekton/run.yaml' },
      );
    expect(images(of('tasks/a.yaml', 'ci/tasks/a.yaml'))).toEqual(['image-a']);
    expect(images(of('tasks/a.yaml', 'tasks/a.yaml'))).toEqual(['image-a']);
  });

  describe('variables in .tekton only, which are text until they are YAML', () => {
    const of = (branch: string): ReturnType<typeof planOf> =>
      planOf(
        {
          '.tekton/run.yaml':
            "apiVersion: tekton.dev/v1\nkind: PipelineRun\nmetadata: {name: r}\nspec:\n  params:\n    - name: p\n      value: '{{ branch }}'\n" +
            '    - {name: q, value: "{{branch}}/{{ rev }}"}\n' +
            '  pipelineSpec:\n    params: [{name: p}, {name: q}]\n    tasks: [{name: a, taskRef: {name: a}}]\n',
          '.tekton/a.yaml': document('Task', 'a', task('{{ rev }}')),
        },
        { file: '.tekton/run.yaml', variables: { branch, rev: '1e3' } },
      );

    it('with the escapes of the quotes around them', () => {
      const found = of('x\\ty # {{ rev }}');
      expect(found.params).toEqual({ p: 'x\\ty # {{ rev }}', q: 'x\ty # {{ rev }}/1e3' });
      expect(images(found)).toEqual(['1e3']);
    });

    it('with what they do to the file, which a note tells', () => {
      const found = of('x", evil: "y');
      expect(found.params).toEqual({ p: 'x", evil: "y', q: 'x' });
      expect(found.notes.join()).toContain('.tekton/run.yaml: the values of {{ variables }} change what is in it');
    });

    it('and none that leave no YAML', () => {
      expect(() => of("it's")).toThrow('once {{ variables }} are replaced');
    });
  });

  it('what Pipelines as Code has no value for as it is, and says so where that is seldom meant', () => {
    const text = run({}).replace(
      '"spec":{',
      '"spec":{"params":[{"name":"p","value":"{{ pull_request_number }} {{ .x }}"}],',
    );
    const { run: read, notes } = planOf({
      'run.yaml': text,
      '.tekton/p.yaml': pipeline(['a']),
      '.tekton/a.yaml': document('Task', 'a', task('i')),
    });
    expect(read.params[0]?.value).toBe('{{ pull_request_number }} {{ .x }}');
    expect(notes).toContain('{{ pull_request_number }} has no value in this event and stays as it is, as in a cluster');
  });

  it('with what is wrong in files beside it; what this machine lacks is said of what the run refers to alone', () => {
    const files = (more: object, name = 'a'): Record<string, string> => ({
      'run.yaml': [
        document('PipelineRun', 'r', { pipelineSpec: { tasks: [{ name: 'one', taskRef: { name } }] } }),
        document('Task', 'a', task('image-a')),
        document('Task', 'b', { steps: [{ name: 's', image: 'b', ...more }] }),
        document('Task', 'c', { steps: [{ name: 's', image: 'c', ...more }] }),
      ].join('\n---\n'),
    });
    const privileged = { securityContext: { privileged: true } };
    expect(images(planOf(files(privileged)))).toEqual(['image-a']);
    expect(problemsOf(() => planOf(files(privileged, 'b')))).toEqual([
      'spec.steps[0].securityContext.privileged: no step runs with the rights of this machine',
    ]);
    // A cluster takes none of the file's documents that are wrong, and each is told.
    const wrong = 'spec.steps[0].surprise: Tekton knows no such field';
    expect(problemsOf(() => planOf(files({ surprise: 1 })))).toEqual([wrong, wrong]);
    expect(problemsOf(() => planOf(files({ surprise: 1 }, 'b')))).toEqual([wrong, wrong]);
  });

  it('no variable that nobody knows, no other host, nothing outside the folder', () => {
    const only = (annotation: string, extra: object = {}): Record<string, string> => ({
      'run.yaml': run({ 'pipelinesascode.tekton.dev/pipeline': annotation, ...extra }),
    });
    expect(problemsOf(() => planOf({ 'run.yaml': 'kind: "{{ revision }}"' }))).toEqual([
      ': {{ revision }} has no value',
    ]);
    const unquoted = pipelineRun({ tasks: [{ name: 'A', taskSpec: task('{{ revision }}') }] })['run.yaml'] ?? '';
    expect(problemsOf(() => planOf({ 'run.yaml': unquoted.replaceAll(/"(\{\{.*?\}\})"/g, '$1') }))).toEqual([
      expect.stringContaining('tasks[0].name: "A" is no name'),
      ': {{ revision }} has no value',
    ]);
    expect(problemsOf(() => planOf(only('https://example.com/p.yaml')))[0]).toContain('nothing is fetched');
    expect(problemsOf(() => planOf(only('some-hub-pipeline')))[0]).toContain('nothing is fetched');
    expect(() => planOf(only('../p.yaml'))).toThrow(expect.objectContaining({ code: 'FILE_NOT_READABLE' }));
    expect(() => planOf(only('/etc/passwd'))).toThrow(expect.objectContaining({ code: 'FILE_NOT_READABLE' }));
  });

  it('every PipelineRun of an example', () => {
    const root = fileURLToPath(new URL('../../../../', import.meta.url));
    const files = globSync('examples/{app-sidecar,operator-bundle-catalog}/.tekton/*.yaml', { cwd: root });
    expect(files.length).toBeGreaterThan(0);
    const variables = Object.fromEntries(
      ['revision', 'source_url', 'target_branch', 'pull_request_number', 'git_auth_secret'].map((name) => [
        name,
        'auth',
      ]),
    );
    const given = join(root, 'stand-ins');
    const names = readdirSync(given).filter((name) => name.endsWith('.yaml'));
    const tasks = Object.fromEntries(names.map((name) => [name.replace('.yaml', ''), { task: join(given, name) }]));
    for (const file of files) {
      const resolved = resolveRun({ root, file, variables, authSecret: 'auth', tasks });
      expect(makePlan(resolved, {}).dependencies.size).toBeGreaterThan(3);
    }
  });

  it('into one object, with tasks of bundles as references, and from texts as well', () => {
    const bundle = { resolver: 'bundles', params: [{ name: 'name', value: 'init' }] };
    const spec = {
      tasks: [
        { name: 'a', taskRef: { name: 'a' }, runAfter: ['b'] },
        { name: 'b', taskRef: bundle },
      ],
      finally: [{ name: 'c', taskRef: { name: 'a' } }],
    };
    const files = new Map([
      ['.tekton/run.yaml', document('PipelineRun', '{{ revision }}', { pipelineRef: { name: 'p' } })],
      ['.tekton/p.yaml', document('Pipeline', 'p', spec)],
      // What tekton-local could not run is no reason to refuse it here.
      ['.tekton/a.yaml', document('Task', 'a', { ...task('image-a'), sidecars: [] })],
    ]);
    const taskSpec = { ...task('image-a'), sidecars: [] };
    expect(resolvePipelineRun(files, '.tekton/run.yaml', { revision: 'c0ffee' })).toEqual({
      apiVersion: 'tekton.dev/v1',
      kind: 'PipelineRun',
      metadata: { name: 'c0ffee', annotations: {} },
      spec: {
        pipelineSpec: {
          tasks: [
            { name: 'a', taskSpec, runAfter: ['b'] },
            { name: 'b', taskRef: bundle },
          ],
          finally: [{ name: 'c', taskSpec }],
        },
      },
    });
    files.delete('.tekton/a.yaml');
    const missing = problemsOf(() => resolvePipelineRun(files, '.tekton/run.yaml', { revision: 'c0ffee' }));
    expect(missing[0]).toContain('there is no Task "a"');
    const unknown = problemsOf(() => resolvePipelineRun(files, '.tekton/run.yaml', {}));
    expect(unknown).toContain(': {{ revision }} has no value');
    expect(unknown).toContain(missing[0]);
    expect(() => resolvePipelineRun(files, '.tekton/other.yaml', {})).toThrow(
      expect.objectContaining({ code: 'FILE_NOT_READABLE' }),
    );
  });
});

it.each(['Task', 'task', 'ClusterTask', 'Other'])('a TaskRun may call its Task a %s, which has to be there', (kind) => {
  const of = (what: string, name: string, spec: object): string =>
    JSON.stringify({ apiVersion: 'tekton.dev/v1', kind: what, metadata: { name }, spec });
  const filesWith = (task: string): Record<string, string> => ({
    'run.yaml': of('TaskRun', 'r', { taskRef: { name: 'a', kind } }),
    '.tekton/task.yaml': of('Task', task, { steps: [{ image: 'i' }] }),
  });
  expect(problemsOf(() => planOf(filesWith('b')))).toEqual([
    expect.stringContaining('spec.taskRef: there is no Task "a"'),
  ]);
  expect(planOf(filesWith('a')).implementations.size).toBe(1);
});
