import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ParamValue, StandInContext } from '../stand-in.ts';
import { standIns } from '../stand-ins/index.ts';

export interface StandInRun {
  results: Record<string, string>;
  log: string;
  notes: string[];
}

/** Runs a stand-in as a TaskRun would: defaults filled in, an empty work folder, removed afterwards. */
export async function runStandIn(
  task: string,
  params: Record<string, ParamValue>,
  options: Partial<Pick<StandInContext, 'images' | 'sourceUrl' | 'taskRunName' | 'signal' | 'log'>> & {
    onWorkDir?: (folder: string) => void;
  } = {},
): Promise<StandInRun> {
  const standIn = standIns.find((candidate) => candidate.task === task);
  if (standIn === undefined) throw new Error(`no stand-in for ${task}`);
  const unknown = Object.keys(params).filter((name) => !(name in standIn.params));
  if (unknown.length > 0) throw new Error(`${task} has no param ${unknown.join(', ')}`);
  const defaults = Object.entries(standIn.params).flatMap(([name, param]) =>
    param.default === undefined ? [] : [[name, param.default] as const],
  );
  const lines: string[] = [];
  const notes: string[] = [];
  const workDir = await mkdtemp(join(tmpdir(), 'tekton-local-test-'));
  options.onWorkDir?.(workDir);
  try {
    const results = await standIn.run({
      params: { ...Object.fromEntries(defaults), ...params },
      taskRunName: options.taskRunName ?? `run-${task}`,
      workDir,
      images: options.images ?? {},
      ...(options.sourceUrl === undefined ? {} : { sourceUrl: options.sourceUrl }),
      log: (line) => {
        lines.push(line);
        options.log?.(line);
      },
      note: (message) => void notes.push(message),
      signal: options.signal ?? new AbortController().signal,
    });
    return { results, log: lines.join('\n'), notes };
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
}

/** Fails unless the result is there. */
export function result(run: StandInRun, name: string): string {
  const value = run.results[name];
  if (value === undefined) throw new Error(`no result ${name}`);
  return value;
}
