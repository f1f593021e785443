import { formatSpan } from '@multi-image/kit/durations';
import { describeTask, runsOf } from './chain-view.ts';
import { type Evidence, failed, passed } from './criterion.ts';
import type { Observation, RunFacts, TaskPhases } from './observation.ts';

/** All runs came to their end by themselves. */
export function noManualStep(seen: Observation): Evidence[] {
  const runs = runsOf(seen);
  const took = Math.max(...runs.map((run) => run.finishedAt)) - Math.min(...runs.map((run) => run.startedAt));
  return [
    ...runs.map(succeeded),
    passed(
      'unattended',
      `from the commit to all results in ${formatSpan(took)}; nothing was asked and nothing was read from a terminal`,
    ),
    ...runs.flatMap(timeOf),
  ];
}

/** Where the time of a run went, where its tasks tell. */
function timeOf({ name, tasks }: RunFacts): Evidence[] {
  const known = tasks.flatMap(({ phases }) => phases ?? []);
  if (known.length === 0) return [];
  const sum = (phase: keyof TaskPhases): string =>
    formatSpan(known.reduce((total, one) => total + (one[phase] ?? 0), 0));
  const pulls = known.every(({ pulling }) => pulling === undefined)
    ? ''
    : `, of which ${sum('pulling')} pulling images`;
  const parts = `${sum('queued')} until taken up, ${sum('starting')} until their steps began (node, images, pod)${pulls}, ${sum('running')} in steps`;
  return [passed('time', `${name}, its ${known.length} tasks together: ${parts}`)];
}

/** That a PipelineRun succeeded. */
export function succeeded(run: RunFacts): Evidence {
  if (run.status === 'Succeeded') {
    return passed('run', `PipelineRun ${run.name} succeeded in ${formatSpan(run.finishedAt - run.startedAt)}`);
  }
  const culprit = run.tasks.find((entry) => entry.status === 'Failed');
  const found = [run.status, culprit ? describeTask(culprit) : run.message].filter(Boolean).join(': ');
  return failed('run', `PipelineRun ${run.name}`, 'Succeeded', found);
}
