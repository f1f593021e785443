import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { busyboxImage, hasBusybox } from '@multi-image/testing/busybox';
import { makeCheckout, pipelineRun, scriptTask } from '@multi-image/testing/checkout';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';

const CLI = fileURLToPath(new URL('./cli.ts', import.meta.url));

let checkout: ReturnType<typeof makeCheckout>;
afterEach(() => checkout?.remove());

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

function start(files: Record<string, string>, args: readonly string[]): { child: ChildProcess; ended: Promise<Ended> } {
  checkout = makeCheckout(files);
  const child = spawn(process.execPath, [CLI, 'run', join(checkout.root, 'run.yaml'), ...args], {
    cwd: checkout.root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = { out: '', err: '' };
  child.stdout.on('data', (chunk) => (ended.out += chunk));
  child.stderr.on('data', (chunk) => (ended.err += chunk));
  return { child, ended: new Promise((resolve) => child.once('close', (code) => resolve({ code, ...ended }))) };
}

const initTask = (name: string, more: object = {}): object => ({
  name,
  taskRef: {
    resolver: 'bundles',
    params: [
      { name: 'name', value: 'init' },
      { name: 'bundle', value: 'quay.io/x/task-init:1' },
    ],
  },
  ...more,
});

describe('tekton-local run', () => {
  it.each([
    [['--param', 'q=1'], 'the pipeline has no param "q"'],
    [['--param', 'q'], '--param needs NAME=VALUE'],
    [['--unknown'], 'USAGE'],
    [['--network', 'bridge'], '--network needs host or none'],
    [['--workspace', 'w=.'], 'the pipeline has no workspace "w"'],
    [['--signing-key', 'not-there'], 'cannot read not-there'],
  ])('refuses %j before it starts', async (args, message) => {
    const { code, out, err } = await start(pipelineRun({ tasks: [initTask('one')] }), args).ended;
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
  });
});

describe.skipIf(!hasBusybox)('tekton-local run (needs busybox-static)', () => {
  let busybox: string;
  beforeAll(() => {
    busybox = busyboxImage();
  });

  /** A Task for the bundle's, and an image for it. */
  const INIT = {
    'init.yaml':
      'apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: init}\nspec: {params: [{name: p, default: ""}], results: [{name: r}], steps: [{name: s, image: test-image, env: [{name: P, value: $(params.p)}], script: \'printf %s "$P" >$(results.r.path)\'}]}\n',
  };
  const given = (): string[] => ['--task', 'init=init.yaml', '--image', `test-image=${busybox}`];

  it('runs a pipeline and says what it did', async () => {
    const files = pipelineRun({
      params: [{ name: 'p' }],
      results: [{ name: 'r', value: '$(tasks.one.results.r)' }],
      tasks: [initTask('one', { params: [{ name: 'p', value: '$(params.p)' }] })],
    });
    const args = ['--param', 'p=\u001b[31mred', '--status', 'run.json', ...given()];
    const { code, out } = await start({ ...files, ...INIT }, args).ended;
    expect(code).toBe(0);
    expect(out).toMatch(/^one: started$/m);
    expect(out).toMatch(/Succeeded +[\d.]+s +━+ +one/);
    expect(out).toContain('r = \\u{1b}[31mred');
    const { items } = JSON.parse(readFileSync(join(checkout.root, 'run.json'), 'utf8'));
    expect(items[0]).toMatchObject({
      kind: 'PipelineRun',
      status: {
        conditions: [{ type: 'Succeeded', status: 'True', reason: 'Succeeded' }],
        childReferences: [{ kind: 'TaskRun', pipelineTaskName: 'one', name: items[1].metadata.name }],
        results: [{ name: 'r', value: '\u001b[31mred' }],
      },
    });
    expect(items[1]).toMatchObject({
      kind: 'TaskRun',
      status: {
        conditions: [{ reason: 'Succeeded', message: 'All Steps have completed executing' }],
        steps: [{ terminated: { exitCode: 0 } }],
      },
    });
  });

  it('prints the outcome as JSON, and nothing else on standard output', async () => {
    const files = pipelineRun({ tasks: [initTask('one')] });
    const { code, out, err } = await start({ ...files, ...INIT }, ['--json', ...given()]).ended;
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ status: 'Succeeded', tasks: [{ name: 'one', status: 'Succeeded' }] });
    expect(err).toMatch(/^one: started$/m);
  });

  it('fails with the last lines of the step that failed', async () => {
    const files = pipelineRun({ tasks: [scriptTask('bad', 'echo the reason\nexit 4')] });
    const args = ['--quiet', '--junit', 'report.xml', '--image', `test-*=${busybox}`, '--image', 'unused=x'];
    const { code, out } = await start(files, args).ended;
    expect(code).toBe(1);
    expect(out).toContain('bad failed: "step-run" exited with code 4\n  | the reason');
    expect(out).toContain('note: no step that ran has the image unused');
    expect(readFileSync(join(checkout.root, 'report.xml'), 'utf8')).toContain('code 4">the reason</failure>');
  });

  it('runs again when the file changes, and waits for another change where it is refused', async () => {
    const files = pipelineRun({ tasks: [scriptTask('one', 'echo first')] });
    const { child, ended } = start(files, ['--watch', '--image', `test-image=${busybox}`]);
    const change = (text: string): void => writeFileSync(join(checkout.root, 'run.yaml'), text);
    const again = pipelineRun({ tasks: [scriptTask('one', 'echo second')] })['run.yaml'] ?? '';
    const steps = [() => change('kind: nothing'), () => change(again), () => child.kill('SIGINT')];
    child.stderr?.on('data', (chunk: Buffer) => chunk.includes('waiting for a change') && steps.shift()?.());
    const { code, out, err } = await ended;
    expect(code).toBe(130);
    expect(out.match(/\[one : run\] \w+/g)).toEqual(['[one : run] first', '[one : run] second']);
    expect(err).toContain('there is no PipelineRun or TaskRun');
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends on %s, with nothing left and a complete status', async (signal, expected) => {
    const marker = `marker-${process.pid}-${signal}`.toLowerCase();
    const files = pipelineRun({
      tasks: [scriptTask(marker, 'echo up; sleep 60')],
      finally: [scriptTask('last', 'echo')],
    });
    const { child, ended } = start(files, ['--image', `test-image=${busybox}`, '--status', 'run.json']);
    child.stdout?.on('data', (chunk: Buffer) => chunk.includes(' : run] up') && child.kill(signal));
    const { code, out } = await ended;
    expect(code).toBe(expected);
    expect(out).toContain(`${marker}: Cancelled`);
    const left = execFileSync('podman', ['ps', '-aq', '--filter', `name=${marker}`], { encoding: 'utf8' });
    expect(left).toBe('');
    expect(existsSync(join(checkout.root, 'run.json'))).toBe(true);
    const { items } = JSON.parse(readFileSync(join(checkout.root, 'run.json'), 'utf8'));
    expect(items.map((item: { status: { conditions: object[] } }) => item.status.conditions[0])).toMatchObject([
      { status: 'False', reason: 'Cancelled' },
      { status: 'False', reason: 'TaskRunCancelled' },
    ]);
    expect(items[1].status.steps).toMatchObject([{ name: 'run' }]);
    expect(items[0].status.skippedTasks).toMatchObject([{ name: 'last' }]);
  });
});
