import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { neededBy, type Said } from './tekton-examples.ts';

/** Where the page is. */
export const PAGE: string = fileURLToPath(new URL('../../../../docs/tekton-conformance.md', import.meta.url));

/** One line of the page's table. */
export interface Row {
  name: string;
  said: string;
  /** How it ended here, or why it did not run. */
  run: string;
}

/** The line of an example; `ended` is what became of it, where it ran. */
export function rowOf(said: Said, ended: string | undefined): Row {
  return { name: said.example.name, said: said.words, run: ended ?? whyNotRun(said) };
}

/** Why an example is not run here; empty where it could be. */
export function whyNotRun({ example, runs }: Said): string {
  if (!runs) return '';
  const need = neededBy(example);
  if (need !== undefined) return `needs ${need}`;
  return example.outsideCi ? "not in Tekton's CI" : '';
}

/** The page as text. */
export function pageOf(rows: readonly Row[], tekton: string): string {
  const count = (is: (row: Row) => boolean): number => rows.filter(is).length;
  const agreed = count(({ said }) => !said.startsWith('limit'));
  const ran = count(({ run }) => /^[A-Z]/.test(run) && !run.startsWith('needs'));
  const succeeded = count(({ run }) => run === 'Succeeded');
  const limits = count(({ said }) => said.startsWith('limit'));
  return `# tekton-local and Tekton's own examples

<!-- Written by pnpm --filter @multi-image/tekton-local conformance; a test keeps it true. -->

All ${rows.length} runs in the examples that Tekton ${tekton} has for its API v1. First, what tekton-local says of each before
anything starts, beside Tekton's own code: its webhook's admission, and what its controllers make of params, results,
conditions and steps.

| | |
| --- | --- |
| the same as Tekton says | ${agreed} |
| a limit: refused here by name, and taken there | ${limits} |
| taken here, and refused there | 0 |

Then, of those that are taken and that Tekton's CI wants to succeed, what became of them in containers on a machine without
network and cluster, with busybox, bash and a few more programs in place of the images alpine, bash, busybox and ubuntu:
**${succeeded} of ${ran}** succeeded. \`pnpm --filter @multi-image/tekton-local test:slow\` runs them again.

| example | beside Tekton's code | run here |
| --- | --- | --- |
${rows.map(({ name, said, run }) => `| ${name} | ${said.replaceAll('|', '\\|')} | ${run.replaceAll('|', '\\|')} |`).join('\n')}
`;
}

/** The lines that the page has. */
export function rowsOfPage(): Row[] {
  return readFileSync(PAGE, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, name = '', said = '', run = ''] =
        /^\| (\S.*?\.yaml(?: \(\d+\))?) \| (.*?) \| (.*?) ?\|$/.exec(line) ?? [];
      return name === '' ? [] : [{ name, said: said.replaceAll('\\|', '|'), run: run.replaceAll('\\|', '|').trim() }];
    });
}
