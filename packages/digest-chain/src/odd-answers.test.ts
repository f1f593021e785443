import { createServer, type Server } from 'node:http';
import { close, startTestServer, type TestResponse, type TestServer } from '@multi-image/testing/http-server';
import { configOf, imageOf } from '@multi-image/testing/image';
import { pushChain } from '@multi-image/testing/pushed-chain';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from './digest.ts';
import { OCI_INDEX } from './media-types.ts';
import { createRegistry } from './registry/client.ts';
import { runCli } from './testing/cli.ts';
import { type Quirk, type QuirkProxy, type QuirkRequest, startQuirkProxy } from './testing/quirks.ts';

// Answers that no specification has and some registry, or what stands before it, gives all the same: what can be used is used,
// and of the rest it is said who answered what to which request.

let real: TestRegistry;
let proxy: QuirkProxy;
beforeAll(async () => {
  real = await startTestRegistry();
  proxy = await startQuirkProxy(real.host);
});
afterAll(async () => {
  await proxy?.stop();
  await real?.stop();
});
afterEach(() => {
  proxy.quirks = [];
});

const LOGIN = { auth: Buffer.from('user:open sesame').toString('base64') };
let chains = 0;

/** Seals a chain that was pushed before the registry had its quirks. */
async function sealed(...quirks: readonly Quirk[]) {
  proxy.quirks = [];
  const { image1, image2, origin, metadata } = await pushChain(proxy.host, `odd${chains++}`);
  proxy.quirks = quirks;
  const args = ['seal', `${image1}@${origin}`, `metadata=${image2}@${metadata}`, '--tag', `${image1}:v1`];
  return runCli(args, { [proxy.host]: LOGIN });
}

type Answer = TestResponse | ((request: QuirkRequest) => TestResponse);

/** Answers so in the registry's place. */
function to(methods: string, path: RegExp, answer: Answer): Quirk {
  return {
    instead(request) {
      if (!methods.split(' ').includes(request.method) || !path.test(request.path)) return undefined;
      return typeof answer === 'function' ? answer(request) : answer;
    },
  };
}

/** Another Location for uploads. */
function uploadsAt(change: (location: URL) => string): Quirk {
  return {
    after({ method, path }, { status, headers }) {
      if (method !== 'POST' || !path.endsWith('/blobs/uploads/') || headers.location === undefined) return undefined;
      return { status, headers: { location: change(new URL(headers.location)) } };
    },
  };
}

const MANIFEST = /\/manifests\//;
const BLOB = /\/blobs\/sha256:/;
const UPLOADS = /\/blobs\/uploads\/$/;
const PAGE = { headers: { 'content-type': 'text/html' }, body: '<!doctype html><title>Sign in</title>' };

describe('an upload', () => {
  it.each<[string, (location: URL) => string]>([
    ['with a path alone', ({ pathname, search }) => pathname + search],
    ['relative to where it was asked for', ({ pathname, search }) => `${pathname.split('/').at(-1)}${search}`],
    ['with a fragment', ({ href }) => `${href}#here`],
  ])('goes on at a Location %s', async (_, change) => {
    expect(await sealed(uploadsAt(change))).toMatchObject({ status: 0 });
  });

  it.each<[string, Quirk, string]>([
    ['on another host', uploadsAt(() => 'http://127.0.0.1:1/upload?signature=x'), 'http://127.0.0.1:1/upload?…'],
    ['that is none', to('POST', UPLOADS, { status: 202 }), 'HTTP 202 with none'],
    [
      'that is a redirect to TLS',
      to('POST', UPLOADS, { status: 301, headers: { location: 'https://127.0.0.1/v2/?x=y' } }),
      'HTTP 301 to https://127.0.0.1/v2/?…',
    ],
    [
      'that is a redirect to another path',
      to('POST', UPLOADS, ({ path }) => ({ status: 308, headers: { location: path.slice(0, -1) } })),
      'HTTP 308 to http://',
    ],
  ])('does not go on at a Location %s, which is named', async (_, quirk, found) => {
    const outcome = await sealed(quirk);
    expect(outcome).toMatchObject({ status: 1, stderr: expect.stringContaining(found) });
  });
});

describe('a storage that the registry sends its clients to', () => {
  let storage: TestServer;
  let answer: (path: string) => Promise<TestResponse>;
  beforeAll(async () => {
    storage = await startTestServer(({ path }) => answer(path));
  });
  afterAll(() => storage?.stop());

  const redirecting: Quirk = to('GET', BLOB, ({ path }) => {
    return { status: 307, headers: { location: `http://${storage.host}${path}?X-Signature=secret-of-the-url` } };
  });
  /** A registry that wants a login with every request, and lets what it stores be had elsewhere. */
  const guarded: Quirk = {
    instead({ headers }) {
      const challenge = { 'www-authenticate': 'Basic realm="registry"' };
      return headers.authorization === `Basic ${LOGIN.auth}` ? undefined : { status: 401, headers: challenge };
    },
  };

  it('gets no credentials', async () => {
    answer = async (path) => {
      const response = await fetch(`http://${real.host}${path.split('?')[0]}`);
      return { body: Buffer.from(await response.arrayBuffer()) };
    };
    storage.requests.length = 0;
    expect(await sealed(guarded, redirecting)).toMatchObject({ status: 0 });
    expect(storage.requests.length).toBeGreaterThan(0);
    for (const { headers } of storage.requests) expect(headers.authorization).toBeUndefined();
  });

  it('is named where it refuses, without the signature, and nobody is told to log in', async () => {
    answer = async () => ({ status: 403, body: '<Error><Message>Request has expired</Message></Error>' });
    const { status, stderr } = await sealed(guarded, redirecting);
    expect(status).toBe(1);
    expect(stderr).toContain(`${storage.host} refused access to blob sha256:`);
    expect(stderr).toContain('Request has expired');
    expect(stderr).toContain(`${proxy.host} sends its clients there`);
    expect(stderr).not.toMatch(/secret-of-the-url|log in/);
  });
});

describe('what is no registry', () => {
  it.each<[string, Quirk[], RegExp]>([
    ['a page for a manifest', [to('GET', MANIFEST, PAGE)], /found: +text\/html from http:\/\/.*\/manifests\/sha256:/],
    ['a page for a blob', [to('GET', BLOB, PAGE)], /blob sha256:.*\n.*\n +found: +37 bytes of text\/html/],
    [
      'a redirect to a page',
      [to('GET', MANIFEST, { status: 302, headers: { location: '/login' } }), to('GET', /^\/login$/, PAGE)],
      /found: +text\/html from http:\/\/[^/]*\/login/,
    ],
    ['no Content-Type', [to('GET', MANIFEST, { body: '{}' })], /no Content-Type from http/],
    ["Docker's first schema", [to('GET', MANIFEST, schema1())], /found: +application\/vnd.docker.*v1\+prettyjws from/],
    ['no content (204)', [to('GET', MANIFEST, { status: 204 })], /about manifest sha256:.*\n +found: +HTTP 204/],
    ['a part (206)', [to('GET', BLOB, { status: 206, body: 'x' })], /about blob sha256:.*\n +found: +HTTP 206/],
    ['no such part (416)', [to('GET', BLOB, { status: 416 })], /failed on blob sha256:.*\n +found: +HTTP 416/],
    ['nobody (401) without a challenge', [to('GET', MANIFEST, { status: 401 })], /HTTP 401\n +hint: +log in/],
    [
      'a firewall (403)',
      [to('GET', MANIFEST, { ...PAGE, status: 403, body: 'Blocked\u001b[31m' })],
      /HTTP 403: Blocked\\u\{1b}/,
    ],
    ['too much (413)', [to('PUT', MANIFEST, { ...PAGE, status: 413 })], /HTTP 413: <!doctype/],
    [
      'a full disk (507)',
      [to('POST', UPLOADS, { status: 507, body: 'quota' })],
      /failed on an upload in .*\n +found: +HTTP 507: quota/,
    ],
    ['another digest', [claiming(`sha256:${'0'.repeat(64)}`)], /DIGEST_MISMATCH: the registry's manifest sha256:/],
    ['a digest that is none', [claiming('SHA256:ABC')], /malformed Docker-Content-Digest\n.*\n +found: +SHA256:ABC/],
    ['what is compressed', [labelled('content-encoding', 'gzip')], /Content-Encoding: "gzip"/],
  ])('answers with %s', async (_, quirks, said) => {
    const outcome = await sealed(...quirks);
    expect(outcome).toMatchObject({ status: 1, stderr: expect.stringMatching(said) });
  });
});

describe('a challenge', () => {
  const challenging = (challenge: string, token: TestResponse = { body: '{"token":"t"}' }): Quirk => ({
    instead({ path, headers, host }) {
      if (path.startsWith('/token')) return token;
      if (headers.authorization === 'Bearer t') return undefined;
      return { status: 401, headers: { 'www-authenticate': challenge.replace('HOST', host) } };
    },
  });

  it.each([
    'Bearer realm=http://HOST/token,service=s',
    'bearer Realm = "http://HOST/token" , service = "s"',
    'Basic realm="x", Bearer realm="http://HOST/token",service="s"',
    'Negotiate, Bearer realm="http://HOST/token"',
    'Bearer realm="http://HOST/token"scope="x"',
    'Bearer realm="http://HOST/token",service="of \\"quotes\\"",error="invalid_token"',
  ])('%s is met', async (challenge) => {
    expect(await sealed(challenging(challenge))).toMatchObject({ status: 0 });
  });

  it.each([
    ["Bearer realm='http://HOST/token'", "no URL: 'http://"],
    ['Bearer realm="/token"', 'no URL: /token'],
    ['Bearer', 'found:    none'],
    ['Bearer realm="http://10.0.0.1/token"', 'found:    http://10.0.0.1/token'],
    ['Digest realm="x", nonce="y"', 'found:    HTTP 401'],
    [',', 'found:    HTTP 401'],
  ])('%s is not, and is named', async (challenge, found) => {
    expect(await sealed(challenging(challenge))).toMatchObject({ status: 1, stderr: expect.stringContaining(found) });
  });

  it('that names what is no token service says whose it is', async () => {
    const realm = 'Bearer realm="http://HOST/token"';
    for (const token of [{ body: '<p>hello' }, { status: 302, headers: { location: '/login' } }, { status: 404 }]) {
      const { status, stderr } = await sealed(challenging(realm, token));
      expect(status).toBe(1);
      expect(stderr).toMatch(/ask the owner of the registry/);
      expect(stderr).toMatch(/a(nswered without a)? token/);
    }
  });

  it('shows no credentials that it repeats', async () => {
    const repeating: Quirk = {
      instead: ({ headers: { authorization = '' } }) => ({
        status: 401,
        headers: { 'www-authenticate': authorization ? `Bearer realm="${authorization}"` : 'Basic realm="x"' },
      }),
    };
    const { status, stderr } = await sealed(repeating);
    expect(status).toBe(1);
    expect(stderr).not.toContain(LOGIN.auth);
  });
});

describe('an image', () => {
  it.each([
    ['names no image', { manifests: [] }],
    ['has null for its images', { manifests: null }],
    [
      'names something else',
      { manifests: [{ mediaType: 'application/vnd.example', digest: digestOf(Buffer.from('')), size: 0 }] },
    ],
  ])('whose index %s is refused by its name', async (_, content) => {
    const body = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, ...content }));
    const image = `${proxy.host}/odd/index@${digestOf(body)}`;
    proxy.quirks = [to('GET', MANIFEST, { headers: { 'content-type': OCI_INDEX }, body })];
    const outcome = await runCli(['inspect', image]);
    expect(outcome).toMatchObject({ status: 1, stderr: expect.stringMatching(/NOT_AN_IMAGE|SEAL_REFUSED/) });
    if (outcome.stderr.includes('NOT_AN_IMAGE')) expect(outcome.stderr).toContain(image);
  });

  it('may have layers that zstd compressed, and such as are had elsewhere alone', async () => {
    const at = (repository: string) => ({ registry: proxy.host, repository });
    const registry = createRegistry();
    const layer = await registry.putBlob(at('odd/layers'), Buffer.from('zstd'));
    const config = configOf();
    await registry.putBlob(at('odd/layers'), config);
    const elsewhere = { digest: digestOf(Buffer.from('elsewhere')), size: 9, urls: ['https://example.com/layer'] };
    const layers = [
      { mediaType: 'application/vnd.oci.image.layer.v1.tar+zstd', ...layer },
      { mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', ...elsewhere },
    ];
    const { manifest } = imageOf(config, {
      manifest: (descriptor) => `{"schemaVersion":2,"config":${descriptor},"layers":${JSON.stringify(layers)}}`,
    });
    await registry.putManifest(at('odd/layers'), 'v1', manifest);
    const image = `${proxy.host}/odd/layers@${manifest.digest}`;
    const tag = `${proxy.host}/odd/released:v1`;
    const outcome = await runCli(['seal', image, `metadata=${image}`, '--no-check', '--tag', tag]);
    expect(outcome).toMatchObject({ status: 0 });
    expect(await registry.headBlob(at('odd/released'), layer.digest)).toMatchObject({ size: 4 });
    expect(await runCli(['unseal', tag])).toMatchObject({ status: 0, stdout: `${manifest.digest}\n` });
  });
});

describe('a registry at an address', () => {
  let server: Server;
  afterEach(() => close(server));

  it('of IPv6 is one like any other', async () => {
    const { image1, origin } = await pushChain(real.host, 'six');
    const [, path = ''] = /^[^/]*\/(.*)/.exec(`${image1}@${origin}`) ?? [];
    server = createServer(async ({ url = '', method, headers: { accept = '' } }, response) => {
      const answer = await fetch(`http://${real.host}${url}`, { method, headers: { accept } });
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
      response.end(Buffer.from(await answer.arrayBuffer()));
    });
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '::1', resolve));
    const { port } = server.address() as { port: number };
    expect(await runCli(['inspect', `[::1]:${port}/${path}`])).toMatchObject({ status: 0 });
  });
});

function schema1(): TestResponse {
  const type = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
  return { headers: { 'content-type': type }, body: '{"schemaVersion":1,"fsLayers":[]}' };
}

/** Says so of manifests. */
function labelled(header: string, value: string): Quirk {
  return {
    after: ({ method, path }, { status }) =>
      method === 'GET' && MANIFEST.test(path) ? { status, headers: { [header]: value } } : undefined,
  };
}

function claiming(digest: string): Quirk {
  return labelled('docker-content-digest', digest);
}
