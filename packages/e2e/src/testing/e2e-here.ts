import { type Outcome, runHere } from '@multi-image/testing/command-here';
import { main } from '../command-line.ts';

/** Runs the command in this process, with these variables in place of what this process has of them. */
export function e2eHere(
  args: readonly string[],
  variables: Readonly<Record<string, string | undefined>> = {},
): Promise<Outcome> {
  const entries = Object.entries({ ...process.env, ...variables });
  const environment = Object.fromEntries(
    entries.flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, value]])),
  );
  return runHere(async () => {
    const given = process.argv;
    process.argv = [process.execPath, 'cli.ts', ...args];
    try {
      await main();
    } finally {
      process.argv = given;
    }
  }, environment);
}
