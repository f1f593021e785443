import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasBusybox, makeBusyboxImage } from '@multi-image/testing/busybox';
import { makeCheckout, pipelineRun, scriptTask } from '@multi-image/testing/checkout';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { runPipeline } from '../run-pipeline.ts';

const CLI = fileURLToPath(new URL('../cli.ts', import.meta.url));
const isRoot = process.getuid?.() === 0;

describe.skipIf(!hasBusybox)('a run whose surroundings fail (needs busybox-static)', () => {
  let busybox: ReturnType<typeof makeBusyboxImage>;
  let checkout: ReturnType<typeof makeCheckout> | undefined;
  let mounted: string | undefined;
  let registry: TestRegistry | undefined;

  beforeAll(() => {
    busybox = makeBusyboxImage();
  });
  afterEach(async () => {
    if (mounted !== undefined) execFileSync('umount', ['--lazy', mounted]);
    await registry?.stop();
    checkout?.remove();
    mounted = registry = checkout = undefined;
  });
  afterAll(() => busybox?.remove());

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
        images: { 'test-image': busybox.image },
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

  it('says that the registry is gone, and leaves nothing behind', async () => {
    registry = await startTestRegistry();
    const marker = `gone-${process.pid}`;
    const digest = `sha256:${'0'.repeat(64)}`;
    const bundle = [
      { name: 'name', value: 'clair-scan' },
      { name: 'bundle', value: 'quay.io/konflux-ci/tekton-catalog/task-clair-scan' },
    ];
    const scan = {
      name: 'scan',
      runAfter: [marker],
      taskRef: { resolver: 'bundles', params: bundle },
      params: [
        { name: 'image-url', value: `${registry.host}/o/image:1` },
        { name: 'image-digest', value: digest },
      ],
    };
    checkout = makeCheckout(pipelineRun({ tasks: [scriptTask(marker, 'echo up; sleep 2'), scan] }));
    const temporary = join(checkout.root, 'tmp');
    mkdirSync(temporary);
    const args = [
      'run',
      join(checkout.root, 'run.yaml'),
      '--status',
      'run.json',
      '--image',
      `test-image=${busybox.image}`,
    ];
    const child = spawn(process.execPath, [CLI, ...args], {
      cwd: checkout.root,
      env: { ...process.env, TMPDIR: temporary },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk;
      if (chunk.includes('| up')) void registry?.stop();
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect(code).toBe(1);
    expect(out).toContain(`scan: Failed: the registry ${registry.host} did not answer`);
    expect(containersOf(marker)).toBe('');
    expect(readdirSync(temporary)).toEqual([]);
    const { items } = JSON.parse(readFileSync(join(checkout.root, 'run.json'), 'utf8'));
    expect(items).toMatchObject([
      { kind: 'PipelineRun', status: { conditions: [{ status: 'False', reason: 'Failed' }] } },
      { kind: 'TaskRun', status: { conditions: [{ status: 'True' }] } },
      { kind: 'TaskRun', status: { conditions: [{ status: 'False', message: expect.stringContaining('answer') }] } },
    ]);
  });
});

function containersOf(name: string): string {
  return execFileSync('podman', ['ps', '-aq', '--filter', `name=${name}`], { encoding: 'utf8' });
}
