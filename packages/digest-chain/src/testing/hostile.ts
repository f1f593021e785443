import type { TestResponse } from '@multi-image/testing/http-server';
import { expect } from 'vitest';
import { type Outcome, runCli } from './cli.ts';

/** Each of them steers some terminal, hides text, turns it around or ends a line. */
export const NASTY = '\u001b[2J\u001b]0;owned\u0007\r\n\u009b31m\u202eevil\u2066\u200b\u2028\u{e0041}\u0000\u007f';
const UNPRINTABLE = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** Of every kind of character that some way of writing has its own way with. */
export const SECRET = 'hunter2 "&+\\/\u00e4%';
export const LOGIN = Buffer.from(`user:${SECRET}`).toString('base64');
export const IDENTITY = 'identity-of-hunter2';
export const TOKEN = 'token-of-hunter2';
const WRITTEN = /hunter2|aHVudGVy|h1bnRlc|odW50ZX/;

/** Nothing that steers a terminal, no credential, no stack. */
export function expectClean({ stdout, stderr }: Outcome): void {
  expect(stdout + stderr).not.toMatch(UNPRINTABLE);
  expect(stdout + stderr).not.toMatch(WRITTEN);
  expect(stderr).not.toMatch(/\n {4}at /);
}

/** Runs `verify` on an image of this registry and expects it to fail cleanly, in text and in JSON; answers with its stderr. */
export async function expectFailure(
  host: string,
  code: string,
  { login = { auth: LOGIN }, reference = ':1' }: { login?: object; reference?: string } = {},
): Promise<string> {
  const verify = ['verify', `${host}/a${reference}`];
  const outcomes = await Promise.all([verify, [...verify, '--json']].map((args) => runCli(args, { [host]: login })));
  for (const outcome of outcomes) {
    expectClean(outcome);
    expect(outcome.status).toBe(1);
    const [first, ...others] = outcome.stderr.trimEnd().split('\n');
    expect(first).toMatch(new RegExp(`^error ${code}: `));
    for (const line of others) expect(line).toMatch(/^ {2}(expected|found|hint): /);
  }
  expect(JSON.parse(outcomes[1]?.stdout ?? '')).toMatchObject({ error: { code } });
  return outcomes[0]?.stderr ?? '';
}

/** An error as a registry tells it (distribution-spec, "Error Codes"). */
export function refusing(status: number, message: string): TestResponse {
  return { status, body: JSON.stringify({ errors: [{ code: message, message }] }) };
}
