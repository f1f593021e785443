import { afterAll, describe } from 'vitest';
import { PacJudge, pacJudgeProgram } from './pac-judge.ts';

/** Tests that ask Pipelines as Code's own code, which are skipped by name where nobody has built it. */
export function whereJudged(tests: (judge: PacJudge) => void): void {
  const program = pacJudgeProgram();
  describe.skipIf(program === undefined)(
    "with Pipelines as Code's own code as the judge (pnpm judge builds it)",
    () => {
      const judge = new PacJudge(program ?? '');
      afterAll(() => judge.stop());
      tests(judge);
    },
  );
}
