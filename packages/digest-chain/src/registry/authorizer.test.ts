import { createCertificate, type TestCertificate } from '@multi-image/testing/certificate';
import { TestClock } from '@multi-image/testing/clock';
import { type CountingProxy, startCountingProxy } from '@multi-image/testing/counting-proxy';
import { startTestServer, type TestServer } from '@multi-image/testing/http-server';
import { configOf, imageOf } from '@multi-image/testing/image';
import { LOGIN, startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { startTokenService, type TokenService, USER } from '@multi-image/testing/token-service';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '../digest.ts';
import { createRegistry } from './client.ts';
import type { Credentials } from './credentials/credentials.ts';
import type { Registry, Repository } from './registry.ts';

const robot: Credentials = { type: 'basic', username: USER.username, password: USER.password };
const IMAGE = imageOf(configOf());

describe('a registry that counts wrong logins', () => {
  // As Quay does: its token service is on its own host, and who fails too often has to wait.
  const wrong: Credentials = { type: 'basic', username: USER.username, password: 'wrong' };
  const logins = ({ requests }: TestServer): number =>
    requests.filter(({ path }) => path.startsWith('/v2/auth')).length;
  const start = (): Promise<TestServer> =>
    startTestServer(({ path, headers: { host } }) => {
      if (path.startsWith('/v2/auth')) return { status: 401, body: '{"errors":[{"code":"UNAUTHORIZED"}]}' };
      return {
        status: 401,
        headers: { 'www-authenticate': `Bearer realm="http://${host}/v2/auth",service="${host}"` },
      };
    });

  it('is shown one once, however often is asked, and it is not said of a tag', async () => {
    const server = await start();
    try {
      const clock = new TestClock();
      const registry = createRegistry({ clock, retries: 0, credentials: async () => wrong });
      const read = (): Promise<unknown> =>
        registry.getManifest({ registry: server.host, repository: 'org/image' }, 'v1');
      const hint = 'log in again: the credentials were refused';
      await expect(read()).rejects.toMatchObject({ code: 'UNAUTHORIZED', hint });
      await expect(read()).rejects.toMatchObject({ code: 'UNAUTHORIZED', hint });
      expect(logins(server)).toBe(1);
      clock.pass(60_000);
      await expect(read()).rejects.toMatchObject({ code: 'UNAUTHORIZED', hint });
      expect(logins(server)).toBe(2);
    } finally {
      await server.stop();
    }
  });

  it('is shown another one at once', async () => {
    const server = await start();
    try {
      let credentials = wrong;
      const registry = createRegistry({ retries: 0, credentials: async () => credentials });
      const read = (): Promise<unknown> =>
        registry.getManifest({ registry: server.host, repository: 'org/image' }, 'v1');
      await expect(read()).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
      credentials = robot;
      await expect(read()).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
      const shown = server.requests.flatMap(({ path, headers }) =>
        path.startsWith('/v2/auth') ? [headers.authorization ?? ''] : [],
      );
      expect(shown.map((text) => Buffer.from(text.slice('Basic '.length), 'base64').toString())).toEqual([
        `${USER.username}:wrong`,
        `${USER.username}:${USER.password}`,
      ]);
    } finally {
      await server.stop();
    }
  });
});

describe('a registry that wants tokens', () => {
  let certificate: TestCertificate;
  let service: TokenService;
  let server: TestRegistry;
  let proxy: CountingProxy;
  beforeAll(async () => {
    certificate = await createCertificate();
    service = await startTokenService(certificate);
    server = await startTestRegistry({ tokens: service.settings });
    proxy = await startCountingProxy(server.host);
    for (const repository of [at('public/image'), at('private/image'), at('private/other')])
      await push(as(robot), repository);
  });
  afterAll(async () => {
    await Promise.all([proxy?.stop(), server?.stop(), service?.stop(), certificate?.remove()]);
  });
  beforeEach(() => {
    proxy.requests.length = 0;
    service.asked.length = 0;
    service.issued.length = 0;
    service.next = [];
  });

  const at = (repository: string): Repository => ({ registry: proxy.host, repository });
  const as = (credentials?: Credentials, options = {}): Registry => {
    return createRegistry({ retries: 0, credentials: async () => credentials, ...options });
  };

  async function push(registry: Registry, repository: Repository): Promise<void> {
    await registry.putBlob(repository, IMAGE.config);
    await registry.putManifest(repository, 'latest', IMAGE.manifest);
  }

  it('gets one without a login where that is enough', async () => {
    const { digest } = await as().getManifest(at('public/image'), 'latest');
    expect(digest).toBe(IMAGE.manifest.digest);
    expect(service.asked).toEqual([['repository:public/image:pull']]);
    await expect(as().getManifest(at('private/image'), 'latest')).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      hint: expect.stringContaining('private/image'),
    });
  });

  it('asks unasked for the next ones, one for each repository, and once for all who wait', async () => {
    const registry = as(robot);
    await registry.getManifest(at('private/image'), 'latest');
    expect(proxy.requests).toHaveLength(2);
    await Promise.all(Array.from({ length: 5 }, () => registry.getManifest(at('private/other'), 'latest')));
    await registry.getManifest(at('private/image'), 'latest');
    expect(proxy.requests).toHaveLength(8);
    expect(service.asked).toEqual([['repository:private/image:pull'], ['repository:private/other:pull']]);
  });

  it('gets one token to read and write where an upload was opened early', async () => {
    const registry = as(robot);
    const upload = registry.startUpload(at('private/image'));
    await registry.getManifest(at('private/image'), 'latest');
    await upload.finish(Buffer.from(`new ${Math.random()}`));
    await registry.putManifest(at('private/image'), 'other', IMAGE.manifest);
    expect(service.asked).toEqual([['repository:private/image:pull,push']]);
    // GET and POST at the same time, each twice, and two PUTs.
    expect(proxy.requests).toHaveLength(6);
  });

  it('asks for both repositories where it mounts from one to the other', async () => {
    const registry = as(robot);
    const blob = { digest: digestOf(IMAGE.config), size: IMAGE.config.length };
    await registry.getManifest(at('private/image'), 'latest');
    await expect(registry.copyBlob(blob, at('private/image'), at('private/new'))).resolves.toEqual({ mounted: true });
    expect(service.asked.at(-1)).toEqual(['repository:private/new:pull,push', 'repository:private/image:pull']);
  });

  it('takes another token when one is refused, and keeps that', async () => {
    const registry = as(robot);
    service.next = [{ expired: true }];
    await expect(registry.getManifest(at('private/image'), 'latest')).resolves.toMatchObject(IMAGE.manifest);
    expect(service.issued).toHaveLength(2);
    await registry.getManifest(at('private/image'), 'latest');
    expect(service.issued).toHaveLength(2);
    expect(proxy.requests).toHaveLength(4);
  });

  it('takes another token before one ends', async () => {
    const clock = new TestClock();
    const registry = as(robot, { clock });
    service.next = [{ expiresIn: 1 }];
    await registry.getManifest(at('private/image'), 'latest');
    clock.pass(1000);
    proxy.requests.length = 0;
    await Promise.all([1, 2, 3].map(() => registry.getManifest(at('private/image'), 'latest')));
    expect(service.issued).toHaveLength(2);
    expect(proxy.requests).toHaveLength(3);
  });

  it('trades an identity token for one', async () => {
    const registry = as({ type: 'identity', token: USER.identity });
    await expect(registry.getManifest(at('private/image'), 'latest')).resolves.toMatchObject(IMAGE.manifest);
    expect(service.requests.at(-1)).toMatchObject({ method: 'POST', path: '/token' });
  });

  it('shows a bearer token as it is', async () => {
    await as(robot).getManifest(at('private/image'), 'latest');
    const token = service.issued.at(-1) ?? '';
    service.asked.length = 0;
    await expect(as({ type: 'bearer', token }).getManifest(at('private/image'), 'latest')).resolves.toBeDefined();
    expect(service.asked).toEqual([]);
  });

  it.each<[string, Credentials]>([
    ['password', { type: 'basic', username: USER.username, password: 'hunter2-and-more' }],
    ['identity token', { type: 'identity', token: 'hunter2-and-more' }],
    ['bearer token', { type: 'bearer', token: 'hunter2-and-more' }],
  ])('says when a %s is refused, without it', async (_, credentials) => {
    const error = await as(credentials)
      .getManifest(at('private/image'), 'latest')
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'UNAUTHORIZED' });
    expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain('hunter2');
  });

  it('does not end the token of others when the one who asked first is stopped', async () => {
    const registry = as(robot);
    const first = registry.getManifest(at('private/image'), 'latest', { signal: AbortSignal.timeout(1) });
    const second = registry.getManifest(at('private/image'), 'latest');
    const [stopped, done] = await Promise.allSettled([first, second]);
    expect(stopped).toMatchObject({ status: 'rejected', reason: { code: 'ABORTED' } });
    expect(done).toMatchObject({ status: 'fulfilled', value: IMAGE.manifest });
  });
});

describe('a registry that wants a password', () => {
  let server: TestRegistry;
  let proxy: CountingProxy;
  beforeAll(async () => {
    server = await startTestRegistry({ login: true });
    proxy = await startCountingProxy(server.host);
  });
  afterAll(async () => {
    await Promise.all([proxy?.stop(), server?.stop()]);
  });

  it('gets it, unasked from the second request on', async () => {
    const repository = { registry: proxy.host, repository: 'org/image' };
    const registry = createRegistry({ credentials: async () => ({ type: 'basic', ...LOGIN }) });
    await registry.putBlob(repository, IMAGE.config);
    await registry.putManifest(repository, 'latest', IMAGE.manifest);
    await registry.getManifest(repository, 'latest');
    // POST twice, then PUT, PUT, GET.
    expect(proxy.requests).toHaveLength(5);
  });

  it.each<[string, Credentials | undefined]>([
    ['no login', undefined],
    ['a wrong one', { type: 'basic', username: LOGIN.username, password: 'hunter2-and-more' }],
    ['an identity token', { type: 'identity', token: 'hunter2-and-more' }],
  ])('refuses %s', async (_, credentials) => {
    const registry = createRegistry({ credentials: async () => credentials });
    const repository = { registry: proxy.host, repository: 'org/image' };
    const error = await registry.getManifest(repository, 'latest').catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'UNAUTHORIZED', hint: expect.stringContaining('log in') });
    expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain('hunter2');
  });
});
