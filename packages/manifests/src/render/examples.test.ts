import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { diagnose } from '../cli/doctor.ts';
import { configJsonSchema } from '../config/check.ts';
import { loadConfig } from '../config/load.ts';
import { findRenderedDrift } from '../files/rendered.ts';
import { checkDocuments } from '../testing/documents.ts';
import { hasPyYaml, readWithPyYaml } from '../testing/py-yaml.ts';
import { type RenderedFile, render } from './render.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const FOLDERS = readdirSync(join(ROOT, 'examples')).map((name) => `examples/${name}`);
const yamllint = spawnSync('yamllint', ['--version']).status === 0;

describe.each(FOLDERS)('%s', (folder) => {
  test('the committed files are what the config renders', async () => {
    expect(findRenderedDrift(await loadConfig(join(ROOT, folder, 'konflux.config.ts')))).toEqual([]);
  });

  test('every document is valid', async () => {
    const config = await loadConfig(join(ROOT, folder, 'konflux.config.ts'));
    const files = render(config.chain, config.pins, config.folder);
    expect(checkDocuments(files, config.folder).problems).toEqual([]);
  });

  test('YAML 1.1 and YAML 1.2 parsers read the same documents', async () => {
    for (const { path, text } of await renderFolder(folder)) {
      expect(documentsOf(text, '1.1'), path).toEqual(documentsOf(text, '1.2'));
    }
  });

  test.skipIf(!hasPyYaml)(
    `and so does PyYAML${hasPyYaml ? '' : ' (skipped: python3 with yaml is not here)'}`,
    async () => {
      const text = (await renderFolder(folder)).map((file) => file.text).join('');
      expect(readWithPyYaml(text)).toEqual(documentsOf(text, '1.2'));
    },
  );

  test('the Containerfiles take what the chain gives them', async () => {
    const config = await loadConfig(join(ROOT, folder, 'konflux.config.ts'));
    const problems = diagnose(config).filter(({ level }) => level === 'problem');
    expect(problems.filter(({ about }) => !about.endsWith('is still a placeholder'))).toEqual([]);
  });

  test.skipIf(!yamllint)(`yamllint has nothing to say${yamllint ? '' : ' (skipped: no yamllint here)'}`, () => {
    // Pinned references are longer than any line should be.
    const rules = '{extends: default, rules: {line-length: disable}}';
    const paths = ['.tekton', 'pipeline', 'konflux'].map((name) => join(ROOT, folder, name));
    const { status, stdout } = spawnSync('yamllint', ['--strict', '-d', rules, ...paths], { encoding: 'utf8' });
    expect(stdout).toBe('');
    expect(status).toBe(0);
  });
});

async function renderFolder(folder: string): Promise<RenderedFile[]> {
  const config = await loadConfig(join(ROOT, folder, 'konflux.config.ts'));
  return render(config.chain, config.pins, config.folder);
}

function documentsOf(text: string, version: '1.1' | '1.2'): unknown[] {
  return parseAllDocuments(text, { version }).map((document) => document.toJS());
}

test('the committed JSON Schema is that of the config', () => {
  const file = new URL('../../konflux.config.schema.json', import.meta.url);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(configJsonSchema());
});
