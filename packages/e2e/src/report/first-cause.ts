import type { Report } from './report.ts';

/** The first task that failed by itself: what else fell usually fell with it. */
export interface Cause {
  task: string;
  run: string;
  /** What it said: its error, or the message of the build system. */
  lines: readonly string[];
}

export function firstCause({ runs }: Pick<Report, 'runs'>): Cause | undefined {
  for (const run of runs) {
    const task = run.tasks.find((entry) => entry.status === 'Failed');
    if (task === undefined) continue;
    const error = task.logTail?.findLastIndex((line) => line.startsWith('error ')) ?? -1;
    const lines = error < 0 ? [task.message ?? '', ...(task.logTail ?? [])] : (task.logTail?.slice(error) ?? []);
    return { task: task.name, run: run.name, lines: lines.filter((line) => line !== '') };
  }
  return undefined;
}
