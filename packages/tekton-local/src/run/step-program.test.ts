import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasBusybox } from '@multi-image/testing/busybox';
import { makeCheckout, pipelineRun } from '@multi-image/testing/checkout';
import { describe, expect, it } from 'vitest';
import { runCommand } from '../command.ts';
import { busyboxRuns, logOf, taskOf } from '../testing/busybox-run.ts';
import type { StepProgram } from './step-program.ts';

describe.skipIf(!hasBusybox)('a function in place of a step’s image (needs busybox-static)', () => {
  const { run } = busyboxRuns();

  const task = (args: string[], script: string, more: object = {}): object => ({
    name: 'task',
    taskSpec: {
      volumes: [{ name: 'work', emptyDir: {} }],
      stepTemplate: {
        volumeMounts: [{ name: 'work', mountPath: '/var/workdir' }],
        securityContext: { runAsUser: 1001 },
      },
      steps: [
        { name: 'carry', image: 'quay.io/x/carrier:1@sha256:00', args },
        { name: 'look', image: 'test-image', script },
      ],
      ...more,
    },
    ...('workspaces' in more ? { workspaces: more.workspaces } : {}),
  });

  it('says the last words of a program of this machine that fails it', async () => {
    const carry: StepProgram = async () => {
      await runCommand('sh', ['-c', 'echo no such blob >&2; exit 3']);
      return 0;
    };
    const outcome = await run(pipelineRun({ tasks: [task([], 'true')] }), { programs: { 'quay.io/x/carrier': carry } });
    expect(taskOf(outcome, 'task')).toMatchObject({
      status: 'Failed',
      message: 'sh -c failed with exit code 3: no such blob',
    });
  });

  it('leaves modes as they are, and what it wrote to the step’s user', async () => {
    const outside = makeCheckout({ file: '' });
    chmodSync(join(outside.root, 'file'), 0o640);
    const carry: StepProgram = async ({ hostPathToWrite, args: [folder = ''] }) => {
      const path = hostPathToWrite(folder);
      mkdirSync(path);
      for (const [name, mode] of Object.entries({ plain: 0o644, program: 0o755, own: 0o600 })) {
        writeFileSync(join(path, name), name);
        chmodSync(join(path, name), mode);
      }
      symlinkSync(join(outside.root, 'file'), join(path, 'link'));
      return 0;
    };
    const before = statSync(join(outside.root, 'file'));
    try {
      const script =
        'cd /var/workdir/source; ls -ln | while read mode _ user group rest; do echo "$mode $user $group"; done; cat own; echo more >> plain; touch new';
      const outcome = await run(pipelineRun({ tasks: [task(['/var/workdir/source'], script)] }), {
        programs: { 'quay.io/x/carrier': carry },
      });
      expect(taskOf(outcome, 'task').status).toBe('Succeeded');
      expect(logOf(outcome, 'task').split('\n').slice(1)).toEqual([
        'lrwxrwxrwx 1001 0',
        '-rw------- 1001 0',
        '-rw-r--r-- 1001 0',
        '-rwxr-xr-x 1001 0',
        'own',
      ]);
      const { mode, uid } = statSync(join(outside.root, 'file'));
      expect({ mode, uid }).toEqual({ mode: before.mode, uid: before.uid });
    } finally {
      outside.remove();
    }
  });

  it('reaches nothing that others see at the same time, and nothing by a link of an earlier step', async () => {
    const reach: StepProgram = async ({ hostPath, args: [path = ''], log }) => {
      log(hostPath(path));
      return 0;
    };
    const programs = { 'quay.io/x/carrier': reach };
    const workspaces = [{ name: 'w', workspace: 'w' }];
    const shared = task(['/workspace/w/x'], 'echo', { workspaces: [{ name: 'w' }] });
    const claim = { workspaces: [{ name: 'w', volumeClaimTemplate: { spec: {} } }] };
    const seen = await run(pipelineRun({ workspaces: [{ name: 'w' }], tasks: [{ ...shared, workspaces }] }, claim), {
      programs,
    });
    expect(taskOf(seen, 'task').message).toBe('/workspace/w/x is in a workspace that others see as well');
    const steps = [
      { name: 'link', image: 'test-image', script: 'ln -s /etc /var/workdir/x' },
      { name: 'carry', image: 'quay.io/x/carrier', args: ['/var/workdir/x/passwd'] },
    ];
    const linked = await run(pipelineRun({ tasks: [task([], '', { steps })] }), { programs });
    expect(taskOf(linked, 'task').message).toBe('x/passwd leads out of its volume');
    const away = await run(pipelineRun({ tasks: [task(['/etc/passwd'], '')] }), { programs });
    expect(taskOf(away, 'task').message).toBe('/etc/passwd is in no volume of the step');
  });
});
