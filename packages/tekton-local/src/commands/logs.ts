import { lstatSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT } from '@multi-image/kit/command-line';
import { reasonOf } from '@multi-image/kit/errors';
import { printable } from '@multi-image/kit/terminal';
import { TektonLocalError } from '../errors.ts';
import { filesBelow } from '../plan/yaml-file.ts';
import { COMMON, parseOptions } from './options.ts';

export const USAGE = `tekton-local logs FOLDER [options]  what a run said, from the folder of its --logs

  --task NAME              of this task alone
  --step NAME              of this step alone
`;

const OPTIONS = { ...COMMON, task: { type: 'string' }, step: { type: 'string' } } as const;

interface Log {
  /** The task; of several runs below one folder, with the run before it. */
  task: string;
  step: string;
  path: string;
  /** When its first line came. */
  since: number;
}

/** Prints the logs that a run left, step by step in the order in which they began. */
export function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseOptions(args, OPTIONS);
  const [folder, ...rest] = positionals;
  if (folder === undefined || rest.length > 0) {
    throw new TektonLocalError('USAGE', 'expected: tekton-local logs FOLDER', { hint: 'tekton-local logs --help' });
  }
  const all = find(folder);
  const chosen = all.filter(
    ({ task, step }) =>
      (values.task === undefined || task === values.task || task.endsWith(`/${values.task}`)) &&
      (values.step === undefined || step === values.step),
  );
  if (chosen.length === 0) {
    throw new TektonLocalError('NOT_FOUND', `there is no such log in ${folder}`, {
      expected: [values.task, values.step].filter((name) => name !== undefined).join(' : ') || '<task>/step-<step>.log',
      found: all.map(({ task, step }) => `${task} : ${step}`).join(', ') || 'none',
    });
  }
  for (const { task, step, path } of chosen) {
    const lines = readFileSync(path, 'utf8').replace(/\n$/, '').split('\n');
    for (const line of lines) process.stdout.write(`${printable(`[${task} : ${step}] ${line}`, '\t')}\n`);
  }
  return Promise.resolve(EXIT.done);
}

function find(folder: string): Log[] {
  let files: string[];
  try {
    files = filesBelow(realpathSync(folder), folder);
  } catch (error) {
    throw new TektonLocalError('FILE_NOT_READABLE', `cannot read ${folder}`, { found: reasonOf(error), cause: error });
  }
  return files
    .flatMap((file) => {
      const [, task, step] = /^(.+)\/step-([^/]+)\.log$/.exec(file) ?? [];
      if (task === undefined || step === undefined) return [];
      const path = join(folder, file);
      const stat = lstatSync(path);
      // A run writes files: a link leads elsewhere, and at a pipe one would wait.
      return stat.isFile() ? [{ task, step, path, since: stat.birthtimeMs }] : [];
    })
    .sort((a, b) => a.since - b.since);
}
