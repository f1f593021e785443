import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasBusybox } from '@multi-image/testing/busybox';
import { makeCheckout, pipelineRun, scriptTask } from '@multi-image/testing/checkout';
import { describe, expect, it } from 'vitest';
import type { PipelineRunOutcome } from '../outcome.ts';
import { busyboxRuns } from '../testing/busybox-run.ts';

describe.skipIf(!hasBusybox)('a part of a run (needs busybox-static)', () => {
  const { run } = busyboxRuns();

  it('runs a part of a pipeline with the results of an earlier run', async () => {
    const work = makeCheckout({});
    const last = join(work.root, 'run.json');
    const task = (name: string, needs?: string): object =>
      scriptTask(name, 'echo -n "$(params.from)$(context.task.name)" > $(results.r.path)', {
        task: { params: [{ name: 'from', value: needs === undefined ? '' : `$(tasks.${needs}.results.r)` }] },
        spec: { params: [{ name: 'from' }], results: [{ name: 'r' }] },
      });
    const files = pipelineRun({
      tasks: [task('a'), task('b', 'a'), task('c', 'b'), task('beside')],
      results: [{ name: 'c', value: '$(tasks.c.results.r)' }],
    });
    const reasons = (outcome: PipelineRunOutcome): string[] =>
      outcome.tasks.map((item) => `${item.name} ${item.reason}`);
    try {
      const first = await run(files, { statusFile: last });
      expect(first.results).toEqual({ c: 'test-atest-btest-c' });
      const from = await run(files, { selection: { from: 'b', last } });
      expect(reasons(from)).toEqual(['a Reused', 'b Succeeded', 'c Succeeded', 'beside Reused']);
      expect(from.results).toEqual({ c: 'test-atest-btest-c' });
      const only = await run(files, { selection: { only: 'b', last } });
      expect(reasons(only)).toEqual(['a Reused', 'b Succeeded', 'c Left out', 'beside Left out']);
      await expect(run(files, { selection: { only: 'b', last }, chains: {} })).rejects.toMatchObject({ code: 'USAGE' });
      await expect(run(files, { selection: { only: 'z', last } })).rejects.toMatchObject({ code: 'USAGE' });
      await expect(run(files, { selection: { only: 'b', last: '/dev/null' } })).rejects.toMatchObject({
        code: 'FILE_NOT_READABLE',
      });
    } finally {
      work.remove();
    }
  });

  it('runs again what failed, and what comes after it', async () => {
    const work = makeCheckout({ 'w/file': '' });
    const last = join(work.root, 'run.json');
    // Fails where nobody has left a file: the workspace is the caller's.
    const files = pipelineRun(
      {
        workspaces: [{ name: 'w' }],
        tasks: [
          scriptTask('fine', 'echo -n x > $(results.r.path)', { spec: { results: [{ name: 'r' }] } }),
          scriptTask('bad', 'test -f /workspace/w/mended', {
            task: { workspaces: [{ name: 'w' }], params: [{ name: 'p', value: '$(tasks.fine.results.r)' }] },
            spec: { workspaces: [{ name: 'w' }], params: [{ name: 'p' }] },
          }),
          scriptTask('after', 'true', { task: { runAfter: ['bad'] } }),
          scriptTask('never', 'false', { task: { when: [{ input: 'a', operator: 'in', values: ['b'] }] } }),
          scriptTask('then', 'true', { task: { runAfter: ['never'] } }),
        ],
      },
      { workspaces: [{ name: 'w', emptyDir: {} }] },
    );
    const options = { workspaces: { w: join(work.root, 'w') }, statusFile: last };
    try {
      const failed = await run(files, options);
      expect(failed.status).toBe('Failed');
      // As Tekton says it once a task has failed.
      expect(failed.tasks.find(({ name }) => name === 'never')).toMatchObject({
        reason: 'PipelineRun was stopping',
        message: 'When Expressions evaluated to false',
      });
      writeFileSync(join(work.root, 'w/mended'), '');
      const again = await run(files, { ...options, selection: { failed: true, last } });
      expect(again.tasks.map(({ name, reason }) => `${name} ${reason}`)).toEqual([
        'fine Reused',
        'bad Succeeded',
        'after Succeeded',
        'never When Expressions evaluated to false',
        'then Reused',
      ]);
      await expect(run(files, { ...options, selection: { failed: true, last } })).rejects.toMatchObject({
        code: 'USAGE',
        message: 'in the earlier run no task failed',
      });
    } finally {
      work.remove();
    }
  });
});
