import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCertificate, type TestCertificate } from '@multi-image/testing/certificate';
import { pushLayeredImage } from '@multi-image/testing/layered-image';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { startTokenService, type TokenService, USER } from '@multi-image/testing/token-service';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from './digest.ts';
import { createRegistry } from './registry/client.ts';
import { runCli } from './testing/cli.ts';
import {
  bearer,
  errorAnswer,
  mountAnswer,
  PROFILE_LOGIN,
  type QuirkProxy,
  startQuirkProxy,
} from './testing/profiles.ts';

const ROBOT = Buffer.from(`${USER.username}:${USER.password}`).toString('base64');

describe('at a real registry with a token service', () => {
  let certificate: TestCertificate;
  let service: TokenService;
  let guarded: TestRegistry;
  let open: TestRegistry;
  /** Digest of the image under `public/image` of the first and of the other. */
  let image: string;
  beforeAll(async () => {
    certificate = await createCertificate();
    service = await startTokenService(certificate);
    [guarded, open] = await Promise.all([startTestRegistry({ tokens: service.settings }), startTestRegistry()]);
    const credentials = async () => ({ type: 'basic', ...USER }) as const;
    image = await pushLayeredImage(`${open.host}/public/image:v1`, 2, 300_000);
    const registry = createRegistry({ credentials });
    const at = (host: string) => ({ registry: host, repository: 'public/image' });
    const manifest = await registry.getManifest(at(open.host), 'v1');
    const { config, layers } = JSON.parse(Buffer.from(manifest.bytes).toString());
    for (const blob of [config, ...layers]) await registry.copyBlob(blob, at(open.host), at(guarded.host));
    await registry.putManifest(at(guarded.host), 'v1', manifest);
  });
  afterAll(async () => {
    await Promise.all([guarded?.stop(), open?.stop(), service?.stop(), certificate?.remove()]);
  });
  beforeEach(() => {
    service.requests.length = 0;
  });

  const sealInto = (from: string, to: string): string[] => {
    const origin = `${from}/public/image@${image}`;
    return ['seal', origin, `metadata=${origin}`, '--no-check', '--tag', `${to}:v1`];
  };

  it('reads as nobody and writes as somebody in one run: credentials of one path stay there', async () => {
    const to = `${guarded.host}/private/released`;
    const auths = { [`${guarded.host}/private`]: { auth: ROBOT } };
    expect(await runCli(sealInto(guarded.host, to), auths)).toMatchObject({ status: 0 });
    const shown = service.requests.map(({ path, headers }) => {
      const scopes = new URLSearchParams(path.split('?')[1]).getAll('scope').map((scope) => scope.split(':')[1]);
      return [scopes[0], headers.authorization !== undefined];
    });
    expect(shown).toContainEqual(['public/image', false]);
    expect(shown).not.toContainEqual(['public/image', true]);
    expect(shown).not.toContainEqual(['private/released', false]);
    expect(await runCli(['unseal', `${to}:v1`], auths)).toMatchObject({ status: 0 });
    expect(await runCli(['unseal', `${to}:v1`])).toMatchObject({ status: 1 });
  });

  it('reads as nobody in one registry and writes as somebody in another', async () => {
    const auths = { [guarded.host]: { auth: ROBOT } };
    const sealed = await runCli(sealInto(open.host, `${guarded.host}/private/elsewhere`), auths);
    expect(sealed).toMatchObject({ status: 0 });
    const back = await runCli(sealInto(guarded.host, `${open.host}/public/back`));
    expect(back).toMatchObject({ status: 0 });
  });

  it('shows the refresh token that a credential helper gives, and the next one when that is over', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'helper-'));
    try {
      // Its first answer is one that has ended, as a cached one may have.
      const helper = join(folder, 'docker-credential-cloud');
      const answer = (secret: string): string => `printf '{"Username":"<token>","Secret":"%s"}' ${secret}`;
      const script = `#!/bin/sh\ncat >/dev/null\nif mkdir ${folder}/asked 2>/dev/null; then ${answer('ended-identity')}; else ${answer(USER.identity)}; fi\n`;
      await writeFile(helper, script);
      await chmod(helper, 0o755);
      await writeFile(join(folder, 'config.json'), JSON.stringify({ credHelpers: { [guarded.host]: 'cloud' } }));
      const environment = { PATH: `${folder}:${process.env.PATH}`, DOCKER_CONFIG: folder };
      const args = sealInto(guarded.host, `${guarded.host}/private/by-helper`);
      expect(await runCli(args, {}, environment)).toMatchObject({ status: 0 });
      expect(new Set(service.requests.map(({ method }) => method))).toEqual(new Set(['POST']));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('tokens that do not hold for as long as a copy takes', () => {
  const login = `${PROFILE_LOGIN.username}:${PROFILE_LOGIN.password}`;
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

  it.each([2, 3, 5])('are renewed wherever they end (%i requests each)', async (requests) => {
    proxy.quirks = [];
    const name = `ending${requests}`;
    const digest = await pushLayeredImage(`${proxy.host}/${name}:v1`, 3, 1_000_000);
    proxy.quirks = [bearer(login, { anonymousPull: false, requests }), mountAnswer(errorAnswer(405, 'UNSUPPORTED'))];
    const auths = { [proxy.host]: { auth: Buffer.from(login).toString('base64') } };
    const origin = `${proxy.host}/${name}@${digest}`;
    const tag = `${proxy.host}/released/${name}:v1`;
    const sealed = await runCli(['seal', origin, `metadata=${origin}`, '--no-check', '--tag', tag], auths);
    expect(sealed, sealed.stderr).toMatchObject({ status: 0 });
    expect(await runCli(['unseal', tag], auths)).toMatchObject({ status: 0 });
  });

  it('may end a large upload at its beginning, whose connection is closed then', async () => {
    const bytes = Buffer.alloc(24 * 1024 * 1024, 'x');
    const blob = { digest: digestOf(bytes), size: bytes.length };
    let token = 0;
    const sockets = new Set<Socket>();
    const unread: Socket[] = [];
    // As Go's server does: the answer goes out while the body comes in, of which not all is read.
    const server = createServer((socket) => {
      sockets.add(socket.on('error', () => {}));
      let head = '';
      let missing = 0;
      const answer = (text: string, body = ''): void => {
        head = '';
        socket.write(`HTTP/1.1 ${text}\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
      };
      socket.on('data', (chunk: Buffer) => {
        if (missing > 0) {
          missing -= chunk.length;
          if (missing === 0) answer('201 Created');
          return;
        }
        head += chunk.toString('latin1');
        const end = head.indexOf('\r\n\r\n') + 4;
        if (end < 4) return;
        const isCurrent = head.toLowerCase().includes(`authorization: bearer token-${token}\r\n`);
        if (head.startsWith('GET /token')) {
          for (const each of unread.splice(0)) if (each !== socket) each.resetAndDestroy();
          answer('200 OK', `{"token":"token-${++token}"}`);
        } else if (isCurrent && head.startsWith('POST')) {
          // From now on another one is wanted.
          if (token === 1) token++;
          answer('202 Accepted\r\nlocation: /upload/1');
        } else if (isCurrent) {
          missing = bytes.length - (head.length - end);
        } else {
          const challenge = `www-authenticate: Bearer realm="http://127.0.0.1:${port}/token"`;
          socket.write(`HTTP/1.1 401 Unauthorized\r\n${challenge}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
          // What still comes is not read: the other side hears of it by a reset, once it has the answer.
          unread.push(socket.pause());
        }
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    try {
      const credentials = async () => ({ type: 'basic', ...PROFILE_LOGIN }) as const;
      const registry = createRegistry({ credentials, retryPause: 5 });
      const place = { registry: `127.0.0.1:${port}`, repository: 'some/image' };
      async function* pieces(): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < bytes.length; at += 65536) yield bytes.subarray(at, at + 65536);
      }
      await registry.pushBlob(place, blob, pieces);
      expect(token).toBe(3);
    } finally {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
