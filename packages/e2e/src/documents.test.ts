import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readCommands } from '@multi-image/testing/document-commands';
import { describe, expect, test } from 'vitest';
import { repository } from './testing/cli-run.ts';

const documents = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  cwd: repository,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => /^(?:[A-Z]+\.md|docs\/|packages\/[^/]+\/README|stand-ins\/)/.test(file));

const { scripts } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

/** Our programs, by what documents call them. */
const PROGRAMS: Readonly<Record<string, string>> = {
  'digest-chain': 'packages/digest-chain/src/cli.ts',
  'tekton-local': 'packages/tekton-local/src/cli.ts',
  'multi-image-manifests': 'packages/manifests/src/cli.ts',
  'multi-image-e2e': 'packages/e2e/src/cli.ts',
};

const helps = new Map<string, string>();

/** The help of a program, and of its verb where it has one of its own. */
function helpOf(program: string, verb: string | undefined): string {
  const key = `${program} ${verb ?? ''}`;
  const known = helps.get(key);
  if (known !== undefined) return known;
  const path = join(repository, PROGRAMS[program] ?? '');
  const ask = (...args: string[]): string => spawnSync(process.execPath, [path, ...args], { encoding: 'utf8' }).stdout;
  const text = `${ask('--help')}\n${verb === undefined ? '' : ask(verb, '--help')}`;
  helps.set(key, text);
  return text;
}

/** What is wrong with a command as it stands: a script that is not there, a verb or an option that nothing has. */
function problemsOf(command: string): string[] {
  const words = command.replace(/^(?:\S+=\S+ )*/, '').split(/\s+/);
  const isPnpm = words[0] === 'pnpm' || (words[0] === 'npx' && words[2] === 'pnpm@12');
  let rest = isPnpm ? words.slice(words[0] === 'pnpm' ? 1 : 3) : words;
  if (isPnpm) {
    const [first = '', second = ''] = rest;
    if (first.startsWith('--')) return [];
    if (first === 'exec') rest = rest.slice(1);
    else if (['install', 'approve', 'vitest'].includes(first)) return [];
    else {
      const name = first === 'run' ? second : first;
      const script = scripts[name];
      if (script === undefined) return [`there is no script ${name}`];
      const [, program, verb] = /packages\/(manifests|e2e)\/src\/cli\.ts ?([a-z-]+)?/.exec(script) ?? [];
      if (program === undefined) return [];
      rest = [`multi-image-${program}`, ...(verb === undefined ? [] : [verb]), ...rest.slice(first === 'run' ? 2 : 1)];
    }
  }
  const [program = '', verb = ''] = rest;
  if (PROGRAMS[program] === undefined) return [];
  const isVerb = /^[a-z][a-z-]*$/.test(verb);
  const help = helpOf(program, isVerb ? verb : undefined);
  const options = rest.filter((word) => /^--[a-z]/.test(word)).map((word) => word.replace(/[=:,;.)].*$/, ''));
  return [
    ...(isVerb && !new RegExp(`(?:^|[ |])${verb}\\b`, 'm').test(help) ? [`${program} has no verb ${verb}`] : []),
    ...options.filter((option) => !help.includes(option)).map((option) => `${program} ${verb} has no ${option}`),
  ];
}

describe.each(documents)('%s', (file) => {
  const text = readFileSync(join(repository, file), 'utf8');

  test('says of every command which test runs it, or why none can', () => {
    for (const { line, by, notRun } of readCommands(join(repository, file))) {
      expect(by ?? notRun, `${file}:${line} says neither`).toBeDefined();
      if (by === undefined) continue;
      const [test = ''] = by.split(' ');
      expect(existsSync(join(repository, test)), `${file}:${line}: there is no ${test}`).toBe(true);
      const source = readFileSync(join(repository, test), 'utf8');
      expect(source, `${test} does not read ${file}`).toContain(basename(file));
    }
  });

  test('names no script, verb or option that is not there', () => {
    const fenced = readCommands(join(repository, file)).flatMap((block) =>
      block.text.replaceAll('\\\n', ' ').split('\n'),
    );
    const inline = [...text.replaceAll(/```[\s\S]*?```/g, '').matchAll(/`([^`\n]+(?:\n[^`\n]+)?)`/g)].map(
      ([, code = '']) => code.replaceAll('\n', ' '),
    );
    const commands = [...fenced, ...inline]
      .map((line) => line.trim().replace(/\s#.*$/, ''))
      .filter((line) =>
        /^(?:npx --yes pnpm@12|pnpm|digest-chain|tekton-local|multi-image-(?:e2e|manifests)) /.test(line),
      );
    expect(commands.flatMap((command) => problemsOf(command).map((problem) => `${command}: ${problem}`))).toEqual([]);
  });
});
