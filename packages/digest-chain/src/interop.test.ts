import { existsSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildChain, REVISION, type TestChain } from '@multi-image/testing/chain';
import { command, hasCommand } from '@multi-image/testing/command';
import { startEnvironment, type TestEnvironment } from '@multi-image/testing/environment';
import { pushLayeredImage } from '@multi-image/testing/layered-image';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDigestReference, parseReference, parseTagReference } from './reference.ts';
import { createRegistry } from './registry/client.ts';
import { seal } from './seal.ts';
import { verify } from './verify.ts';

// What other tools make of a sealed image. Those that are missing skip their tests by name.

const registry = createRegistry();
let environment: TestEnvironment;

beforeAll(async () => {
  environment = await startEnvironment();
});
afterAll(async () => {
  await environment.stop();
});

/** Publishes the sealed image; answers with its reference by tag and by digest. */
async function sealChain(
  chain: TestChain,
  options: { statement?: false } = {},
): Promise<{ tag: string; sealed: string }> {
  const linked = { role: 'metadata', image: parseDigestReference(`${chain.image2}:${REVISION}@${chain.metadata}`) };
  const tag = `${chain.image1}:${REVISION}`;
  const { digest } = await seal(registry, parseDigestReference(`${chain.image1}@${chain.origin}`), [linked], {
    tag: parseTagReference(tag),
    ...options,
  });
  return { tag, sealed: `${chain.image1}@${digest}` };
}

const build = (name: string, options: Parameters<typeof buildChain>[3] = {}): Promise<TestChain> => {
  return buildChain(environment.builder, environment.registry.host, name, options);
};

const INSECURE = ['--src-tls-verify=false', '--dest-tls-verify=false'];

describe.skipIf(!hasCommand('skopeo'))('skopeo', () => {
  it.each([
    ['an OCI image', 'oci', undefined],
    ['an OCI index', 'oci', ['linux/amd64', 'linux/arm64']],
    ['a Docker image', 'dir', undefined],
    ['a Docker manifest list', 'dir', ['linux/amd64', 'linux/arm64']],
  ] as const)('takes %s out of the registry and puts it back as it was', async (name, transport, platforms) => {
    const format = transport === 'oci' ? 'oci' : 'docker';
    const key = name.toLowerCase().replaceAll(' ', '-');
    const chain = await build(`skopeo-${key}`, { format, ...(platforms === undefined ? {} : { platforms }) });
    const { tag, sealed } = await sealChain(chain);
    const away = `${transport}:${join(environment.builder.folder, key)}`;
    const copy = ['copy', '-q', '--all', '--preserve-digests', ...INSECURE];
    await command('skopeo', [...copy, `docker://${tag}`, away]);
    await command('skopeo', [...copy, away, `docker://${chain.image1}:back`]);
    const back = await registry.getManifest(parseReference(chain.image1), 'back');
    expect(`${chain.image1}@${back.digest}`).toBe(sealed);
    expect((await verify(registry, parseReference(`${chain.image1}:back`))).level).toBe('linked');
  });
});

describe.skipIf(!hasCommand('crane'))('crane validate --remote (needs crane)', () => {
  it.each(['oci', 'docker'] as const)('finds nothing wrong (%s)', async (format) => {
    const { sealed } = await sealChain(await build(`crane-${format}`, { format }));
    await command('crane', ['validate', '--remote', sealed]);
  });

  it('finds nothing wrong with many layers in another repository', async () => {
    const name = `${environment.registry.host}/crane-layers`;
    const origin = parseDigestReference(`${name}@${await pushLayeredImage(`${name}:origin`, 12, 5000)}`);
    const to = { registry: origin.registry, repository: 'crane-elsewhere' };
    const { digest } = await seal(registry, origin, [{ role: 'metadata', image: origin }], { to });
    await command('crane', ['validate', '--remote', `${to.registry}/${to.repository}@${digest}`]);
  });
});

describe.skipIf(!hasCommand('cosign'))('cosign (needs cosign)', () => {
  it.each([
    ['by tag', ['--new-bundle-format=false']],
    ['as a bundle', []],
  ])('signs a sealed image and verifies it, %s', async (name, flags) => {
    const { sealed } = await sealChain(await build(`cosign-${flags.length}`), { statement: false });
    const { folder } = environment.builder;
    const environmentOf = { COSIGN_PASSWORD: '', HOME: folder };
    const prefix = join(folder, name.replaceAll(' ', '-'));
    await command('cosign', ['generate-key-pair', '--output-key-prefix', prefix], environmentOf);
    const offline = ['--use-signing-config=false', '--tlog-upload=false', '--allow-http-registry', '--yes'];
    await command('cosign', ['sign', '--key', `${prefix}.key`, ...offline, ...flags, sealed], environmentOf);
    const check = ['verify', '--key', `${prefix}.pub`, '--insecure-ignore-tlog=true', '--allow-http-registry'];
    const said = JSON.parse(await command('cosign', [...check, ...flags, sealed], environmentOf));
    expect(JSON.stringify(said)).toContain(sealed.split('@')[1]);
    // A signature beside the labels is no statement about them.
    expect(await verify(registry, parseReference(sealed))).toMatchObject({ level: 'linked' });
  });
});

const BUSYBOX = '/bin/busybox';

describe.skipIf(!hasCommand('podman') || !existsSync(BUSYBOX))('podman (needs podman and busybox-static)', () => {
  it('runs a sealed image', async () => {
    await copyFile(BUSYBOX, join(environment.builder.folder, 'context', 'busybox'));
    const image1 = `${environment.registry.host}/podman/image1`;
    const labels = `LABEL org.opencontainers.image.revision=${REVISION}`;
    const containerfile = `FROM scratch\nCOPY busybox /busybox\n${labels}\nENTRYPOINT ["/busybox", "echo", "it runs"]\n`;
    const origin = await environment.builder.build(`${image1}:origin`, containerfile);
    const chain = await build('podman', { embedded: origin });
    const linked = { role: 'metadata', image: parseDigestReference(`${chain.image2}@${chain.metadata}`) };
    const { digest } = await seal(registry, parseDigestReference(`${image1}@${origin}`), [linked]);
    expect(await podmanRun(`${image1}@${digest}`)).toBe('it runs\n');
  });
});

/** As podman is set up, or else as it works where cgroups are old and limits can't be raised. */
async function podmanRun(image: string): Promise<string> {
  const { folder } = environment.builder;
  const store = ['--root', join(folder, 'pod'), '--runroot', join(folder, 'pod-run'), '--storage-driver', 'vfs'];
  const run = ['run', '--rm', '-q', '--tls-verify=false', '--network', 'none'];
  const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024'];
  try {
    return await command('podman', [...store, ...run, image]);
  } catch {
    return await command('podman', [...store, '--runtime', 'runc', ...run, ...limits, image]);
  }
}
