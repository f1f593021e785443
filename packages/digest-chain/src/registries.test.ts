import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { hasCommand } from '@multi-image/testing/command';
import { REAL_REGISTRIES, startRegistryProgram, startTestRegistry } from '@multi-image/testing/registry';
import { afterAll, describe, expect, it } from 'vitest';
import { COLUMNS, type Row, tryAll } from './testing/matrix.ts';
import { PROFILES, type Rule, startQuirkProxy } from './testing/profiles.ts';

// Everything at every registry that is there, and at models of those that are not. What comes of it is the tables of
// docs/registries.md: with UPDATE_DOCS=1 they are written, without it they are compared.

const FILE = fileURLToPath(new URL('../../../docs/registries.md', import.meta.url));
const document = readFileSync(FILE, 'utf8');
const rows = new Map<string, string>();

afterAll(() => {
  if (process.env.UPDATE_DOCS !== '1') return;
  const names = [...REAL_REGISTRIES.map(({ name }) => name), ...Object.keys(PROFILES)];
  const lines = names.flatMap((name) => rows.get(name) ?? lineOf(name) ?? []);
  const real = lines.slice(0, lines.length - Object.keys(PROFILES).length);
  let text = replaceTable(document, 'real', [headOf(COLUMNS), ...real]);
  text = replaceTable(text, 'models', [headOf(COLUMNS), ...lines.slice(real.length)]);
  writeFileSync(FILE, replaceTable(text, 'rules', [headOf(['rule', 'where that is written']), ...rulesOf()]));
});

async function rowOf(name: string, program: string, rules: readonly Rule[]): Promise<Row> {
  const real = REAL_REGISTRIES.find((each) => each.name === name && each.program === program);
  const server = real ? await startRegistryProgram(real.program, real.argumentsFor) : await startTestRegistry();
  const proxy = await startQuirkProxy(server.host);
  try {
    const row = await tryAll(proxy, rules);
    rows.set(name, `| ${name} | ${COLUMNS.map((column) => row[column]).join(' | ')} |`);
    return row;
  } finally {
    await proxy.stop();
    await server.stop();
  }
}

const EVERYWHERE = ['verify from Image 1', 'inspect', 'extract', 'unseal', 'carry'] as const;

describe('a registry that is there', () => {
  for (const { name, program } of REAL_REGISTRIES) {
    it.skipIf(!hasCommand(program))(`does all: ${name} (${program})`, async () => {
      const row = await rowOf(name, program, []);
      const all = ['seal', 'of an index', 'from Image 2', 'link', ...EVERYWHERE] as const;
      expect(row).toMatchObject(Object.fromEntries(all.map((column) => [column, '✓'])));
      if (process.env.UPDATE_DOCS !== '1') expect(rows.get(name)).toBe(lineOf(name));
    });
  }
});

describe('a model of a product', () => {
  it.each(Object.entries(PROFILES))('does all, or all that labels do: %s', async (name, rules) => {
    const row = await rowOf(name, 'docker-registry', rules());
    expect(row).toMatchObject(Object.fromEntries(EVERYWHERE.map((column) => [column, '✓'])));
    // What takes no `subject` has no statements; everything else has.
    const refused = rules().some(({ does }) => does.includes('to a manifest with a `subject`'));
    const found = refused ? 'no' : '✓';
    expect(row).toMatchObject({ seal: refused ? 'labels alone' : '✓', 'from Image 2': found });
    if (process.env.UPDATE_DOCS !== '1') expect(rows.get(name)).toBe(lineOf(name));
  });

  it('says where what it does is written', () => {
    if (process.env.UPDATE_DOCS === '1') return;
    expect(tableOf('rules').slice(2)).toEqual(rulesOf());
    for (const line of rulesOf()) expect(line).toMatch(/ \| <https:\/\/\S+> \|$/);
  });

  it('is there for the tests of others, as docs/registries.md says', () => {
    const [, example = ''] = /```js\n(.*?)```/s.exec(document) ?? [];
    const args = ['--input-type=module', '--eval', example.replace('registry.example:5000', '127.0.0.1:1')];
    const cwd = fileURLToPath(new URL('..', import.meta.url));
    expect(execFileSync(process.execPath, args, { cwd, encoding: 'utf8' })).toMatch(/^127\.0\.0\.1:\d+ answers 406\n$/);
  });
});

function rulesOf(): readonly string[] {
  return Object.entries(PROFILES).flatMap(([name, rules]) =>
    rules().map(({ does, source }) => `| ${name} ${does} | <${source}> |`),
  );
}

function lineOf(name: string): string | undefined {
  return document.split('\n').find((line) => line.startsWith(`| ${name} |`));
}

function headOf(columns: readonly string[]): string {
  const first = columns.length === COLUMNS.length ? ['registry', ...columns] : columns;
  return `| ${first.join(' | ')} |\n|${' --- |'.repeat(first.length)}`;
}

function tableOf(name: string): readonly string[] {
  const [, table = ''] = new RegExp(`<!-- ${name} -->\n(.*?)\n<!-- /${name} -->`, 's').exec(document) ?? [];
  return table.split('\n');
}

function replaceTable(text: string, name: string, lines: readonly string[]): string {
  const pattern = new RegExp(`(<!-- ${name} -->\n).*?(<!-- /${name} -->)`, 's');
  return text.replace(pattern, (_, start: string, end: string) => `${start}${lines.join('\n')}\n${end}`);
}
