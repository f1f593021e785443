import { createInterface } from 'node:readline/promises';

/** Asks on the terminal; `yes` answers for whoever can't, and where nobody can be asked the answer is no. */
export async function ask(question: string, yes: boolean): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY) return false;
  // Standard output may be a program's.
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await terminal.question(question)).trim() === 'yes';
  } finally {
    terminal.close();
  }
}
