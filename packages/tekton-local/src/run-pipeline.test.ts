import { hasBusybox } from '@multi-image/testing/busybox';
import { pipelineRun, scriptTask } from '@multi-image/testing/checkout';
import { describe, expect, it } from 'vitest';
import { busyboxRuns, logOf, taskOf } from './testing/busybox-run.ts';

describe.skipIf(!hasBusybox)('runPipeline (needs busybox-static)', () => {
  const { run } = busyboxRuns();

  it('hands results of every type from task to task and out of the pipeline', async () => {
    const outcome = await run(
      pipelineRun({
        results: [
          { name: 'text', value: '$(tasks.second.results.text)' },
          { name: 'list', value: '$(tasks.first.results.list[*])' },
          { name: 'key', value: '$(tasks.first.results.map.b)' },
        ],
        tasks: [
          scriptTask(
            'first',
            'printf one > $(results.text.path); echo \'["x","y z"]\' > $(results.list.path); echo \'{"a":"1","b":"2"}\' > $(results.map.path)',
            {
              spec: {
                results: [
                  { name: 'text' },
                  { name: 'list', type: 'array' },
                  { name: 'map', type: 'object', properties: { a: {}, b: {} } },
                ],
                steps: [
                  {
                    name: 'write',
                    image: 'test-image',
                    script:
                      'echo -n one > $(results.text.path)\necho \'["x","y z"]\' > $(results.list.path)\necho \'{"a":"1","b":"2"}\' > $(results.map.path)',
                  },
                ],
              },
            },
          ),
          {
            name: 'second',
            params: [
              {
                name: 'text',
                value: '$(tasks.first.results.text)-$(tasks.first.results.list[1])-$(tasks.first.results.map.a)',
              },
              { name: 'list', value: ['a', '$(tasks.first.results.list[*])', 'b'] },
            ],
            taskSpec: {
              params: [{ name: 'text' }, { name: 'list', type: 'array' }],
              results: [{ name: 'text' }],
              steps: [
                {
                  name: 'show',
                  image: 'test-image',
                  script:
                    '#!/bin/sh\necho -n "$1" > $(results.text.path)\nshift\nfor i in "$@"; do echo "item $i"; done',
                  args: ['$(params.text)', '$(params.list[*])'],
                },
              ],
            },
          },
        ],
      }),
    );
    expect(outcome.message).toBe('Tasks Completed: 2 (Failed: 0, Cancelled 0), Skipped: 0');
    expect(outcome.results).toEqual({ text: 'one-y z-1', list: ['x', 'y z'], key: '2' });
    expect(logOf(outcome, 'second')).toBe('item a\nitem x\nitem y z\nitem b');
  });

  it('skips by when, goes on after it, and skips what needs its results', async () => {
    const outcome = await run(
      pipelineRun({
        params: [
          { name: 'mode', default: 'fast' },
          { name: 'modes', type: 'array', default: ['slow', 'slower'] },
        ],
        tasks: [
          scriptTask('skipped', 'echo no', {
            task: { when: [{ input: '$(params.mode)', operator: 'in', values: ['$(params.modes[*])'] }] },
            spec: { results: [{ name: 'r' }] },
          }),
          scriptTask('after', 'echo after', { task: { runAfter: ['skipped'] } }),
          scriptTask('needs', 'echo needs', {
            task: { params: [{ name: 'p', value: '$(tasks.skipped.results.r)' }] },
            spec: { params: [{ name: 'p' }] },
          }),
          scriptTask('child', 'echo child', { task: { runAfter: ['needs'] } }),
        ],
        finally: [
          scriptTask('last', 'echo "$(context.pipelineRun.name) $S $N"', {
            task: {
              params: [
                { name: 's', value: '$(tasks.status)' },
                { name: 'n', value: '$(tasks.needs.status)' },
              ],
            },
            spec: { params: [{ name: 's' }, { name: 'n' }] },
            step: {
              env: [
                { name: 'S', value: '$(params.s)' },
                { name: 'N', value: '$(params.n)' },
              ],
            },
          }),
        ],
      }),
    );
    expect(outcome.tasks.map(({ name, status, reason }) => [name, status, reason])).toEqual([
      ['skipped', 'Skipped', 'When Expressions evaluated to false'],
      ['after', 'Succeeded', 'Succeeded'],
      ['needs', 'Skipped', 'Results were missing'],
      ['child', 'Skipped', 'Parent Tasks were skipped'],
      ['last', 'Succeeded', 'Succeeded'],
    ]);
    expect(outcome.status).toBe('Succeeded');
    expect(logOf(outcome, 'last')).toBe(`${outcome.name} Completed None`);
  });

  it('stops after a failure, runs finally, and tells the exit code', async () => {
    const outcome = await run(
      pipelineRun({
        tasks: [
          scriptTask('fails', 'echo broken; echo -n x > $(results.r.path)\nexit 7', {
            spec: { results: [{ name: 'r' }] },
          }),
          scriptTask('never', 'echo never', { task: { runAfter: ['fails'] } }),
        ],
        finally: [scriptTask('last', 'echo -n done > $(results.r.path)', { spec: { results: [{ name: 'r' }] } })],
        results: [
          { name: 'last', value: '$(finally.last.results.r)' },
          { name: 'lost', value: '$(tasks.fails.results.r)' },
        ],
      }),
    );
    expect(outcome.status).toBe('Failed');
    expect(taskOf(outcome, 'fails')).toMatchObject({
      status: 'Failed',
      message: '"step-run" exited with code 7',
      steps: [{ exitCode: 7, logTail: ['broken'] }],
    });
    expect(taskOf(outcome, 'never')).toMatchObject({ status: 'Skipped', reason: 'PipelineRun was stopping' });
    expect(outcome.results).toEqual({ last: 'done' });
  });

  it('goes on where onError says so, retries, and counts the attempts', async () => {
    const outcome = await run(
      pipelineRun({
        tasks: [
          scriptTask('ignored', 'exit 3', { task: { onError: 'continue' } }),
          {
            name: 'steps',
            taskSpec: {
              steps: [
                { name: 'bad', image: 'test-image', script: 'exit 9', onError: 'continue' },
                { name: 'reads', image: 'test-image', script: 'cat $(steps.bad.exitCode.path)' },
              ],
            },
          },
          scriptTask('flaky', 'test "$(context.task.retry-count)" = 2', { task: { retries: 2 } }),
        ],
      }),
    );
    expect(taskOf(outcome, 'ignored').status).toBe('Failed');
    expect(logOf(outcome, 'steps')).toBe('9');
    expect(taskOf(outcome, 'flaky').status).toBe('Succeeded');
    expect(outcome.status).toBe('Succeeded');
  });

  it('refuses results that are too large for Tekton', async () => {
    const outcome = await run(
      pipelineRun({
        tasks: [
          scriptTask(
            'big',
            "head -c 2500 /dev/zero | tr '\\0' a > $(results.a.path); cat $(results.a.path) > $(results.b.path)",
            {
              spec: { results: [{ name: 'a' }, { name: 'b' }] },
            },
          ),
        ],
      }),
    );
    expect(taskOf(outcome, 'big')).toMatchObject({ status: 'Failed', reason: 'TaskRunResultLargerThanAllowedLimit' });
  });

  it('runs a matrix once for each combination, and gathers its results', async () => {
    const matrixTask = (name: string, one: unknown, more: object = {}): object =>
      scriptTask(name, 'echo -n "$(params.os)-$(params.arch)-$(params.same)" > $(results.r.path)', {
        task: {
          params: [{ name: 'same', value: 's' }],
          matrix: {
            params: [
              { name: 'os', value: one },
              { name: 'arch', value: ['amd', 'arm'] },
            ],
          },
          ...more,
        },
        spec: { params: [{ name: 'os' }, { name: 'arch' }, { name: 'same' }], results: [{ name: 'r' }] },
      });
    const outcome = await run(
      pipelineRun({
        params: [
          { name: 'systems', type: 'array', default: ['linux', 'bsd'] },
          { name: 'none', type: 'array', default: [] },
        ],
        results: [{ name: 'all', value: '$(tasks.each.results.r[*])' }],
        tasks: [matrixTask('each', '$(params.systems[*])'), matrixTask('empty', '$(params.none[*])')],
      }),
    );
    expect(outcome.results).toEqual({ all: ['linux-amd-s', 'bsd-amd-s', 'linux-arm-s', 'bsd-arm-s'] });
    expect(taskOf(outcome, 'each').runs).toHaveLength(4);
    expect(taskOf(outcome, 'empty')).toMatchObject({
      status: 'Skipped',
      reason: 'Matrix Parameters have an empty array',
    });
  });
});
