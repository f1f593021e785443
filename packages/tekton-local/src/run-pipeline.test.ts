import { readdirSync, readFileSync } from 'node:fs';
import { hasBusybox } from '@multi-image/testing/busybox';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { busyboxRuns, logOf } from './testing/busybox-run.ts';

/** PipelineRuns, each below what it shows and, as YAML, what its outcome has to be. */
const FOLDER = new URL('../testdata/runs/', import.meta.url);

interface Expected {
  /** All tasks, in their order; a log is all that its steps said. RUN stands for the run's name. */
  readonly tasks: readonly { readonly name: string; readonly log?: readonly string[] }[];
  /** All results. */
  readonly results?: object;
}

describe.skipIf(!hasBusybox)('runPipeline (needs busybox-static)', () => {
  const { run } = busyboxRuns();
  const cases = readdirSync(FOLDER).map((file) => {
    const text = readFileSync(new URL(file, FOLDER), 'utf8');
    const [what = '', , ...lines] = (/^(?:#.*\n)+/.exec(text)?.[0] ?? '').replaceAll(/^# ?/gm, '').split('\n');
    return { what, text, expected: lines.join('\n') };
  });

  it.each(cases.map((each) => [each.what, each] as const))('%s', async (_what, { text, expected }) => {
    const outcome = await run({ 'run.yaml': text });
    const { tasks, results, ...more } = parse(expected) as Expected;
    expect(outcome).toMatchObject({ ...more, tasks: tasks.map(({ log: _, ...task }) => task) });
    if (results !== undefined) expect(outcome.results).toEqual(results);
    for (const { name, log } of tasks) {
      if (log !== undefined) expect(logOf(outcome, name).replace(outcome.name, 'RUN').split('\n')).toEqual(log);
    }
  });
});
