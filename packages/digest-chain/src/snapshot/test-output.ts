/**
 * The result `TEST_OUTPUT` of an integration test, as Konflux's integration service reads it: of what is
 * written here SUCCESS and SKIPPED pass.
 */
export interface TestOutput {
  readonly result: 'SUCCESS' | 'SKIPPED' | 'FAILURE' | 'ERROR';
  readonly timestamp: string;
  readonly note: string;
  readonly successes: number;
  readonly failures: number;
  readonly warnings: number;
}

/** At most as much as a Tekton result has room for, beside others. */
const LONGEST_NOTE = 1500;

/** @param warnings What the reader should know though it passed. */
export function testOutput(result: TestOutput['result'], note: string, warnings = 0): TestOutput {
  return {
    result,
    timestamp: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
    note: note.slice(0, LONGEST_NOTE),
    successes: result === 'SUCCESS' ? 1 : 0,
    failures: result === 'FAILURE' || result === 'ERROR' ? 1 : 0,
    warnings,
  };
}
