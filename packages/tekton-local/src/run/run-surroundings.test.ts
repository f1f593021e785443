import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { busyboxImage, hasBusybox } from '@multi-image/testing/busybox';
import { makeCheckout, pipelineRun, scriptTask } from '@multi-image/testing/checkout';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { probeContainers } from '../containers/containers.ts';
import type { PipelineRunOutcome } from '../outcome.ts';
import { type RunOptions, runPipeline } from '../run-pipeline.ts';

describe.skipIf(!hasBusybox)('what a run is given, and what it says (needs busybox-static)', () => {
  let busybox: string;
  let checkout: ReturnType<typeof makeCheckout>;
  const notes: string[] = [];

  beforeAll(() => {
    busybox = busyboxImage();
  });
  afterEach(() => {
    checkout.remove();
    notes.length = 0;
  });

  function run(files: Record<string, string>, options: Partial<RunOptions> = {}): Promise<PipelineRunOutcome> {
    checkout = makeCheckout(files);
    return runPipeline({
      root: checkout.root,
      file: 'run.yaml',
      images: { 'test-image': busybox },
      onEvent: (event) => event.type === 'note' && notes.push(event.message),
      statusFile: join(checkout.root, 'status.json'),
      ...options,
    });
  }

  it('shares a folder of this machine as a workspace, and leaves its modes', async () => {
    const shared = makeCheckout({ 'in.txt': 'from outside' });
    chmodSync(join(shared.root, 'in.txt'), 0o600);
    const use = { workspaces: [{ name: 'w' }] };
    const script = 'cat /workspace/w/in.txt; echo from inside > $(workspaces.w.path)/out.txt';
    const below = { workspaces: [{ name: 'w', subPath: 'a/b' }] };
    try {
      const outcome = await run(
        pipelineRun({
          workspaces: [{ name: 'w' }],
          tasks: [
            scriptTask('use', script, { task: use, spec: use }),
            scriptTask('below', 'touch /workspace/w/here', { task: below, spec: use }),
          ],
        }),
        { workspaces: { w: shared.root } },
      );
      expect(outcome).toMatchObject({ status: 'Succeeded', tasks: [{ steps: [{ logTail: ['from outside'] }] }, {}] });
      expect(readFileSync(join(shared.root, 'out.txt'), 'utf8')).toBe('from inside\n');
      expect(existsSync(join(shared.root, 'a/b/here'))).toBe(true);
      expect(statSync(join(shared.root, 'in.txt')).mode & 0o777).toBe(0o600);
      expect(statSync(shared.root).mode & 0o777).toBe(0o700);
    } finally {
      shared.remove();
    }
  });

  it('refuses to share what is no folder, or what podman would misread', async () => {
    const files = pipelineRun({ workspaces: [{ name: 'w' }], tasks: [scriptTask('one', 'echo')] });
    for (const name of ['file', 'missing', 'a:b']) {
      checkout = makeCheckout({});
      writeFileSync(join(checkout.root, 'file'), '');
      mkdirSync(join(checkout.root, 'a:b'));
      const { root, remove } = checkout;
      await expect(run(files, { workspaces: { w: join(root, name) } })).rejects.toMatchObject({ code: 'USAGE' });
      checkout.remove();
      remove();
    }
  });

  it('gives the steps one network: that of this machine, or none', async () => {
    const files = pipelineRun({ tasks: [scriptTask('look', 'ls /sys/class/net')] });
    const logOf = async (options: Partial<RunOptions>): Promise<string[] | undefined> => {
      const outcome = await run(files, options);
      checkout.remove();
      return outcome.tasks[0]?.steps[0]?.logTail;
    };
    expect(await logOf({ network: 'none' })).toEqual(['lo']);
    expect((await logOf({}))?.join()).toBe((await logOf({ network: 'host' }))?.join());
    expect(readFileSync('/proc/net/dev', 'utf8')).toContain((await logOf({}))?.at(-1));
  });

  it('limits a step to the memory that it says, or says that it does not', async () => {
    const computeResources = { limits: { memory: '32Mi', cpu: '500m' } };
    const fill = scriptTask('fill', 'busybox dd if=/dev/zero of=/dev/null bs=64M count=1', {
      step: { computeResources },
    });
    const containers = await probeContainers();
    const files = pipelineRun({ tasks: [fill] });
    if (containers.limits === true) {
      const { tasks } = await run(files, { containers });
      expect(tasks[0]).toMatchObject({ status: 'Failed', steps: [{ exitCode: 137 }] });
      expect(notes).toEqual([]);
      checkout.remove();
    }
    const { tasks } = await run(files, { containers: { ...containers, limits: false } });
    expect(tasks[0]?.status).toBe('Succeeded');
    expect(notes).toEqual([
      'limits of computeResources are not enforced: fill (this machine limits no containers of this user)',
    ]);
    const { items } = JSON.parse(readFileSync(join(checkout.root, 'status.json'), 'utf8'));
    expect(items[1].status.taskSpec.steps).toMatchObject([{ name: 'run', image: 'test-image', computeResources }]);
  });

  it('refuses users that containers of this machine do not have, before anything starts', async () => {
    const others = { taskRunTemplate: { podTemplate: { securityContext: { runAsUser: 1001 } } } };
    const containers = { ...(await probeContainers()), users: false };
    const own = scriptTask('own', 'true', { step: { securityContext: { runAsUser: 0 } } });
    const refused = run(pipelineRun({ tasks: [own, scriptTask('other', 'true')] }, others), { containers });
    await expect(refused).rejects.toMatchObject({
      code: 'CONTAINERS_UNUSABLE',
      expected: expect.stringMatching(/another user than root \(runAsUser\): other$/),
    });
    checkout.remove();
    const { status } = await run(pipelineRun({ tasks: [own] }, others), { containers });
    expect(status).toBe('Succeeded');
  });
});
