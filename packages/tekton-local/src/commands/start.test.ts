import { join } from 'node:path';
import { makeCheckout } from '@multi-image/testing/checkout';
import { expect, it, onTestFinished, vi } from 'vitest';
import { parse } from 'yaml';
import { run as start } from './start.ts';

const PIPELINE = `
apiVersion: tekton.dev/v1
kind: Pipeline
metadata: {name: ci}
spec:
  params: [{name: text}, {name: list, type: array}, {name: map, type: object, properties: {a: {}, b: {}}}]
---
apiVersion: tekton.dev/v1
kind: Task
metadata: {name: lint}
spec: {params: [{name: flags, default: []}]}
`;

async function made(...args: string[]): Promise<unknown> {
  const { root, remove } = makeCheckout({ 'ci.yaml': PIPELINE });
  onTestFinished(remove);
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  onTestFinished(() => written.mockRestore());
  await start([...args, '-f', join(root, 'ci.yaml'), '--dry-run'], new AbortController().signal);
  return parse(String(written.mock.calls[0]?.[0]));
}

it('makes a PipelineRun of the flags that tkn has', async () => {
  const run = await made(
    ...['pipeline', 'ci', '-p', 'text=a,b', '-p', 'list=a, b', '-p', 'map=a:1,b:2:3', '-l', 'x=y,z=1', '-s', 'bot'],
    ...['-w', 'name=src,emptyDir=', '-w', 'name=cfg,config=c,subPath=s', '-w', 'out=./out', '--pipeline-timeout', '1h'],
  );
  expect(run).toEqual({
    apiVersion: 'tekton.dev/v1',
    kind: 'PipelineRun',
    metadata: { name: 'ci-run', labels: { x: 'y', z: '1' } },
    spec: {
      pipelineRef: { name: 'ci' },
      params: [
        { name: 'text', value: 'a,b' },
        { name: 'list', value: ['a', 'b'] },
        { name: 'map', value: { a: '1', b: '2:3' } },
      ],
      workspaces: [
        { name: 'src', emptyDir: {} },
        { name: 'cfg', subPath: 's', configMap: { name: 'c' } },
        { name: 'out', emptyDir: {} },
      ],
      timeouts: { pipeline: '1h' },
      taskRunTemplate: { serviceAccountName: 'bot' },
    },
  });
});

it('makes a TaskRun', async () => {
  const asked = ['--showlog', '--use-param-defaults', '--skip-optional-workspace'];
  expect(await made('task', '-p', 'flags=-v', '--prefix-name', 'mine', ...asked)).toMatchObject({
    kind: 'TaskRun',
    metadata: { name: 'mine' },
    spec: { taskRef: { name: 'lint' }, params: [{ name: 'flags', value: ['-v'] }] },
  });
});

it('makes a volume of the run by the file of a claim', async () => {
  const { root, remove } = makeCheckout({
    'pvc.yaml': 'kind: PersistentVolumeClaim\nspec: {accessModes: [ReadWriteOnce]}',
  });
  onTestFinished(remove);
  const binding = `name=src,volumeClaimTemplateFile=${join(root, 'pvc.yaml')},subPath=s`;
  expect(await made('pipeline', 'ci', '-w', binding)).toMatchObject({
    spec: {
      workspaces: [
        {
          name: 'src',
          subPath: 's',
          volumeClaimTemplate: { kind: 'PersistentVolumeClaim', spec: { accessModes: ['ReadWriteOnce'] } },
        },
      ],
    },
  });
});

it('finds what is in a folder', async () => {
  const { root, remove } = makeCheckout({
    'parts/a.yaml': PIPELINE,
    'other/b.yaml': 'kind: Task\nmetadata: {name: b}',
  });
  onTestFinished(remove);
  expect(await made('task', 'b', '-f', join(root, 'parts'), '-f', join(root, 'other'))).toMatchObject({
    spec: { taskRef: { name: 'b' } },
  });
});

it.each([
  [['pipeline', 'other'], 'there is no Pipeline other'],
  [['nothing'], 'expected: tekton-local start'],
  [['pipeline', '-w', 'name=x,emptyDir=,secret=y'], '--workspace binds x to one of'],
  [['pipeline', '-p', 'map=a'], 'an object param needs'],
])('refuses %j', async (args, message) => {
  await expect(made(...args)).rejects.toThrow(message);
});
