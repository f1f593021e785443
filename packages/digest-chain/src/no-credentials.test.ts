import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Handler, startTestServer, type TestResponse, type TestServer } from '@multi-image/testing/http-server';
import { afterEach, describe, expect, it } from 'vitest';
import { runCli } from './testing/cli.ts';
import { expectClean, expectFailure, IDENTITY, LOGIN, refusing, SECRET, TOKEN } from './testing/hostile.ts';

let server: TestServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

async function start(handler: Handler): Promise<string> {
  server = await startTestServer(handler);
  return server.host;
}

const basic = (answer: TestResponse): Handler => {
  return ({ headers }) =>
    headers.authorization === undefined ? { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } } : answer;
};

describe('no output holds a credential', () => {
  /** An error that repeats these in every way in which they may be written. */
  const repeating = (...secrets: readonly string[]): TestResponse => {
    const forms = secrets.map((secret) => new URLSearchParams({ a: secret }).toString());
    const quoted = secrets.map((secret) => JSON.stringify(secret));
    return refusing(403, [...secrets, ...secrets.map(encodeURIComponent), ...forms, ...quoted].join(' '));
  };

  it('of a registry that repeats a password', async () => {
    const host = await start(basic(repeating(LOGIN, SECRET)));
    const stderr = await expectFailure(host, 'UNAUTHORIZED');
    expect(stderr).toContain('***');
    expect(server?.requests.some(({ headers }) => headers.authorization === `Basic ${LOGIN}`)).toBe(true);
  });

  it.each<[string, object]>([
    ['password', { auth: LOGIN }],
    ['identity token', { identitytoken: IDENTITY }],
  ])('of a token service that repeats a %s', async (name, login) => {
    const answer = name === 'password' ? repeating(LOGIN, SECRET) : repeating(IDENTITY);
    const host = await start((request) =>
      request.path.startsWith('/token')
        ? answer
        : { status: 401, headers: { 'www-authenticate': `Bearer realm="http://${server?.host}/token"` } },
    );
    await expectFailure(host, 'UNAUTHORIZED', { login });
    expect(server?.requests.some(({ path }) => path.startsWith('/token'))).toBe(true);
  });

  it.each<[string, object]>([
    ['that it was given by the token service', { auth: LOGIN }],
    ['from a file', { registrytoken: TOKEN }],
  ])('of a registry that repeats a token %s', async (_, login) => {
    const host = await start((request) => {
      if (request.path.startsWith('/token')) return { body: JSON.stringify({ token: TOKEN }) };
      if (request.headers.authorization === `Bearer ${TOKEN}`) return repeating(TOKEN);
      return { status: 401, headers: { 'www-authenticate': `Bearer realm="http://${server?.host}/token"` } };
    });
    await expectFailure(host, 'UNAUTHORIZED', { login });
  });

  it('of a place that it was sent to with a signed URL', async () => {
    const host = await start(({ path }) =>
      path.startsWith('/v2/')
        ? { status: 307, headers: { location: '/bucket/x?X-Signature=hunter2' } }
        : refusing(403, 'no'),
    );
    await expectFailure(host, 'UNAUTHORIZED');
  });

  it.each([
    ['a file of them', '{"auths":{"HOST":{"auth":"hunter2'],
    ['one of them', '{"auths":{"HOST":{"auth":"aHVudGVyMg=="}}}'],
  ])('of %s that can not be understood', async (_, content) => {
    const host = await start(basic({}));
    const folder = await mkdtemp(join(tmpdir(), 'digest-chain-credentials-'));
    const file = join(folder, 'auth.json');
    await writeFile(file, content.replace('HOST', host));
    const outcome = await runCli(['verify', `${host}/a:1`], {}, { REGISTRY_AUTH_FILE: file });
    await rm(folder, { recursive: true });
    expectClean(outcome);
    expect(outcome.stderr).toMatch(/^error CREDENTIALS_INVALID: /);
    expect(outcome.status).toBe(2);
  });

  it.each([
    'https://user:hunter2@quay.io/org/image:1',
    'user:hunter2@quay.io/org/image:1',
    `user:hunter2@quay.io/org/image:1@sha256:${'0'.repeat(64)}`,
    'user:hun@ter/hunter2@quay.io/org/image',
  ])('of a reference with credentials in it (%s)', async (reference) => {
    for (const args of [
      ['verify', reference],
      ['inspect', reference, '--json'],
    ]) {
      const outcome = await runCli(args);
      expectClean(outcome);
      expect(outcome.status).toBe(2);
      expect(outcome.stderr).toMatch(/^error REFERENCE_INVALID: .*\n {2}expected: no credentials/);
    }
  });
});
