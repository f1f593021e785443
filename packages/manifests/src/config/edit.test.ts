import fc from 'fast-check';
import { expect, test } from 'vitest';
import { editConfig } from './edit.ts';

const SOURCE = `import { x } from 'y'; // export default { a: 1 }
export default defineConfig({
  // namespace: 'a comment'
  'namespace': "old", /* , registry: 'no' */
  nested: { namespace: 'inner', list: [{ namespace: '}' }, \`\${'}'}\`] },
  git: { url: 'a' },
  f: (a, b) => ({ namespace: 'x' }),
});
`;

/** What a config's source comes to, without its imports. */
function evaluate(source: string): { namespace: string; git: { url: string; branch?: string } } {
  const code = source.replace(/^import.*\n/, '').replace('export default', 'return');
  return new Function('defineConfig', code)((config: unknown) => config) as ReturnType<typeof evaluate>;
}

test('only the value changes', () => {
  expect(editConfig(SOURCE, { namespace: 'new' })).toBe(SOURCE.replace('"old"', "'new'"));
  expect(editConfig(SOURCE, { 'git.url': 'b' })).toBe(SOURCE.replace("url: 'a'", "url: 'b'"));
  expect(editConfig(SOURCE, {})).toBe(SOURCE);
});

test('a field that is not there is added to its object', () => {
  expect(evaluate(editConfig(SOURCE, { 'git.branch': 'dev' })).git).toEqual({ branch: 'dev', url: 'a' });
});

test.each([
  ['tabs and text over several lines', "export default {\n\tnamespace: 'old',\n\tx: `\n\t\ta\n  b`,\n\n\n};"],
  ['carriage returns and a byte order mark', "\ufeffexport default {\r\n\tnamespace: 'old', // why\r\n};\r\n"],
  ['types', "const a: string = 'x';\nexport default { namespace: 'old', a } satisfies ChainConfig;"],
  ['a field that is there twice', "export default { namespace: 'first', namespace: 'old' }"],
])('%s stay as they are', (_, source) => {
  expect(editConfig(source, { namespace: 'new' })).toBe(source.replace("'old'", "'new'"));
});

test('any text becomes that text, whatever it looks like', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom("'; x(); '", '\\', "\\'", 'a\nb', '$(x)', '`', '\u2028')),
      (text) => {
        const config = evaluate(editConfig(SOURCE, { namespace: text, 'git.url': text }));
        expect([config.namespace, config.git.url]).toEqual([text, text]);
      },
    ),
  );
});

test.each([
  [SOURCE.replace('"old"', 'process.env.X'), 'process.env.X'],
  [SOURCE.replace('"old"', '"old" + "er"'), '"old" + "er"'],
  [SOURCE.replace('"old"', '`old`'), '`old`'],
  ['export const config = {};', 'no `export default'],
  ['export default config;', 'no `export default'],
  ['export default {', 'Unexpected token'],
])('what is no plain text is refused', (source, found) => {
  expect(() => editConfig(source, { namespace: 'new' })).toThrowError(
    expect.objectContaining({ code: 'CONFIG_INVALID', found: expect.stringContaining(found) }),
  );
});
