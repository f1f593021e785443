import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Containers, probeContainers } from './containers.ts';
import type { PipelineRunOutcome, TaskOutcome } from './outcome.ts';
import { type RunOptions, runPipeline } from './run-pipeline.ts';
import { hasBusybox, makeBusyboxImage } from './testing/busybox.ts';
import { makeCheckout, pipelineRun, scriptTask } from './testing/checkout.ts';

describe.skipIf(!hasBusybox)('runPipeline (needs busybox-static)', () => {
  let busybox: ReturnType<typeof makeBusyboxImage>;
  let containers: Containers;

  beforeAll(async () => {
    busybox = makeBusyboxImage();
    containers = await probeContainers();
  });
  afterAll(() => busybox?.remove());

  async function run(files: Record<string, string>, options: Partial<RunOptions> = {}): Promise<PipelineRunOutcome> {
    const checkout = makeCheckout(files);
    try {
      return await runPipeline({
        root: checkout.root,
        file: 'run.yaml',
        containers,
        images: { 'test-image': busybox.image },
        ...options,
      });
    } finally {
      checkout.remove();
    }
  }

  const logOf = (outcome: PipelineRunOutcome, task: string): string =>
    taskOf(outcome, task)
      .steps.flatMap((step) => step.logTail)
      .join('\n');
  const taskOf = (outcome: PipelineRunOutcome, name: string): TaskOutcome => {
    const found = outcome.tasks.find((task) => task.name === name);
    if (found === undefined) throw new Error(`no task ${name}`);
    return found;
  };

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

  it('shares volumes between steps, applies the stepTemplate, env and workingDir', async () => {
    const outcome = await run(
      pipelineRun({
        tasks: [
          {
            name: 'task',
            taskSpec: {
              volumes: [
                { name: 'work', emptyDir: {} },
                { name: 'ca', configMap: { name: 'trusted-ca', optional: true } },
              ],
              stepTemplate: {
                image: 'test-image',
                env: [
                  { name: 'A', value: 'template' },
                  { name: 'B', value: '$(A)-b' },
                ],
                volumeMounts: [
                  { name: 'work', mountPath: '/var/workdir' },
                  { name: 'ca', mountPath: '/ca', readOnly: true },
                ],
                securityContext: { runAsUser: 1001, capabilities: { drop: ['ALL'] }, allowPrivilegeEscalation: false },
              },
              results: [{ name: 'got' }],
              steps: [
                { name: 'write', script: 'echo "$A $B $(id -u)" > /var/workdir/file; mkdir /var/workdir/deep' },
                {
                  name: 'read',
                  env: [{ name: 'A', value: 'own' }],
                  workingDir: '/var/workdir/deep',
                  command: ['sh', '-c'],
                  args: ['pwd; cat ../file; echo "$(A)" \'$$(A)\'; ls /ca'],
                },
                { name: 'step-result', results: [{ name: 'r' }], script: 'echo -n inner > $(step.results.r.path)' },
                {
                  name: 'use',
                  env: [{ name: 'R', value: '$(steps.step-result.results.r)' }],
                  script: 'echo -n "$R" > $(results.got.path)',
                },
              ],
            },
          },
        ],
        results: [{ name: 'got', value: '$(tasks.task.results.got)' }],
      }),
    );
    expect(logOf(outcome, 'task')).toBe('/var/workdir/deep\ntemplate template-b 1001\nown $(A)');
    expect(outcome.results).toEqual({ got: 'inner' });
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

  it('gives each task its emptyDir, and all tasks one volume claim; writes logs', async () => {
    const logs = makeCheckout({});
    const tasks = ['first', 'second'].map((name) =>
      scriptTask(
        name,
        'ls $(workspaces.own.path) $(workspaces.all.path); touch $(workspaces.own.path)/own $(workspaces.all.path)/from-$(context.task.name)',
        {
          task: {
            workspaces: [{ name: 'own' }, { name: 'all' }],
            ...(name === 'second' ? { runAfter: ['first'] } : {}),
          },
          spec: { workspaces: [{ name: 'own' }, { name: 'all', mountPath: '/all' }] },
        },
      ),
    );
    try {
      const outcome = await run(
        pipelineRun(
          { workspaces: [{ name: 'own' }, { name: 'all' }], tasks },
          {
            workspaces: [
              { name: 'own', emptyDir: {} },
              { name: 'all', volumeClaimTemplate: { spec: {} } },
            ],
          },
        ),
        { logs: logs.root },
      );
      expect(logOf(outcome, 'second')).toBe('/all:\nfrom-first\n\n/workspace/own:');
      expect(readFileSync(join(logs.root, 'first/step-run.log'), 'utf8')).toBe('/all:\n\n/workspace/own:\n');
    } finally {
      logs.remove();
    }
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

  it('runs a part of a pipeline with the results of an earlier run', async () => {
    const work = makeCheckout({});
    const last = join(work.root, 'run.json');
    const task = (name: string, needs?: string): object =>
      scriptTask(name, 'echo -n "$(params.from)$(context.task.name)" > $(results.r.path)', {
        task: { params: [{ name: 'from', value: needs === undefined ? '' : `$(tasks.${needs}.results.r)` }] },
        spec: { params: [{ name: 'from' }], results: [{ name: 'r' }] },
      });
    const files = pipelineRun({
      tasks: [task('a'), task('b', 'a'), task('c', 'b'), task('beside')],
      results: [{ name: 'c', value: '$(tasks.c.results.r)' }],
    });
    const reasons = (outcome: PipelineRunOutcome): string[] =>
      outcome.tasks.map((item) => `${item.name} ${item.reason}`);
    try {
      const first = await run(files, { statusFile: last });
      expect(first.results).toEqual({ c: 'abc' });
      const from = await run(files, { selection: { from: 'b', last } });
      expect(reasons(from)).toEqual(['a Reused', 'b Succeeded', 'c Succeeded', 'beside Reused']);
      expect(from.results).toEqual({ c: 'abc' });
      const only = await run(files, { selection: { only: 'b', last } });
      expect(reasons(only)).toEqual(['a Reused', 'b Succeeded', 'c Left out', 'beside Left out']);
      await expect(run(files, { selection: { only: 'b', last }, chains: {} })).rejects.toMatchObject({ code: 'USAGE' });
      await expect(run(files, { selection: { only: 'z', last } })).rejects.toMatchObject({ code: 'USAGE' });
      await expect(run(files, { selection: { only: 'b', last: '/dev/null' } })).rejects.toMatchObject({
        code: 'FILE_NOT_READABLE',
      });
    } finally {
      work.remove();
    }
  });
});
