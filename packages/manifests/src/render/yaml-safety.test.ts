import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { checkConfig } from '../config/check.ts';
import type { ChainConfig } from '../config/schema.ts';
import { chainOf, image } from '../testing/chains.ts';
import { checkDocuments, renderConfig } from '../testing/documents.ts';

/** Names that Kubernetes and registries take, and that YAML would read as something else. */
const WORDS = ['no', 'yes', 'on', 'off', 'y', 'n', 'true', 'false', 'null', 'e1'];
const NUMBERS = ['1e3', '0x1f', '017', '1.5', '1_000', '2026-08-01', '12e03', '0o17'];
const word = fc.constantFrom(...WORDS);
const free = fc
  .oneof(
    fc.string({ unit: 'grapheme', maxLength: 30 }),
    fc.constantFrom(
      ...WORDS,
      ...NUMBERS,
      '',
      ' ',
      '- a',
      'a: b',
      '#',
      '"',
      "'",
      '|',
      '~',
      '\\',
      '%',
      '@',
      '`',
      '&a',
      '*a',
      '!a',
      '{a}',
      '[a]',
      '\u2028',
    ),
  )
  // What the config refuses: control characters, and variables of Tekton and Pipelines as Code.
  .filter((text) => text.isWellFormed() && !/\p{Cc}/u.test(text) && !/\$\(|\{\{/.test(text));

const configs: fc.Arbitrary<ChainConfig> = fc
  .record({
    application: word,
    namespace: word,
    branch: fc.constantFrom(...WORDS, '1.5', '017', '2026-08-01'),
    displayName: free.filter((text) => text !== ''),
    role: word,
    name: word,
    component: word,
    repository: fc.constantFrom(...WORDS, ...NUMBERS),
    file: fc.constantFrom(...WORDS, ...NUMBERS, 'a - b', 'a @b', '.hidden'),
    key: fc.constantFrom('no', 'Y', 'NULL', '_'),
    value: free,
  })
  .map(({ application, namespace, branch, displayName, role, name, component, repository, file, key, value }) =>
    chainOf(
      [
        image('primary', [], { component: 'app', buildArgs: { [key]: value } }),
        image(role, ['primary'], {
          name,
          component,
          repository: `x/${repository}`,
          containerfile: file,
          context: file,
        }),
      ],
      { application, namespace, displayName, git: { url: 'https://git.example/a/b', branch } },
    ),
  );

test('whatever the fields hold, YAML 1.1 and 1.2 read the same documents, with the very values', () => {
  fc.assert(
    fc.property(configs, (config) => {
      expect(checkConfig(config).issues).toEqual([]);
      const files = renderConfig(config);
      for (const { path, text } of files) {
        const read = (version: '1.1' | '1.2') =>
          parseAllDocuments(text, { version }).map((document) => document.toJS() as unknown);
        expect(read('1.1'), path).toEqual(read('1.2'));
      }
      const { pipelines, problems, runs } = checkDocuments(files);
      expect(problems).toEqual([]);
      expect(runs.every(({ metadata }) => metadata.namespace === config.namespace)).toBe(true);
      const [args] = Object.entries(config.images[0]?.buildArgs ?? {}).map(([key, value]) => `${key}=${value}`);
      const task = pipelines
        .get('pipeline/unified-build.yaml')
        ?.spec.tasks.find(({ name }) => name === 'build-image-1');
      expect(task?.params?.find(({ name }) => name === 'BUILD_ARGS')?.value).toEqual([args]);
      const application = files.find(({ path }) => path === 'konflux/application.yaml')?.text ?? '';
      expect(parseAllDocuments(application)[0]?.getIn(['spec', 'displayName'])).toBe(config.displayName);
    }),
    { numRuns: 60 },
  );
});
