import { startTestServer, type TestResponse, type TestServer } from '@multi-image/testing/http-server';
import { afterEach, expect, it } from 'vitest';
import { createRegistry } from './client.ts';

let server: TestServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

async function failure(answer: TestResponse): Promise<{ code: string; found: string }> {
  server = await startTestServer(() => answer);
  const registry = createRegistry({ retries: 0 });
  return registry.getManifest({ registry: server.host, repository: 'a' }, 'latest').then(
    () => ({ code: 'none', found: '' }),
    (error: { code: string; found: string }) => error,
  );
}

it.each<[number, string]>([
  [204, 'RESPONSE_INVALID'],
  [400, 'REGISTRY_ERROR'],
  [401, 'UNAUTHORIZED'],
  [403, 'UNAUTHORIZED'],
  [404, 'NOT_FOUND'],
  [409, 'CONFLICT'],
  [418, 'REGISTRY_ERROR'],
  [429, 'REGISTRY_ERROR'],
  [500, 'REGISTRY_ERROR'],
  [501, 'REGISTRY_ERROR'],
])('HTTP %i is %s', async (status, code) => {
  await expect(failure({ status })).resolves.toMatchObject({ code, found: `HTTP ${status}` });
});

it('tells what the registry says, as it should be said and otherwise', async () => {
  const errors = [{ code: 'DENIED', message: 'no' }, { code: 'X' }, { message: 'y' }, {}, 1];
  const said = await failure({ status: 400, body: JSON.stringify({ errors }) });
  expect(said.found).toBe('HTTP 400: DENIED: no; X; y');
  expect((await failure({ status: 502, body: ' <html>Bad Gateway</html>\n' })).found).toBe(
    'HTTP 502: <html>Bad Gateway</html>',
  );
  expect((await failure({ status: 400, body: '{"errors":[]}' })).found).toBe('HTTP 400: {"errors":[]}');
});

it('tells it on one line, in characters that do nothing, and not all of it', async () => {
  const text = '\u001b[2Ja\r\nb\u202e\u009b\u2028\u{e0041}';
  const { found } = await failure({ status: 400, body: JSON.stringify({ errors: [{ code: text }] }) });
  expect(found).toBe('HTTP 400: \\u{1b}[2Ja\\u{d}\\u{a}b\\u{202e}\\u{9b}\\u{2028}\\u{e0041}');
  const long = await failure({ status: 400, body: JSON.stringify({ errors: [{ message: 'x'.repeat(10_000) }] }) });
  expect(long.found).toBe(`HTTP 400: ${'x'.repeat(300)}…`);
  const endless = await failure({ status: 400, body: 'x'.repeat(1_000_000) });
  expect(endless).toMatchObject({ code: 'REGISTRY_ERROR', found: 'HTTP 400' });
});

it('says in which repository: a command asks several', async () => {
  server = await startTestServer(() => ({ status: 404 }));
  const asking = createRegistry().getManifest({ registry: server.host, repository: 'org/image1' }, 'v1');
  await expect(asking).rejects.toMatchObject({ message: `${server.host} does not have manifest v1 in org/image1` });
});
