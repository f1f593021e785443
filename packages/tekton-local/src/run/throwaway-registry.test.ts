import { hasBusybox } from '@multi-image/testing/busybox';
import { pipelineRun } from '@multi-image/testing/checkout';
import { describe, expect, it } from 'vitest';
import { busyboxRuns, logOf } from '../testing/busybox-run.ts';
import { signsIn } from './throwaway-registry.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe.skipIf(!hasBusybox)('where the images of a stranger’s file go', () => {
  const { run } = busyboxRuns();
  const names = ['output', 'tagged-elsewhere', 'base', 'here', 'said', 'builder', 'text'];
  const show = names.map((name) => `echo ${name}=$(params.${name})`);
  const ask = 'echo answer=$(busybox wget -qO- http://$(echo $(params.output) | busybox cut -d / -f 1)/v2/)';
  const params = {
    output: 'registry.example.com/org/image:1',
    'tagged-elsewhere': 'other.example.com/org/metadata:1',
    base: `registry.example.com/org/base@${DIGEST}`,
    here: '127.0.0.1:5000/org/image:1',
    said: 'registry.example.com/org/said:1',
    builder: 'registry.example.com/test/image:1',
    text: 'registry.example.com',
  };
  const files = pipelineRun(
    {
      params: names.map((name) => ({ name })),
      tasks: [
        {
          name: 'show',
          params: [{ name: 'inner', value: '$(params.builder)' }],
          taskSpec: {
            params: [{ name: 'inner' }],
            steps: [{ name: 'run', image: '$(params.inner)', script: [...show, ask].join('\n') }],
          },
        },
      ],
    },
    { params: Object.entries(params).map(([name, value]) => ({ name, value })) },
  );

  it('is a registry of the run, said and gone after it', async () => {
    const notes: string[] = [];
    const outcome = await run(files, {
      ownRegistry: true,
      params: { said: params.said },
      onEvent: (event) => event.type === 'note' && notes.push(event.message),
    });
    expect(notes).toContainEqual(expect.stringContaining('stands in for'));
    const shown = Object.fromEntries(
      logOf(outcome, 'show')
        .split('\n')
        .map((line) => line.split('=') as [string, string]),
    );
    const [host = ''] = shown.output?.split('/') ?? [];
    expect(host).toMatch(/^localhost:\d+$/);
    expect(shown).toEqual({
      ...params,
      output: `${host}/org/image:1`,
      'tagged-elsewhere': `${host}/org/metadata:1`,
      answer: '{}',
    });
    await expect(fetch(`http://${host}/v2/`)).rejects.toThrow();
  });

  it('is where they say, when that is asked for', async () => {
    const outcome = await run(files, {});
    expect(logOf(outcome, 'show')).toContain(`output=${params.output}`);
  });
});

it.each([
  ['localhost:5000', true],
  ['127.0.0.1:80', true],
  ['quay.io', true],
  ['quay.io.example.com', false],
  ['localhost.example.com', false],
  ['ghcr.io', false],
])('signs in %s: %s', (host, signs) => {
  expect(signsIn({ image: 'quay.io/org/image:1', other: 'text' }, '/')(host)).toBe(signs);
});
