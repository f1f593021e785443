import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildNodeBase } from '../containers/base-image.ts';
import { type Containers, probeContainers } from '../containers/containers.ts';
import { TektonLocalError } from '../errors.ts';
import { containerExecutor } from '../executors/container.ts';
import type { PipelineRunOutcome } from '../outcome.ts';
import { runPipeline } from '../run-pipeline.ts';

let containers: Containers;
let base: string;
let folder: string;
/** Stands for the rest of this machine: no pipeline may read it, write to it, or change its mode. */
let victim: string;

beforeAll(async () => {
  containers = await probeContainers();
  base = await buildNodeBase({ tag: 'localhost/tekton-local-test/node:untrusted' });
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tekton-local-untrusted-'));
  victim = join(folder, 'victim');
  mkdirSync(victim);
  writeFileSync(join(victim, 'secret'), 'secret');
  chmodSync(victim, 0o700);
});

afterEach(() => {
  const found = { files: readdirSync(victim), mode: statSync(victim).mode & 0o777 };
  rmSync(folder, { recursive: true, force: true });
  expect(found).toEqual({ files: ['secret'], mode: 0o700 });
});

/** Enough `..` to reach the victim from wherever the run keeps its folders. */
const climb = (): string => `${'../'.repeat(20)}${relative('/', victim)}`;

const node = (code: string, step: object = {}): object => ({
  name: 's',
  image: 'node',
  command: ['node', '-e', code],
  ...step,
});

function run(pipelineSpec: object, spec: object = {}, name = 'untrusted'): Promise<PipelineRunOutcome> {
  const document = { apiVersion: 'tekton.dev/v1', kind: 'PipelineRun', metadata: { name } };
  writeFileSync(join(folder, 'run.yaml'), JSON.stringify({ ...document, spec: { ...spec, pipelineSpec } }));
  const root = folder;
  return runPipeline({ root, file: 'run.yaml', containers, images: { node: base }, logs: join(folder, 'logs') });
}

const task = (taskSpec: object, more: object = {}): object => ({ name: 'a', taskSpec, ...more });

async function refusal(started: Promise<unknown>): Promise<string> {
  const error = await started.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TektonLocalError);
  return (error as TektonLocalError).problems.map(({ path }) => path).join(' ');
}

describe('names and paths that lead out are refused before the run', () => {
  const write = `require('fs').writeFileSync('/v/pwned', '')`;
  const mount = (name: string): object => ({ volumeMounts: [{ name, mountPath: '/v' }] });
  const workspace = { workspaces: [{ name: 'w' }], steps: [node(write)] };

  test('name of a volume', async () => {
    const spec = { volumes: [{ name: climb(), emptyDir: {} }], steps: [node(write, mount(climb()))] };
    expect(await refusal(run({ tasks: [task(spec)] }))).toContain('taskSpec.volumes[0].name');
  });

  test.each([
    ['volume', { volumeMounts: [{ name: '../../../victim', mountPath: '/v' }] }],
    ['mount path', { workspaces: [{ name: 'w', mountPath: '/a:/b' }] }],
  ])('%s of a sidecar, before anything starts', async (_what, more) => {
    const sidecars = [node(write, { name: 'beside', ...more })];
    const spec = { workspaces: [{ name: 'w' }], sidecars, steps: [node('process.stdout.write("ran")')] };
    const bound = { workspaces: [{ name: 'w', emptyDir: {} }] };
    const outcome = await run({ tasks: [task(spec, { workspaces: [{ name: 'w' }] })] }, bound);
    expect(outcome.tasks[0]).toMatchObject({ status: 'Failed', steps: [] });
  });

  test('subPath of a workspace, in the PipelineRun and in the Pipeline', async () => {
    const bound = { workspaces: [{ name: 'w', emptyDir: {}, subPath: climb() }] };
    const tasks = [task(workspace, { workspaces: [{ name: 'w', subPath: climb() }] })];
    const paths = await refusal(run({ workspaces: [{ name: 'w' }], tasks }, bound));
    expect(paths).toContain('spec.workspaces[0].subPath');
    expect(paths).toContain('tasks[0].workspaces[0].subPath');
  });

  test('mountPath of a workspace', async () => {
    const spec = { ...workspace, workspaces: [{ name: 'w', mountPath: '/tekton/results' }] };
    const tasks = [task(spec, { workspaces: [{ name: 'w' }] })];
    const bound = { workspaces: [{ name: 'w', emptyDir: {} }] };
    expect(await refusal(run({ workspaces: [{ name: 'w' }], tasks }, bound))).toContain('mountPath');
  });

  test('names of steps, step results, variables and the PipelineRun', async () => {
    const steps = [node('0', { name: `x/${climb()}/d`, results: [{ name: climb() }] })];
    const paths = await refusal(run({ tasks: [task({ steps })] }, {}, climb()));
    for (const path of ['metadata', 'steps[0].name', 'steps[0].results[0].name']) expect(paths).toContain(path);
    // What Kubernetes alone looks at is told once Tekton's own rules hold.
    const nameless = [node('0', { env: [{ name: '', value: 'x' }] })];
    expect(await refusal(run({ tasks: [task({ steps: nameless })] }))).toContain('steps[0].env');
  });
});

test('an image that is a file or a folder of this machine is none', async () => {
  const places = [`oci-archive:${victim}/secret`, `dir:${victim}`, '--rootfs', `${victim}`];
  const tasks = places.map((image, index) => ({
    ...task({ steps: [{ name: 's', image, command: ['true'] }] }, { onError: 'continue' }),
    name: `t${index}`,
  }));
  const { tasks: outcomes } = await run({ tasks });
  for (const { message } of outcomes) expect(message).toContain('is no name of an image');
});

describe('links that a step leaves behind are not followed', () => {
  const link = (from: string): string => `require('fs').symlinkSync(${JSON.stringify(victim)}, '${from}')`;
  const remove = (path: string): string => `require('fs').rmSync('${path}', { recursive: true })`;

  test('instead of its own folder in /tekton/steps', async () => {
    const steps = [node(`${remove('/tekton/steps/step-s')}; ${link('/tekton/steps/step-s')}`)];
    expect((await run({ tasks: [task({ steps })] })).status).toBe('Failed');
  });

  test("instead of the next step's folder in /tekton/steps", async () => {
    const steps = [node(link('/tekton/steps/step-t')), node('0', { name: 't' })];
    expect((await run({ tasks: [task({ steps })] })).status).toBe('Failed');
  });

  test('instead of the folder of its results', async () => {
    const code = `${remove('/tekton/steps/step-s/results')}; ${link('/tekton/steps/step-s/results')}`;
    const results = [{ name: 'r', value: '$(steps.s.results.secret)' }];
    const outcome = await run({ tasks: [task({ results, steps: [node(code, { results: [{ name: 'secret' }] })] })] });
    expect(JSON.stringify(outcome.tasks[0]?.results)).not.toContain('secret');
  });

  test('instead of a result', async () => {
    const code = `require('fs').symlinkSync(${JSON.stringify(join(victim, 'secret'))}, '/tekton/results/r')`;
    const outcome = await run({ tasks: [task({ results: [{ name: 'r' }], steps: [node(code)] })] });
    expect(outcome.tasks[0]).toMatchObject({ status: 'Failed', results: {} });
  });

  test("where another task's subPath leads", async () => {
    const workspaces = [{ name: 'w' }];
    const tasks = [
      task({ workspaces, steps: [node(link('/workspace/w/l'))] }, { workspaces }),
      {
        ...task({ workspaces, steps: [node(`require('fs').writeFileSync('/workspace/w/pwned', '')`)] }),
        name: 'b',
        runAfter: ['a'],
        workspaces: [{ name: 'w', subPath: 'l' }],
      },
    ];
    const outcome = await run(
      { workspaces, tasks },
      { workspaces: [{ name: 'w', volumeClaimTemplate: { spec: {} } }] },
    );
    expect(outcome.tasks.map(({ status }) => status)).toEqual(['Succeeded', 'Failed']);
  });
});

test.each([{ httpGet: { host: 'example.com', port: 80 } }, { tcpSocket: { port: 80 } }])(
  'without a network, this machine asks nobody for a sidecar: %j',
  async (readinessProbe) => {
    const taskSpec = { sidecars: [{ ...node(''), readinessProbe }], steps: [node('')] };
    const metadata = { name: 'untrusted' };
    const spec = { pipelineSpec: { tasks: [{ name: 'a', taskSpec }] } };
    writeFileSync(
      join(folder, 'run.yaml'),
      JSON.stringify({ apiVersion: 'tekton.dev/v1', kind: 'PipelineRun', metadata, spec }),
    );
    const started = runPipeline({ root: folder, file: 'run.yaml', containers, network: 'none' });
    expect(await refusal(started)).toBe('spec.pipelineSpec.tasks[0].taskSpec.sidecars[0].readinessProbe');
  },
);

test('what took the place of a chosen folder is not used: no process starts in it', async () => {
  const [chosen, place] = [join(folder, 'chosen'), join(folder, 'place')];
  mkdirSync(chosen);
  symlinkSync(victim, place);
  const { dev, ino } = statSync(chosen, { bigint: true });
  const lines: string[] = [];
  const executor = containerExecutor({ containers, network: 'none', prefix: `untrusted-${process.pid}` });
  const runIn = (hostPath: string): Promise<number> =>
    executor.run({
      name: 'step',
      image: base,
      neverPull: true,
      command: ['node', '-e', `require('fs').writeFileSync('/v/pwned', ''); console.log('ran'); process.exit(3)`],
      args: [],
      env: new Map(),
      mounts: [{ hostPath, containerPath: '/v', readOnly: false, shared: true, identity: `${dev}:${ino}` }],
      security: { readOnlyRootFilesystem: false, noNewPrivileges: false, addCapabilities: [], dropCapabilities: [] },
      limits: {},
      log: (line) => lines.push(line),
      note: () => {},
      signal: new AbortController().signal,
    });
  await expect(runIn(place)).rejects.toThrow('/v leads out of its volume by now');
  expect(lines).toEqual([]);
  expect(await runIn(chosen)).toBe(3);
  expect(lines).toEqual(['ran']);
  expect(readdirSync(chosen)).toEqual(['pwned']);
});

test('a timeout of more than 24 days is no timeout of a millisecond', async () => {
  const outcome = await run({ tasks: [task({ steps: [node('0')] })] }, { timeouts: { pipeline: '1000h' } });
  expect(outcome.status).toBe('Succeeded');
});
