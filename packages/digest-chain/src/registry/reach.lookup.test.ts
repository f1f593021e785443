import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { type Handler, startTestServer, type TestServer } from '@multi-image/testing/http-server';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { createRegistry } from './client.ts';

type Answer = (error: Error | null, addresses: object[]) => void;

// Names that the world's name servers could answer so, and that no test can ask them for.
const ADDRESSES: Readonly<Record<string, string>> = {
  'inward.example': '127.0.0.1',
  'metadata.example': '169.254.169.254',
  'private.example': '10.255.255.1',
};

beforeAll(() => {
  const { lookup } = dns;
  vi.spyOn(dns, 'lookup').mockImplementation(((hostname: string, options: object, callback: Answer) => {
    const address = ADDRESSES[hostname];
    if (address === undefined) lookup(hostname, options, callback as () => void);
    else callback(null, [{ address, family: 4 }]);
  }) as typeof dns.lookup);
  syncBuiltinESMExports();
});
afterAll(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

let server: TestServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

/** What comes of reading from a public registry (behind a proxy, as it can't be anywhere else here) that answers so. */
async function read(registry: string, handler: Handler): Promise<unknown> {
  server = await startTestServer(handler);
  const environment = {
    HTTP_PROXY: `http://${server.host}`,
    NO_PROXY: '.inward.example,inward.example,metadata.example,private.example',
  };
  const client = createRegistry({
    plainHttp: true,
    retries: 0,
    environment,
    credentials: async () => undefined,
  });
  const port = server.host.split(':')[1];
  return client.getManifest({ registry: registry.replace('PORT', `${port}`), repository: 'a' }, 'latest').then(
    () => 'read',
    (error: unknown) => error,
  );
}

const port = (): string => server?.host.split(':')[1] ?? '';

it.each(['inward.example', 'metadata.example', 'private.example'])(
  'a public registry can not lead to %s',
  async (name) => {
    const redirected = await read('registry.example', () => ({
      status: 307,
      headers: { location: `http://${name}:${port()}/` },
    }));
    expect(redirected).toMatchObject({ code: 'REDIRECT_REFUSED' });
    expect(server?.requests).toHaveLength(1);
    await server?.stop();
    const realm = (): string => `Bearer realm="http://${name}:${port()}/"`;
    const challenged = await read('registry.example', () => ({
      status: 401,
      headers: { 'www-authenticate': realm() },
    }));
    expect(challenged).toMatchObject({ code: 'REALM_REFUSED' });
    expect(server?.requests).toHaveLength(1);
  },
);

it('a registry on this machine can lead to this machine, by whatever names', async () => {
  const found = { headers: { 'content-type': 'application/vnd.oci.image.manifest.v1+json' }, body: '{}' };
  const answer: Handler = ({ path }) =>
    path.startsWith('/v2/') ? { status: 307, headers: { location: `http://127.0.0.1:${port()}/x` } } : found;
  await expect(read('inward.example:PORT', answer)).resolves.toBe('read');
});

it('but not to where the clouds keep their secrets', async () => {
  const answer: Handler = () => ({ status: 307, headers: { location: `http://metadata.example:${port()}/x` } });
  await expect(read('inward.example:PORT', answer)).resolves.toMatchObject({ code: 'REDIRECT_REFUSED' });
});

it('nor over a connection that is open already because the caller wanted it', async () => {
  const found = { headers: { 'content-type': 'application/vnd.oci.image.manifest.v1+json' }, body: '{}' };
  const own = await startTestServer(() => found);
  const inward = `inward.example:${own.host.split(':')[1]}`;
  server = await startTestServer(() => ({ status: 307, headers: { location: `http://${inward}/x` } }));
  const environment = { HTTP_PROXY: `http://${server.host}`, NO_PROXY: 'inward.example' };
  const client = createRegistry({ plainHttp: true, retries: 0, environment });
  try {
    await client.getManifest({ registry: inward, repository: 'a' }, 'latest');
    const led = client.getManifest({ registry: 'registry.example', repository: 'a' }, 'latest');
    await expect(led).rejects.toMatchObject({ code: 'REDIRECT_REFUSED' });
    expect(own.requests).toHaveLength(1);
  } finally {
    client.close();
    await own.stop();
  }
});
