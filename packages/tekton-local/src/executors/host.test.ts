import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCheckout, pipelineRun } from '@multi-image/testing/checkout';
import { afterEach, describe, expect, it } from 'vitest';
import type { PipelineRunOutcome } from '../outcome.ts';
import { type RunOptions, runPipeline } from '../run-pipeline.ts';
import { logOf, taskOf } from '../testing/busybox-run.ts';
import { hostPathsIn } from './host.ts';

let checkout: ReturnType<typeof makeCheckout>;
afterEach(() => checkout?.remove());

const bundle = (name: string): object => ({
  resolver: 'bundles',
  params: [
    { name: 'name', value: name },
    { name: 'bundle', value: `quay.io/x/task-${name}:1` },
  ],
});

/** Runs a Task's spec on this machine, as the bundle's task `one`. */
async function run(
  spec: object,
  call: object = {},
  options: Partial<RunOptions> = {},
  more: object = {},
  metadata: object = {},
): Promise<PipelineRunOutcome> {
  const task = { apiVersion: 'tekton.dev/v1', kind: 'Task', metadata: { name: 'one' }, spec };
  const pipeline = { tasks: [{ name: 'one', taskRef: bundle('one'), ...call }], ...more };
  const spec_ = { workspaces: [{ name: 'all', volumeClaimTemplate: { spec: {} } }] };
  checkout = makeCheckout(pipelineRun(pipeline, 'workspaces' in more ? spec_ : {}, { name: 'test', ...metadata }));
  return await runPipeline({
    root: checkout.root,
    file: 'run.yaml',
    tasks: { one: { task, executor: 'host', env: { FROM_CALLER: 'yes' } } },
    ...options,
  });
}

const script = (text: string, more: object = {}): object => ({
  steps: [{ name: 'run', image: 'no-such-image', script: `#!/usr/bin/env bash\nset -euo pipefail\n${text}`, ...more }],
});

describe('a step on this machine', () => {
  it('has its params, results, volumes and folders, and what the caller gives it', async () => {
    const outcome = await run(
      {
        params: [{ name: 'p' }],
        results: [{ name: 'r' }],
        volumes: [{ name: 'work', emptyDir: {} }],
        stepTemplate: { volumeMounts: [{ name: 'work', mountPath: '/var/workdir' }] },
        steps: [
          {
            name: 'write',
            image: 'none',
            env: [{ name: 'WORKDIR', value: '/var/workdir' }],
            script:
              '#!/usr/bin/env bash\nset -e\nprintf %s "$1" >"$WORKDIR/file"; pwd; echo "$FROM_CALLER $TMPDIR"; >"$TMPDIR/x"',
            args: ['$(params.p)'],
          },
          {
            name: 'read',
            image: 'none',
            command: ['bash', '-c', 'cat "$1/file" >"$2"; [[ $PWD == "$1/new" ]]', 'bash'],
            workingDir: '/var/workdir/new',
            args: ['/var/workdir', '$(results.r.path)'],
          },
        ],
      },
      { params: [{ name: 'p', value: 'one two' }] },
    );
    expect(taskOf(outcome, 'one')).toMatchObject({ status: 'Succeeded', results: { r: 'one two' } });
    const [folder, [, temporary = ''] = []] = [
      logOf(outcome, 'one').split('\n')[0],
      /^yes (.+)$/m.exec(logOf(outcome, 'one')) ?? undefined,
    ];
    for (const path of [folder, temporary]) expect(path).toMatch(/\/tekton-local-\w+\//);
    expect(existsSync(temporary)).toBe(false);
  });

  it('finds paths of mounts where the Task names them, and none in the value of a param', async () => {
    const outcome = await run(
      {
        params: [{ name: 'p' }],
        volumes: [{ name: 'work', emptyDir: {} }],
        ...script('echo "$OWN"; echo "$GIVEN"', {
          volumeMounts: [{ name: 'work', mountPath: '/var/workdir' }],
          env: [
            { name: 'OWN', value: '/etc:/var/workdir/x /var/workdirs $(results.r.path)' },
            { name: 'GIVEN', value: '$(params.p)' },
          ],
        }),
        results: [{ name: 'r' }],
      },
      { params: [{ name: 'p', value: '/var/workdir/x' }] },
    );
    const [own, given] = logOf(outcome, 'one').split('\n');
    expect(own).toMatch(/^\/etc:\/\S+\/volumes\/work\/x \/var\/workdirs \/\S+\/results\/r$/);
    expect(given).toBe('/var/workdir/x');
  });

  it("has labels of its Pod, which are the run's, and none that the run does not have", async () => {
    const label = (name: string, key: string) => ({
      name,
      valueFrom: { fieldRef: { fieldPath: `metadata.labels['${key}']` } },
    });
    const env = [label('EVENT', 'ci.example/event'), label('OTHER', 'ci.example/other')];
    const outcome = await run(script('echo "<$EVENT> <$OTHER>"', { env }));
    expect(logOf(outcome, 'one')).toBe('<> <>');
    checkout.remove();
    const labels = { 'ci.example/event': 'push' };
    const labelled = await run(script('echo "<$EVENT> <$OTHER>"', { env }), {}, {}, {}, { labels });
    expect(logOf(labelled, 'one')).toBe('<push> <>');
    checkout.remove();
    const secret = [{ name: 'S', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }];
    await expect(run(script('true', { env: secret }))).rejects.toThrow('there is no Secret "s" on this machine');
  });

  it('has no variables of the run, which would be those of its programs', async () => {
    const podTemplate = { env: [{ name: 'BASH_ENV', value: '/dev/null' }] };
    for (const more of [
      { taskRunTemplate: { podTemplate } },
      { taskRunSpecs: [{ pipelineTaskName: 'one', podTemplate }] },
    ]) {
      const task = { apiVersion: 'tekton.dev/v1', kind: 'Task', metadata: { name: 'one' }, spec: script('true') };
      checkout = makeCheckout(pipelineRun({ tasks: [{ name: 'one', taskRef: bundle('one') }] }, more));
      const { root, remove } = checkout;
      const tasks = { one: { task, executor: 'host' as const } };
      await expect(runPipeline({ root, file: 'run.yaml', tasks })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
      remove();
    }
  });

  it('sees no workspace, where other steps could leave links to anything', async () => {
    const spec = {
      workspaces: [{ name: 'w', optional: true }],
      ...script('echo "$BOUND"', { env: [{ name: 'BOUND', value: '$(workspaces.w.bound)$(workspaces.w.path)' }] }),
    };
    const outcome = await run(
      spec,
      { workspaces: [{ name: 'w', workspace: 'all' }] },
      {},
      { workspaces: [{ name: 'all' }] },
    );
    expect(logOf(outcome, 'one')).toBe('false');
  });

  it('says why it failed, and what a person has to know', async () => {
    const notes: string[] = [];
    const onEvent: RunOptions['onEvent'] = (event) => event.type === 'note' && notes.push(event.message);
    const outcome = await run(script('echo "by the way" >&"$NOTES"; echo no >&2; exit 7'), {}, { onEvent });
    expect(taskOf(outcome, 'one')).toMatchObject({ status: 'Failed', message: '"step-run" exited with code 7' });
    expect(logOf(outcome, 'one')).toBe('no');
    expect(notes).toEqual(['one: by the way']);
  });

  it('is ended with all that it started, and leaves nothing', async () => {
    const stop = new AbortController();
    const work = makeCheckout({});
    let child = 0;
    const outcome = await run(
      script('sleep 60 & echo "$!"; wait'),
      {},
      {
        signal: stop.signal,
        workDir: work.root,
        onEvent: (event) => {
          if (event.type !== 'log') return;
          child = Number(event.line);
          stop.abort();
        },
      },
    );
    expect(outcome).toMatchObject({ status: 'Cancelled', tasks: [{ status: 'Cancelled' }] });
    // Where nobody collects what has ended, it is still listed.
    const state = existsSync(`/proc/${child}`) ? readFileSync(`/proc/${child}/stat`, 'utf8') : ' Z ';
    expect(state).toContain(' Z ');
    expect(readdirSync(work.root)).toEqual([]);
    work.remove();
  });

  it('needs no container, and many tasks share what a run takes once', async () => {
    const task = { apiVersion: 'tekton.dev/v1', kind: 'Task', metadata: { name: 'one' } };
    const spec = { steps: [{ name: 'run', image: 'none', command: ['true'] }] };
    const tasks = Array.from({ length: 100 }, (_, index) => ({
      name: `task-${index}`,
      taskRef: bundle('one'),
      ...(index % 10 === 0 ? {} : { runAfter: [`task-${index - 1}`] }),
    }));
    checkout = makeCheckout(pipelineRun({ tasks }));
    const statusFile = join(checkout.root, 'status.json');
    const outcome = await runPipeline({
      root: checkout.root,
      file: 'run.yaml',
      statusFile,
      tasks: { one: { task: { ...task, spec }, executor: 'host' } },
    });
    expect(outcome.message).toContain('Tasks Completed: 100');
  });

  it('is chosen by the caller alone', async () => {
    const task = { apiVersion: 'tekton.dev/v1', kind: 'Task', metadata: { name: 'one' }, spec: script('true') };
    checkout = makeCheckout(
      pipelineRun({ tasks: [{ name: 'one', taskRef: bundle('one'), executor: 'host' }] }, { executor: 'host' }),
    );
    const options = { root: checkout.root, file: 'run.yaml', tasks: { one: { task } } };
    await expect(runPipeline(options)).rejects.toMatchObject({ code: 'INVALID' });
  });
});

it('a path is that of the innermost mount', () => {
  const mounts = [
    { containerPath: '/a', hostPath: '/x' },
    { containerPath: '/a/b.c', hostPath: '/y' },
  ];
  expect(hostPathsIn(mounts)('/a /a/ /a/b.c/d /a/bxc /ab a/a ./a "/a" --o=/a')).toBe(
    '/x /x/ /y/d /x/bxc /ab a/a ./a "/x" --o=/x',
  );
});
