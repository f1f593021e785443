import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Handler, startTestServer, type TestResponse, type TestServer } from '@multi-image/testing/http-server';
import { configOf, imageOf, ZERO } from '@multi-image/testing/image';
import { afterEach, describe, expect, it } from 'vitest';
import { digestOf } from './digest.ts';
import { DEFAULT_PREFIX } from './label-names.ts';
import type { Image } from './seal/manifest.ts';
import { runCli } from './testing/cli.ts';
import { expectClean, expectFailure, NASTY, refusing } from './testing/hostile.ts';
import { sealOne } from './testing/sealed-image.ts';

let server: TestServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

async function start(handler: Handler): Promise<string> {
  server = await startTestServer(handler);
  return server.host;
}

describe('what a registry says can not steer the terminal', () => {
  it.each<[string, TestResponse, string]>([
    ['an error', refusing(400, NASTY), 'REGISTRY_ERROR'],
    ['an error in text', { status: 404, body: NASTY }, 'NOT_FOUND'],
    ['an error without end', { status: 403, body: NASTY.repeat(100_000) }, 'UNAUTHORIZED'],
    ['an error in bytes that are no text', { status: 500, body: Buffer.from('ff1b5b324a9b', 'hex') }, 'REGISTRY_ERROR'],
  ])('%s', async (_, answer, code) => {
    const host = await start(() => ({ ...answer, headers: { 'retry-after': '9999' } }));
    const stderr = await expectFailure(host, code);
    expect(stderr.length).toBeLessThan(3000);
  });

  it.each([
    ['Content-Type', 'HTTP/1.1 200 OK', 'Content-Type: text/\u009b31m', 'MEDIA_TYPE_UNSUPPORTED'],
    [
      'Docker-Content-Digest',
      'HTTP/1.1 200 OK',
      'Content-Type: application/vnd.oci.image.manifest.v1+json\r\nDocker-Content-Digest: sha256:\u009b2J',
      'RESPONSE_INVALID',
    ],
    [
      'Content-Encoding',
      'HTTP/1.1 200 OK',
      'Content-Type: application/vnd.oci.image.manifest.v1+json\r\nContent-Encoding: \u009b',
      'RESPONSE_INVALID',
    ],
    ['Location', 'HTTP/1.1 307 Moved', 'Location: https://\u009b2J/', 'RESPONSE_INVALID'],
    ['Location path', 'HTTP/1.1 307 Moved', 'Location: ftp://a/\u009b2J', 'RESPONSE_INVALID'],
    ['realm', 'HTTP/1.1 401 No', 'WWW-Authenticate: Bearer realm="http://a.example/\u009b2J"', 'REALM_REFUSED'],
    ['status line', 'HTTP/1.1 200 \u001b[2J', 'X: y', 'MEDIA_TYPE_UNSUPPORTED'],
    ['header name', 'HTTP/1.1 200 OK', '\u001b[2J: y', 'RESPONSE_INVALID'],
  ])('%s', async (_, statusLine, header, code) => {
    const raw: Server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () =>
        socket.end(Buffer.from(`${statusLine}\r\n${header}\r\nContent-Length: 2\r\n\r\n{}`, 'latin1')),
      );
    });
    await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${(raw.address() as { port: number }).port}`;
    try {
      await expectFailure(host, code);
    } finally {
      await new Promise((resolve) => raw.close(resolve));
    }
  });
});

describe('what an image says', () => {
  /** Serves these images by tag and digest, in every repository, and their configs. */
  function serve(tags: Readonly<Record<string, Image>>): Handler {
    const content = new Map<string, TestResponse>();
    for (const [tag, { manifest, config }] of Object.entries(tags)) {
      const answer = { headers: { 'content-type': manifest.mediaType }, body: manifest.bytes };
      for (const reference of [tag, manifest.digest]) content.set(`manifests/${reference}`, answer);
      content.set(`blobs/${digestOf(config)}`, { body: config });
    }
    return ({ path }) => content.get(path.split('/').slice(-2).join('/')) ?? { status: 404 };
  }

  const labelled = (labels: Readonly<Record<string, string>>, env: readonly string[] = []): Image =>
    imageOf(configOf(JSON.stringify({ Env: env, Labels: labels })));

  const sealedWith = (link: { url: string; digest?: string }, more: Readonly<Record<string, string>> = {}): Image =>
    labelled({
      ...more,
      [`${DEFAULT_PREFIX}.sealed-from.digest`]: ZERO,
      [`${DEFAULT_PREFIX}.metadata-image.digest`]: link.digest ?? ZERO,
      [`${DEFAULT_PREFIX}.metadata-image.url`]: link.url,
    });

  it.each([
    ['control characters', `quay.io/a:b${NASTY}`],
    ['an option', '--result-url=/tmp/x'],
    ['a shell command', '$(touch /tmp/owned)`id`;rm -rf ~ &'],
    ['two lines', 'quay.io/a:b\nquay.io/c:d'],
    ['a path', '../../../../etc/passwd'],
    ['another host in disguise', 'quay.io\\@evil.example/a:b'],
    ['a query', 'quay.io/a:b?x=y'],
    ['nothing', ''],
  ])('is refused where its link holds %s, and reaches no result', async (_, url) => {
    const host = await start(serve({ 1: sealedWith({ url }, { 'org.opencontainers.image.revision': NASTY }) }));
    const folder = await mkdtemp(join(tmpdir(), 'digest-chain-results-'));
    const results = ['--result-url', '--result-digest'].flatMap((name) => [name, join(folder, name)]);
    const outcome = await runCli(['extract', `${host}/a:1`, '--role', 'metadata', ...results]);
    expectClean(outcome);
    expect(outcome.status).toBe(1);
    expect(await readdir(folder)).toEqual([]);
    await rm(folder, { recursive: true });
    const other = await runCli(['verify', `${host}/a:1`]);
    expectClean(other);
    expect(other.status).toBe(1);
  });

  it('is shown escaped where it is what was found', async () => {
    const metadata = labelled(
      { 'org.opencontainers.image.revision': NASTY, [`${DEFAULT_PREFIX}.primary-image.digest`]: NASTY },
      [`IMAGE1_DIGEST=${NASTY}`, `IMAGE1_URL=${NASTY}`],
    );
    const origin = labelled({ 'org.opencontainers.image.revision': `${NASTY}1` });
    const images: Record<string, Image> = { metadata };
    const host = await start((request, response) => serve(images)(request, response));
    images['1'] = sealOne(origin, [{ role: 'metadata', url: `${host}/m:metadata`, digest: metadata.manifest.digest }]);
    const verbs = [['verify'], ['verify', '--json'], ['inspect'], ['inspect', '--json']];
    const outcomes = await Promise.all([...verbs, ['unseal']].map((args) => runCli([...args, `${host}/a:1`])));
    for (const outcome of outcomes) expectClean(outcome);
    expect(outcomes.map(({ status }) => status).slice(0, 2)).toEqual([1, 1]);
    const { stdout } = await runCli(['verify', `${host}/a:1`]);
    expect(stdout).toContain('\\u{1b}[2J');
  });

  it.each<[string, (image: Image) => TestResponse, string]>([
    ['another manifest', () => ({ body: imageOf(configOf('{}')).manifest.bytes }), 'DIGEST_MISMATCH'],
    ['a manifest of another kind', () => ({ headers: { 'content-type': 'text/plain' } }), 'MEDIA_TYPE_UNSUPPORTED'],
    ['a manifest without end', () => ({ body: Buffer.alloc(5_000_000, ' ') }), 'TOO_LARGE'],
    ['a manifest that is no JSON', () => ({ body: NASTY }), 'DIGEST_MISMATCH'],
  ])('is not believed: %s', async (_, lie, code) => {
    const image = labelled({});
    const honest = { headers: { 'content-type': image.manifest.mediaType }, body: image.manifest.bytes };
    const host = await start(() => ({ ...honest, ...lie(image) }));
    await expectFailure(host, code, { reference: `@${image.manifest.digest}` });
  });
});
