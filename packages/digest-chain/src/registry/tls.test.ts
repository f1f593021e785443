import { writeFile } from 'node:fs/promises';
import { createServer as createProxyServer, type IncomingMessage, type Server } from 'node:http';
import { createServer } from 'node:https';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { createCertificate, type TestCertificate } from '@multi-image/testing/certificate';
import { close, listen, startTestServer } from '@multi-image/testing/http-server';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createRegistry, type RegistryOptions } from './client.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

let certificate: TestCertificate;
let server: Server;
let host: string;
let seen: IncomingMessage[] = [];
let redirect: string | undefined;
let realm: string | undefined;

beforeAll(async () => {
  certificate = await createCertificate();
  server = createServer({ key: certificate.key, cert: certificate.certificate }, (request, response) => {
    seen.push(request);
    if (redirect !== undefined) response.writeHead(307, { location: redirect }).end();
    else if (realm !== undefined) response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}"` }).end();
    else response.writeHead(200, { 'content-type': MANIFEST }).end('{}');
  });
  host = await listen(server);
});
afterAll(async () => {
  if (server !== undefined) await close(server);
  await certificate?.remove();
});
afterEach(() => {
  seen = [];
  redirect = undefined;
  realm = undefined;
  vi.unstubAllEnvs();
});

/** The code of the failure, and everything about it. */
async function read(registry: string, options: RegistryOptions = {}): Promise<Record<string, unknown>> {
  const client = createRegistry({ retries: 0, plainHttp: false, environment: {}, ...options });
  try {
    const { mediaType } = await client.getManifest({ registry, repository: 'a' }, 'latest');
    return { mediaType };
  } catch (error) {
    return { ...(error as object), message: (error as Error).message };
  } finally {
    client.close();
  }
}

describe('trust', () => {
  it('takes the word of a certificate authority that is named, and of no other', async () => {
    await expect(read(host, { caFile: certificate.file })).resolves.toEqual({ mediaType: MANIFEST });
    await expect(read(host, { environment: { SSL_CERT_FILE: certificate.file } })).resolves.toEqual({
      mediaType: MANIFEST,
    });
    const refused = { code: 'REGISTRY_UNREACHABLE', hint: expect.stringContaining('certificate authority') };
    await expect(read(host)).resolves.toMatchObject(refused);
    expect(seen).toHaveLength(2);
  });

  it('is not turned off by a variable', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    await expect(read(host)).resolves.toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
    expect(seen).toHaveLength(0);
  });

  it('says when the file of authorities is of no use', async () => {
    const folder = dirname(certificate.file);
    const garbage = join(folder, 'garbage.pem');
    await writeFile(garbage, '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n');
    const empty = join(folder, 'empty.pem');
    await writeFile(empty, '');
    for (const caFile of [join(folder, 'none.pem'), folder, garbage, empty]) {
      await expect(read(host, { caFile })).resolves.toMatchObject({ code: 'CA_FILE_INVALID' });
    }
  });

  it('says when one side speaks TLS and the other does not', async () => {
    const plain = await startTestServer(() => ({}));
    try {
      const hint = expect.stringContaining('plain HTTP');
      await expect(read(plain.host)).resolves.toMatchObject({ code: 'REGISTRY_UNREACHABLE', hint });
    } finally {
      await plain.stop();
    }
    const { code } = await read(host, { plainHttp: true });
    expect(['RESPONSE_INVALID', 'REGISTRY_ERROR', 'REGISTRY_UNREACHABLE']).toContain(code);
  });
});

describe('what came over TLS stays on TLS', () => {
  it('refuses a redirect that leaves it', async () => {
    redirect = `http://${host}/v2/a/manifests/latest`;
    await expect(read(host, { caFile: certificate.file })).resolves.toMatchObject({ code: 'REDIRECT_REFUSED' });
  });

  it('refuses a token service without it, even on the same host', async () => {
    realm = `http://${host}/token`;
    await expect(read(host, { caFile: certificate.file })).resolves.toMatchObject({ code: 'REALM_REFUSED' });
    await expect(read(host, { caFile: certificate.file, plainHttp: true })).resolves.not.toHaveProperty('mediaType');
    expect(seen).toHaveLength(1);
  });
});

describe('a proxy', () => {
  let proxy: Server;
  let address: string;
  let tunnels: IncomingMessage[] = [];
  let allowed = true;
  beforeAll(async () => {
    proxy = createProxyServer();
    proxy.on('connect', (request: IncomingMessage, socket) => {
      tunnels.push(request);
      if (!allowed) return socket.end('HTTP/1.1 407 hunter2 is wrong\r\n\r\n');
      const [name, port] = host.split(':');
      const upstream = connect(Number(port), name, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.pipe(upstream).pipe(socket);
      });
      upstream.on('error', () => socket.destroy());
      socket.on('error', () => upstream.destroy());
    });
    address = await listen(proxy);
  });
  afterAll(() => close(proxy));
  afterEach(() => {
    tunnels = [];
    allowed = true;
  });

  it('is asked for a tunnel, and alone gets its password', async () => {
    const environment = { https_proxy: `http://user:hunter2@${address}`, NO_PROXY: 'other.example' };
    const options = { environment, caFile: certificate.file };
    await expect(read('registry.example', options)).resolves.toEqual({ mediaType: MANIFEST });
    expect(tunnels.map(({ url }) => url)).toEqual(['registry.example:443']);
    expect(tunnels[0]?.headers['proxy-authorization']).toBe(`Basic ${Buffer.from('user:hunter2').toString('base64')}`);
    expect(seen[0]?.headers).not.toHaveProperty('proxy-authorization');
  });

  it('is not asked for this machine, nor for what is exempt', async () => {
    const environment = { HTTPS_PROXY: `http://${address}`, NO_PROXY: 'registry.invalid' };
    await expect(read(host, { environment, caFile: certificate.file })).resolves.toEqual({ mediaType: MANIFEST });
    await expect(read('registry.invalid', { environment })).resolves.toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
    expect(tunnels).toHaveLength(0);
  });

  it('that refuses is named in the error, without its password', async () => {
    allowed = false;
    const environment = { HTTPS_PROXY: `http://user:hunter2@${address}` };
    const error = await read('registry.example', { environment });
    expect(error).toMatchObject({ code: 'REGISTRY_UNREACHABLE', hint: expect.stringContaining('HTTPS_PROXY') });
    expect(JSON.stringify(error)).not.toContain('hunter2');
  });

  it.each([
    ['does not listen', '127.0.0.1:1', 'ECONNREFUSED'],
    ['has no address', 'proxy.invalid:3128', 'ENOTFOUND'],
  ])('that %s is told from the registry', async (_, place, found) => {
    const environment = { HTTPS_PROXY: `http://user:hunter2@${place}`, HTTP_PROXY: `http://user:hunter2@${place}` };
    for (const plainHttp of [false, true]) {
      const error = await read('registry.example', { environment, plainHttp });
      expect(error).toMatchObject({
        code: 'REGISTRY_UNREACHABLE',
        message: `registry.example can't be reached: its proxy http://${place}/ can't`,
        found: expect.stringContaining(found),
        hint: `check ${plainHttp ? 'HTTP_PROXY' : 'HTTPS_PROXY'} and NO_PROXY`,
      });
      expect(JSON.stringify(error)).not.toContain('hunter2');
    }
  });

  it('leaves a public registry no way to this machine', async () => {
    redirect = `https://${host}/v2/a/manifests/latest`;
    const options = { environment: { HTTPS_PROXY: `http://${address}` }, caFile: certificate.file };
    await expect(read('registry.example', options)).resolves.toMatchObject({ code: 'REDIRECT_REFUSED' });
    expect(seen).toHaveLength(1);
  });
});
