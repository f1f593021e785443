import { execFileSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { makeCheckout } from '@multi-image/testing/checkout';
import { expect, it, onTestFinished, vi } from 'vitest';
import { run as graph } from './graph.ts';
import { run as list } from './list.ts';
import { run as logs } from './logs.ts';
import { run as plan } from './plan.ts';

const step = { name: 's', image: 'busybox' };
const RUN = {
  apiVersion: 'tekton.dev/v1',
  kind: 'PipelineRun',
  metadata: { name: 'ci', annotations: { 'pipelinesascode.tekton.dev/on-cel-expression': 'event == "push"' } },
  spec: {
    params: [{ name: 'p', value: 'x' }],
    pipelineSpec: {
      params: [{ name: 'p' }],
      tasks: [
        { name: 'a', taskSpec: { steps: [step] } },
        {
          name: 'b',
          runAfter: ['a'],
          when: [{ input: 'x', operator: 'in', values: ['x'] }],
          taskSpec: { steps: [step] },
        },
      ],
      finally: [{ name: 'last', taskSpec: { steps: [step] } }],
    },
  },
};
const FILES = {
  '.tekton/ci.yaml': JSON.stringify(RUN),
  'logs/a/step-one.log': 'first\nsecond \u001b[2J\n',
  'logs/b/step-two.log': 'third\n',
};

async function said(command: (args: readonly string[]) => Promise<number>, ...args: string[]): Promise<string> {
  const { root, remove } = makeCheckout(FILES);
  onTestFinished(remove);
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    await command([join(root, args[0] ?? ''), ...args.slice(1)]);
    return written.mock.calls.map(([text]) => String(text)).join('');
  } finally {
    written.mockRestore();
  }
}

it('plan says what would run, and in what order', async () => {
  const text = await said(plan, '.tekton');
  expect(text).toMatch(/^ci \(\.tekton\/ci\.yaml\)$/m);
  expect(text).toMatch(/^ {2}b {5}embedded; conditional; after a$/m);
  expect(text).toMatch(/^ {2}last {2}embedded; finally$/m);
  expect(text).toMatch(/^ {2}p = x$/m);
  const { runs } = JSON.parse(await said(plan, '.tekton', '-o', 'json', '-p', 'p=y'));
  expect(runs).toMatchObject([
    {
      name: 'ci',
      params: { p: 'y' },
      tasks: [{ name: 'a', images: ['busybox'] }, { name: 'b', after: ['a'] }, { finally: true }],
    },
  ]);
});

it('plan says what is wrong, with its place', async () => {
  const broken = { ...RUN, spec: { ...RUN.spec, timeouts: { pipeline: 5 } } };
  const { root, remove } = makeCheckout({ 'run.yaml': JSON.stringify(broken, null, 1) });
  onTestFinished(remove);
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    expect(await plan([join(root, 'run.yaml'), '-o', 'json', '--event', 'push'])).toBe(2);
    const { code, problems } = JSON.parse(String(written.mock.calls[0]?.[0]));
    expect(code).toBe('INVALID');
    expect(problems).toMatchObject([{ file: 'run.yaml', path: 'spec.timeouts.pipeline', line: expect.any(Number) }]);
  } finally {
    written.mockRestore();
  }
});

it('list says what an event starts', async () => {
  expect(await said(list, '.tekton')).toContain('  starts  ci  .tekton/ci.yaml: true: event == "push"\n');
  const { runs } = JSON.parse(await said(list, '.tekton', '--event', 'pull_request', '-o', 'json'));
  expect(runs).toEqual([
    { name: 'ci', file: '.tekton/ci.yaml', starts: false, unknown: false, why: 'not true: event == "push"' },
  ]);
});

it('graph draws which task waits for which', async () => {
  expect(await said(graph, '.tekton')).toBe(
    'flowchart TD\n  a["a"]\n  b{{"b"}}\n  a --> b\n  subgraph finally\n    last["last"]\n  end\n',
  );
  expect(await said(graph, '.tekton', '-o', 'dot')).toContain('  "a" -> "b"\n');
});

it('logs prints what a run said, of all steps or of one', async () => {
  expect(await said(logs, 'logs')).toContain('[a : one] first\n[a : one] second \\u{1b}[2J\n');
  expect(await said(logs, 'logs', '--task', 'b')).toBe('[b : two] third\n');
  await expect(async () => said(logs, 'logs', '--step', 'three')).rejects.toMatchObject({
    code: 'NOT_FOUND',
    found: expect.stringContaining('a : one'),
  });
});

it('logs of a folder that somebody else made: no link, no pipe, and no name that steers a terminal', async () => {
  const { root, remove } = makeCheckout({ 'a\u001b[2J/step-one\u001b[31m.log': 'said\n', secret: 'never\n' });
  onTestFinished(remove);
  symlinkSync(join(root, 'secret'), join(root, 'a\u001b[2J/step-link.log'));
  symlinkSync('.', join(root, 'a\u001b[2J/round'));
  symlinkSync('.', join(root, 'round'));
  execFileSync('mkfifo', [join(root, 'a\u001b[2J/step-pipe.log')]);
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    await logs([root]);
    expect(written.mock.calls).toEqual([['[a\\u{1b}[2J : one\\u{1b}[31m] said\n']]);
  } finally {
    written.mockRestore();
  }
});
