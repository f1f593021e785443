import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { busyboxImage, hasBusybox } from '@multi-image/testing/busybox';
import { makeCheckout, pipelineRun, scriptTask } from '@multi-image/testing/checkout';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { runPipeline } from '../run-pipeline.ts';

const isRoot = process.getuid?.() === 0;

describe.skipIf(!hasBusybox)('a run whose surroundings fail (needs busybox-static)', () => {
  let busybox: string;
  let checkout: ReturnType<typeof makeCheckout> | undefined;
  let mounted: string | undefined;

  beforeAll(() => {
    busybox = busyboxImage();
  });
  afterEach(() => {
    if (mounted !== undefined) execFileSync('umount', ['--lazy', mounted]);
    checkout?.remove();
    mounted = checkout = undefined;
  });

  it.skipIf(!isRoot)(
    'says that the disk is full, and leaves nothing there (needs root, for a small tmpfs)',
    async () => {
      const claim = { volumeClaimTemplate: { spec: { resources: { requests: { storage: '1Gi' } } } } };
      const shared = { workspaces: [{ name: 'w' }] };
      const pipeline = {
        workspaces: [{ name: 'w' }],
        tasks: [scriptTask('fill', 'cat /dev/zero > /workspace/w/zeros', { task: shared, spec: shared })],
        finally: [scriptTask('after', 'echo more')],
      };
      checkout = makeCheckout(pipelineRun(pipeline, { workspaces: [{ name: 'w', ...claim }] }));
      const disk = join(checkout.root, 'disk');
      mkdirSync(disk);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk]);
      mounted = disk;
      const containerPrefix = `tltest-disk-${process.pid}`;
      const statusFile = join(disk, 'run.json');
      const outcome = await runPipeline({
        root: checkout.root,
        file: 'run.yaml',
        workDir: join(disk, 'work'),
        logs: join(disk, 'logs'),
        statusFile,
        containerPrefix,
        images: { 'test-image': busybox },
      });
      expect(outcome).toMatchObject({
        status: 'Failed',
        tasks: [
          { status: 'Failed', message: '"step-run" exited with code 1', steps: [{ exitCode: 1 }] },
          { status: 'Failed', message: expect.stringContaining('no space left on device') },
        ],
      });
      expect(outcome.tasks[0]?.steps[0]?.logTail.join()).toContain('No space left on device');
      expect(readdirSync(join(disk, 'work'))).toEqual([]);
      expect(containersOf(containerPrefix)).toBe('');
      const { items } = JSON.parse(readFileSync(statusFile, 'utf8'));
      expect(items.map((item: { status: { conditions: object[] } }) => item.status.conditions[0])).toMatchObject([
        { status: 'False', reason: 'Failed' },
        { status: 'False', reason: 'Failed' },
        { status: 'False', reason: 'Failed' },
      ]);
    },
  );
});

function containersOf(name: string): string {
  return execFileSync('podman', ['ps', '-aq', '--filter', `name=${name}`], { encoding: 'utf8' });
}
