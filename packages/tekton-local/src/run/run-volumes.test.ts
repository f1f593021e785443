import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasBusybox } from '@multi-image/testing/busybox';
import { makeCheckout, pipelineRun, scriptTask } from '@multi-image/testing/checkout';
import { describe, expect, it } from 'vitest';
import { busyboxRuns, logOf } from '../testing/busybox-run.ts';

describe.skipIf(!hasBusybox)('volumes and workspaces of a run (needs busybox-static)', () => {
  const { run } = busyboxRuns();

  it('drops capabilities and adds those that containers have by themselves, which a step and its template share', async () => {
    const stepTemplate = { securityContext: { capabilities: { drop: ['ALL'] } } };
    const step = { securityContext: { runAsUser: 0, capabilities: { add: ['SETFCAP'] } } };
    const script = 'while read line; do echo "$line"; done </proc/self/status';
    const outcome = await run(pipelineRun({ tasks: [scriptTask('task', script, { step, spec: { stepTemplate } })] }));
    // One bit, the 31st.
    expect(logOf(outcome, 'task')).toMatch(/^CapBnd:\s+0000000080000000$/m);
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
      expect(logOf(outcome, 'second')).toBe('/all:\nfrom-test-first\n\n/workspace/own:');
      expect(readFileSync(join(logs.root, 'first/step-run.log'), 'utf8')).toBe('/all:\n\n/workspace/own:\n');
    } finally {
      logs.remove();
    }
  });
});
