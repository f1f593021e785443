import type { Observation, RunFacts } from './observation.ts';

/** What Konflux' check tasks said: their result TEST_OUTPUT is JSON with `result` and, as the reason, `note`. */
export function scansOf(run: RunFacts): Observation['scans'] {
  return run.tasks.flatMap(({ name, results }) => {
    if (typeof results.TEST_OUTPUT !== 'string') return [];
    try {
      const { result, note } = JSON.parse(results.TEST_OUTPUT);
      return [{ run: run.name, task: name, result: String(result), note: String(note ?? '') }];
    } catch {
      return [{ run: run.name, task: name, result: 'ERROR', note: 'its TEST_OUTPUT is not JSON' }];
    }
  });
}
