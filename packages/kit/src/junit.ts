import { escapeMarkup } from './markup.ts';

/** One thing that was looked at: it is well unless it failed or was skipped. */
export interface JunitCase {
  readonly classname: string;
  readonly name: string;
  /** Milliseconds. */
  readonly time?: number | undefined;
  readonly failure?: { readonly type?: string; readonly message: string; readonly text: string } | undefined;
  /** Why it was skipped. */
  readonly skipped?: string | undefined;
}

export interface JunitSuite {
  readonly name: string;
  readonly cases: readonly JunitCase[];
  /** Milliseconds. */
  readonly time?: number | undefined;
  /** When it began, in milliseconds since 1970. */
  readonly began?: number | undefined;
}

/** Suites as JUnit's XML, which CI systems show. Whatever their texts say, none is markup, and none steers a terminal. */
export function junitText(suites: readonly JunitSuite[], about: { name?: string; time?: number } = {}): string {
  const all = suites.flatMap(({ cases }) => cases);
  const lines = suites.flatMap(({ name, cases, time, began }) => {
    const timestamp = began === undefined ? undefined : new Date(began).toISOString();
    return [
      `  <testsuite${attributes({ name, ...counts(cases), time: seconds(time), timestamp })}>`,
      ...cases.map((each) => `    ${caseText(each)}`),
      '  </testsuite>',
    ];
  });
  const head = attributes({ name: about.name, ...counts(all), time: seconds(about.time) });
  return ['<?xml version="1.0" encoding="UTF-8"?>', `<testsuites${head}>`, ...lines, '</testsuites>', ''].join('\n');
}

function counts(cases: readonly JunitCase[]): Record<string, number> {
  const count = (kind: 'failure' | 'skipped'): number => cases.filter((each) => each[kind] !== undefined).length;
  return { tests: cases.length, failures: count('failure'), errors: 0, skipped: count('skipped') };
}

function caseText({ classname, name, time, failure, skipped }: JunitCase): string {
  const open = `<testcase${attributes({ classname, name, time: seconds(time) })}`;
  if (skipped !== undefined) return `${open}><skipped${attributes({ message: skipped })}/></testcase>`;
  if (failure === undefined) return `${open}/>`;
  const { type, message, text } = failure;
  return `${open}><failure${attributes({ type, message })}>${escapeMarkup(text, '\n\r\t')}</failure></testcase>`;
}

function seconds(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : (milliseconds / 1000).toFixed(3);
}

/** Breaks of lines are written as what they are: a reader makes spaces of those in an attribute. */
function attributes(values: Readonly<Record<string, string | number | undefined>>): string {
  const escaped = (text: string): string =>
    escapeMarkup(text, '\n\r\t').replace(/[\n\r\t]/g, (character) => `&#${character.charCodeAt(0)};`);
  return Object.entries(values)
    .map(([name, value]) => (value === undefined ? '' : ` ${name}="${escaped(String(value))}"`))
    .join('');
}
