import { createInterface } from 'node:readline/promises';
import { E2eError } from '../../errors.ts';

/** Asks on the terminal; `yes` answers for whoever can't, and where nobody can be asked the answer is no. */
export async function ask(question: string, yes: boolean): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return (await terminal.question(question)).trim() === 'yes';
  } finally {
    terminal.close();
  }
}

/** Goes on only where the answer is yes. Throws `NOT_CONFIRMED`. */
export async function requireYes(confirm: (question: string) => Promise<boolean>): Promise<void> {
  if (await confirm('Type yes to go on: ')) return;
  throw new E2eError('NOT_CONFIRMED', 'nothing was deleted', {
    expected: 'yes',
    found: 'another answer, or nobody to ask',
    hint: 'in a script, --yes answers',
  });
}
