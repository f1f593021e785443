import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { makeCheckout, pipelineRun } from '@multi-image/testing/checkout';
import { expect, it, onTestFinished } from 'vitest';
import { run } from '../commands/run.ts';
import { type RunOptions, runPipeline } from '../run-pipeline.ts';

/** A folder `shared` that steps write to, one that is not, and a link to the first. */
function checkout(): string {
  const step = { name: 's', image: 'never-run' };
  const files = pipelineRun({ workspaces: [{ name: 'w' }], tasks: [{ name: 'a', taskSpec: { steps: [step] } }] });
  const { root, remove } = makeCheckout(files);
  onTestFinished(remove);
  mkdirSync(join(root, 'shared/secret'), { recursive: true });
  symlinkSync('shared', join(root, 'linked'));
  return root;
}

it.each([
  ['--logs', 'shared/logs', (logs: string) => ({ logs })],
  ['--logs', 'linked/new/logs', (logs: string) => ({ logs })],
  ['--logs', '.', (logs: string) => ({ logs })],
  ['--status', 'shared/run.json', (statusFile: string) => ({ statusFile })],
  ['--secret s', 'shared/secret', (s: string) => ({ secrets: { s } })],
  ['--configmap c', 'linked', (c: string) => ({ configMaps: { c } })],
])('%s is refused in %s, where a step could put a link', async (option, place, options) => {
  const root = checkout();
  for (const shared of ['workspaces', 'claims'] as const) {
    const own: Partial<RunOptions> = options(join(root, place));
    await expect(
      runPipeline({ root, file: 'run.yaml', [shared]: { w: join(root, 'shared') }, ...own }),
    ).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining(option) });
  }
});

it.each(['--junit', '--public-key'])('%s is, too', async (option) => {
  const root = checkout();
  const args = [join(root, 'run.yaml'), '-w', `w=${join(root, 'shared')}`, option, join(root, 'shared/file')];
  await expect(run(args, new AbortController().signal)).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining(option),
  });
});
