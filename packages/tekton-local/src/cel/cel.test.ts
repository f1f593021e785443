import { describe, expect, it } from 'vitest';
import { CelError, parseCel } from './cel.ts';

const variables = { event: 'string', body: 'map', files: 'map' } as const;
const values = { event: 'push', body: { n: 1, pull: { draft: false } }, files: { all: ['docs/A.md', 'src/b.ts'] } };
const evaluate = (text: string): unknown => parseCel(text, { variables }).evaluate(values);

describe('CEL', () => {
  it.each([
    ['event == "push" && files.all.exists(f, f.startsWith("docs/"))', true],
    ['files.all.all(f, f.matches("(?i)^(docs/a|src)"))', true],
    ['matches(event, "^p")', true],
    ['has(body.pull) && !has(body.pull.title) && !body.pull.draft', true],
    ['[1].all(a, [1].exists(b, a == b)) && [1, 2].filter(a, a > 1).map(a, a).map(a, a).size() == 1', true],
    ['body.n == 1', true],
    ['event in ["push", "pull_request"] ? files.all.size() : 0', 2n],
  ])('%s', (text, expected) => {
    expect(evaluate(text)).toBe(expected);
  });

  it.each([
    ['[1].all(a, [1].all(b, [1].all(c, a + b + c > 0)))', 'more than 2 of all'],
    ['event ==', 'Unexpected token'],
    ['evnt == "push"', 'Unknown variable: evnt'],
    ['event == 1', 'no such overload'],
    ['event.split("u").size() == 2', 'there is no function split'],
    ['body.missing == 1', 'No such key'],
    ['event.matches("(")', 'missing closing )'],
  ])('refuses %s', (text, message) => {
    expect(() => evaluate(text)).toThrow(CelError);
    expect(() => evaluate(text)).toThrow(message);
  });

  it('takes no longer for a pattern that would never end elsewhere', () => {
    const text = `${'a'.repeat(40)}!`;
    expect(parseCel('event.matches("^(a+)+$")', { variables }).evaluate({ event: text })).toBe(false);
  });

  it('says what is named in it', () => {
    const parsed = parseCel('event == "x" || body["labels"].exists(l, l.name == "y")', { variables });
    expect([parsed.names('event'), parsed.names('files'), parsed.takes('labels'), parsed.takes('size')]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(parsed.texts).toEqual(['x', 'labels', 'y']);
  });
});
