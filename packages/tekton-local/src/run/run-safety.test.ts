import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasBusybox } from '@multi-image/testing/busybox';
import { makeCheckout, pipelineRun, scriptTask } from '@multi-image/testing/checkout';
import { describe, expect, it } from 'vitest';
import { runPipeline } from '../run-pipeline.ts';
import { busyboxRuns, logOf, taskOf } from '../testing/busybox-run.ts';

describe.skipIf(!hasBusybox)('runPipeline, when things go wrong (needs busybox-static)', () => {
  const { run, containers } = busyboxRuns();

  it('ends what takes too long', async () => {
    // Longer than the test may take, so that whatever is not ended is noticed.
    const outcome = await run(
      pipelineRun({
        tasks: [
          scriptTask('slow', 'sleep 600', { task: { timeout: '1s' } }),
          scriptTask('step', 'sleep 600', { step: { timeout: '1s' }, task: { onError: 'continue' } }),
        ],
      }),
    );
    expect(taskOf(outcome, 'slow')).toMatchObject({ status: 'Failed', reason: 'TaskRunTimeout' });
    expect(outcome.status).toBe('Failed');
    const whole = await run(
      pipelineRun({ tasks: [scriptTask('slow', 'sleep 600')] }, { timeouts: { pipeline: '1s' } }),
    );
    expect(whole).toMatchObject({ status: 'Failed', reason: 'PipelineRunTimeout' });
  });

  it('leaves nothing behind when it is stopped, with another run beside it', async () => {
    const work = makeCheckout({});
    const controller = new AbortController();
    const containerPrefix = `tltest-${process.pid}`;
    const stopped = run(
      pipelineRun({
        tasks: [scriptTask('long', 'echo up; sleep 60'), scriptTask('next', 'echo', { task: { runAfter: ['long'] } })],
      }),
      {
        signal: controller.signal,
        containerPrefix,
        workDir: work.root,
        onEvent: (event) => event.type === 'log' && controller.abort(),
      },
    );
    const beside = run(pipelineRun({ tasks: [scriptTask('short', 'sleep 2; echo done')] }), { containerPrefix });
    expect(await stopped).toMatchObject({
      status: 'Cancelled',
      tasks: [{ status: 'Cancelled', steps: [{ name: 'run', logTail: ['up'] }] }, { status: 'Skipped' }],
    });
    expect(await beside).toMatchObject({ status: 'Succeeded', tasks: [{ steps: [{ logTail: ['done'] }] }] });
    const left = execFileSync('podman', ['ps', '-aq', '--filter', `name=^${containerPrefix}`], { encoding: 'utf8' });
    expect(left).toBe('');
    expect(readdirSync(work.root)).toEqual([]);
    work.remove();
  });

  it('keeps params out of shells, and results and volumes inside their mounts', async () => {
    const marker = join(tmpdir(), `tekton-local-escaped-${process.pid}`);
    const outcome = await run(
      pipelineRun({
        params: [{ name: 'evil' }],
        tasks: [
          {
            name: 'args',
            params: [{ name: 'evil', value: '$(params.evil)' }],
            taskSpec: {
              params: [{ name: 'evil' }],
              steps: [
                {
                  name: 'run',
                  image: 'test-image',
                  command: ['echo'],
                  args: ['$(params.evil)'],
                  env: [{ name: 'E', value: '$(params.evil)' }],
                },
              ],
            },
          },
          scriptTask('link', 'ln -s /etc/hostname $(results.r.path)', {
            spec: { results: [{ name: 'r' }] },
            task: { onError: 'continue' },
          }),
          {
            name: 'volume',
            onError: 'continue',
            taskSpec: {
              volumes: [{ name: 'v', emptyDir: {} }],
              steps: [
                {
                  name: 'plant',
                  image: 'test-image',
                  script: 'ln -s /etc /v/etc',
                  volumeMounts: [{ name: 'v', mountPath: '/v' }],
                },
                {
                  name: 'use',
                  image: 'test-image',
                  script: 'ls /in',
                  volumeMounts: [{ name: 'v', mountPath: '/in', subPath: 'etc' }],
                },
              ],
            },
          },
        ],
      }),
      { params: { evil: `$(touch ${marker}); \`touch ${marker}\` --volume=/:/host -v "/:/host" \n$(params.evil)` } },
    );
    expect(taskOf(outcome, 'args').status).toBe('Succeeded');
    expect(logOf(outcome, 'args')).toContain(`$(touch ${marker}); \`touch`);
    expect(logOf(outcome, 'args')).toContain('$(params.evil)');
    expect(existsSync(marker)).toBe(false);
    expect(taskOf(outcome, 'link')).toMatchObject({ status: 'Failed', reason: 'TaskRunResultInvalid', results: {} });
    expect(taskOf(outcome, 'volume')).toMatchObject({
      status: 'Failed',
      message: expect.stringContaining('leads out of its volume'),
    });
  });

  it('does not follow a link out of the checkout folder', async () => {
    const checkout = makeCheckout({});
    symlinkSync('/etc/hostname', join(checkout.root, 'run.yaml'));
    try {
      await expect(
        runPipeline({ root: checkout.root, file: 'run.yaml', containers: containers() }),
      ).rejects.toMatchObject({
        code: 'FILE_NOT_READABLE',
      });
    } finally {
      checkout.remove();
    }
  });
});
