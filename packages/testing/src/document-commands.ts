import { readFileSync } from 'node:fs';

/** Commands in a document: a fence of shell, and what the comment before it says of who runs them. */
export interface Commands {
  readonly line: number;
  readonly text: string;
  /** The test that runs them: its path, and which of the document's commands these are. */
  readonly by: string | undefined;
  /** Why nothing can run them. */
  readonly notRun: string | undefined;
}

const FENCE =
  /(?:<!-- (?:tested: (?<by>[^\n]+?)|not run: (?<notRun>[^\n]+?)) -->\n[ \t]*)?^(?<indent>[ \t]*)```(?:sh|bash|shell|console)\n(?<text>[\s\S]*?)^[ \t]*```$/gm;

/** Reads the commands of a document in Markdown. */
export function readCommands(file: string): Commands[] {
  const document = readFileSync(file, 'utf8');
  return [...document.matchAll(FENCE)].map(({ index, groups = {} }) => ({
    line: document.slice(0, index).split('\n').length,
    text: (groups.text ?? '').replaceAll(new RegExp(`^${groups.indent ?? ''}`, 'gm'), ''),
    by: groups.by,
    notRun: groups.notRun,
  }));
}
