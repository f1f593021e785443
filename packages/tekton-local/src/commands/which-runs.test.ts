import { join } from 'node:path';
import { makeCheckout } from '@multi-image/testing/checkout';
import { expect, it, onTestFinished } from 'vitest';
import { whichRuns } from './which-runs.ts';

const run = (name: string, annotations: object = {}, params: unknown[] = []): string =>
  JSON.stringify({
    apiVersion: 'tekton.dev/v1',
    kind: 'PipelineRun',
    metadata: { name, annotations },
    spec: { params },
  });
const on = (expression: string): object => ({ 'pipelinesascode.tekton.dev/on-cel-expression': expression });

const FILES = {
  '.tekton/push.yaml': run('on-push', on('event == "push"')),
  '.tekton/pull.yaml': `${run('on-pull', on('event == "pull_request"'))}\n---\n${run('docs', on('"docs/*".pathChanged()'))}`,
  '.tekton/tasks/task.yaml': 'kind: Task',
  'plain.yaml': `${run('one')}\n---\n${run('two')}`,
  'body.yaml': run('body', {}, [{ name: 'a', value: '{{ body.after }}' }]),
  'event.json': JSON.stringify({
    ref: 'refs/heads/main',
    after: 'c0ffee',
    repository: {},
    head_commit: { id: 'c0ffee' },
  }),
};

async function chosen(paths: string[], values: Parameters<typeof whichRuns>[1] = {}): Promise<string[]> {
  const { root, remove } = makeCheckout(FILES);
  onTestFinished(remove);
  const event = values.event?.endsWith('.json') ? join(root, values.event) : values.event;
  const { runs, notes } = await whichRuns(
    paths.map((path) => join(root, path)),
    { root, changed: [], ...values, event },
  );
  return [...runs.map(({ file, name }) => `${file} ${name}`), ...notes];
}

it('of a folder what the event starts, with the reasons of the others', async () => {
  expect(await chosen(['.tekton'], { event: 'event.json', changed: ['docs/a'] })).toEqual([
    '.tekton/pull.yaml docs',
    '.tekton/push.yaml on-push',
    'on-pull is not started: not true: event == "pull_request"',
  ]);
});

it('of one file what is in it, whatever the event, and says what the event would do', async () => {
  expect(await chosen(['.tekton/push.yaml'], { event: 'pull_request' })).toEqual([
    '.tekton/push.yaml on-push',
    'a pull_request of this checkout would not start on-push: not true: event == "push"',
  ]);
  // Without an event it is the one that starts something.
  expect(await chosen(['.tekton/pull.yaml'])).toEqual([
    '.tekton/pull.yaml on-pull',
    'docs is not started: not true: "docs/*".pathChanged()',
  ]);
});

it('the one that is named', async () => {
  expect(await chosen(['plain.yaml'], { name: 'two' })).toEqual(['plain.yaml two']);
  await expect(chosen(['plain.yaml'], { name: 'three' })).rejects.toMatchObject({
    code: 'NOT_FOUND',
    found: 'one, two',
  });
});

it('none of several that say nothing of events', async () => {
  await expect(chosen(['plain.yaml'])).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: 'none of 2 runs says which event starts it',
    found: 'one, two',
    hint: '--name one: one of them',
  });
});

it('takes files of several folders as those of the folder that they are all in', async () => {
  const { root, remove } = makeCheckout({
    'runs/run.yaml': run('one'),
    'parts/tasks/task.yaml': 'kind: Task',
    'parts/pipeline.yaml': 'kind: Pipeline',
  });
  onTestFinished(remove);
  const at = (path: string): string => join(root, path);
  expect(await whichRuns([at('runs/run.yaml'), at('parts')], {})).toMatchObject({
    root,
    runs: [{ file: 'runs/run.yaml' }],
    beside: ['runs/run.yaml', 'parts/pipeline.yaml', 'parts/tasks/task.yaml'],
  });
  for (const path of ['parts', 'parts/pipeline.yaml']) {
    await expect(whichRuns([at('runs/run.yaml'), at(path)], { root: at('runs') })).rejects.toMatchObject({
      code: 'FILE_NOT_READABLE',
      message: `../${path} is outside ${at('runs')}`,
      hint: expect.stringContaining('--root'),
    });
  }
});

it('says how a Pipeline or a Task is run that has no run', async () => {
  const { root, remove } = makeCheckout({
    'ci.yaml': 'kind: ConfigMap\n---\nkind: Pipeline\nmetadata: {name: ci}',
    'none.yaml': 'kind: ConfigMap',
  });
  onTestFinished(remove);
  await expect(whichRuns([join(root, 'ci.yaml')], {})).rejects.toMatchObject({
    code: 'NOT_FOUND',
    hint: expect.stringMatching(/^tekton-local start pipeline ci -f .*ci\.yaml runs that Pipeline$/),
  });
  await expect(whichRuns([join(root, 'none.yaml')], {})).rejects.toMatchObject({ code: 'NOT_FOUND', hint: undefined });
});

it('answers expressions of a body', async () => {
  const { root, remove } = makeCheckout(FILES);
  onTestFinished(remove);
  const { lookup } = await whichRuns([join(root, 'body.yaml')], { event: join(root, 'event.json') });
  expect(lookup?.('body.after')).toBe('c0ffee');
});
