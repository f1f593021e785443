import { formatSpan } from '@multi-image/kit/durations';
import { describeTask } from './chain-view.ts';
import { type Evidence, failed, passed } from './criterion.ts';
import type { RunFacts } from './observation.ts';

/** That a PipelineRun succeeded. */
export function succeeded(run: RunFacts): Evidence {
  if (run.status === 'Succeeded') {
    return passed('run', `PipelineRun ${run.name} succeeded in ${formatSpan(run.finishedAt - run.startedAt)}`);
  }
  const culprit = run.tasks.find((entry) => entry.status === 'Failed');
  const found = [run.status, culprit ? describeTask(culprit) : run.message].filter(Boolean).join(': ');
  return failed('run', `PipelineRun ${run.name}`, 'Succeeded', found);
}
