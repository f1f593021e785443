import { execFileSync, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createRegistry } from '@multi-image/digest-chain/oci';

import { buildNodeBase } from '@multi-image/tekton-local';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { makeFolder } from '@multi-image/testing/source';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NO_BASE_LABEL } from '../../look/view-image.ts';
import { fail, result, runTask, succeed, type TaskRun } from '../../testing/stand-ins/run-task.ts';
import { NODE_BASE } from './base-image.ts';
import { createTrustedArtifacts } from './trusted-artifacts.ts';

type Params = Readonly<Record<string, string | readonly string[]>>;

const [OWN, FOREIGN, FOREIGN_OCI, FOREIGN_MACHINE] =
  process.arch === 'arm64'
    ? (['linux/arm64', 'linux/x86_64', 'linux/amd64', 'x86_64'] as const)
    : (['linux/x86_64', 'linux/arm64', 'linux/arm64', 'aarch64'] as const);

const FOREIGN_BASE = `localhost/e2e-test/remote-${process.pid}:foreign`;
const PINNED = `registry.example.com/org/node:1@sha256:${'a'.repeat(64)}`;

const FILES = {
  Containerfile: `ARG BASE_IMAGE=${PINNED}\nFROM \${BASE_IMAGE}\nARG WHO=nobody\nENV WHO=\${WHO}\nCOPY --chmod=0444 a.txt /a.txt\nUSER 1001\n`,
  'literal/Containerfile': `FROM ${PINNED}\nCOPY a.txt /a.txt\n`,
  'run/Containerfile': `FROM ${PINNED}\nCOPY a.txt /a.txt\nRUN ["node", "-e", "console.log('executed')"]\n`,
  'failing/Containerfile': `FROM ${PINNED}\nCOPY nothing /\n`,
  'scratch/Containerfile': 'FROM scratch\nCOPY a.txt /a.txt\n',
  'mixed/Containerfile': `FROM --platform=$BUILDPLATFORM ${PINNED}\nCOPY a.txt /a.txt\n`,
  'a.txt': 'text',
};

let registry: TestRegistry;
let source: string;
let artifact: string;

beforeAll(async () => {
  registry = await startTestRegistry();
  await buildNodeBase({ tag: NODE_BASE });
  source = makeFolder(FILES);
  const of = { store: `${registry.host}/org/source:t`, folders: [{ name: 'S', folder: source }] };
  artifact = (await createTrustedArtifacts(createRegistry(), of))[0] ?? '';
  const bud = ['bud', '--quiet', '--isolation=chroot', `--platform=${FOREIGN_OCI}`, '--timestamp=0'];
  const containerfile = `--file=${join(source, 'scratch/Containerfile')}`;
  execFileSync('buildah', [...bud, containerfile, `--tag=${FOREIGN_BASE}`, source], { stdio: 'pipe' });
});

afterAll(async () => {
  await registry?.stop();
  spawnSync('buildah', ['rmi', FOREIGN_BASE]);
  rmSync(source, { recursive: true, force: true });
});

const build = (...[params, options]: Parameters<typeof attempt>): Promise<TaskRun> => succeed(attempt(params, options));

function attempt(
  params: Params,
  { task = 'buildah-remote-oci-ta', base = NODE_BASE, repository = 'org/image' } = {},
): Promise<TaskRun> {
  const IMAGE = `${registry.host}/${repository}:tag`;
  const fixed = { SOURCE_DATE_EPOCH: '1700000000', REWRITE_TIMESTAMP: 'true', OMIT_HISTORY: 'true' };
  const all = { IMAGE, SOURCE_ARTIFACT: artifact, DOCKERFILE: 'Containerfile', ...fixed, ...params };
  return runTask(task, all, { images: { [PINNED]: base } });
}

interface Config {
  architecture: string;
  os: string;
  config: { Labels: Record<string, string>; Env: string[] };
  rootfs: { diff_ids: string[] };
}

function configOf(run: TaskRun): Config {
  const reference = `docker://${registry.host}/org/image@${result(run, 'IMAGE_DIGEST')}`;
  const args = ['inspect', '--tls-verify=false', '--raw', '--config', reference];
  return JSON.parse(execFileSync('skopeo', args, { encoding: 'utf8' }));
}

describe('for another platform', () => {
  it('the image says what it is for, and that it has no base', async () => {
    const run = await build({ PLATFORM: FOREIGN, BUILD_ARGS: ['WHO=me'] });
    const { architecture, os, config, rootfs } = configOf(run);
    expect(`${os}/${architecture}`).toBe(FOREIGN_OCI);
    expect(config.Labels).toMatchObject({
      architecture: FOREIGN_MACHINE,
      [NO_BASE_LABEL]: `the base image for ${FOREIGN_OCI} could not be had: this image can not run`,
    });
    expect(config.Env).toContain('WHO=me');
    // What COPY adds, and nothing of a base of this machine's architecture.
    expect(rootfs.diff_ids.length).toBeLessThanOrEqual(2);
    expect(run.log).toContain(`Building for ${FOREIGN_OCI} on `);
    expect(run.log).toContain("it can't run");
  });

  it('the digest is the same each time', async () => {
    const [first, second] = [await build({ PLATFORM: FOREIGN }), await build({ PLATFORM: FOREIGN })];
    expect(result(second, 'IMAGE_DIGEST')).toBe(result(first, 'IMAGE_DIGEST'));
  });

  it.each(['Containerfile', 'literal/Containerfile'])(
    '%s stands on a substitute of that platform',
    async (DOCKERFILE) => {
      const run = await build({ PLATFORM: FOREIGN, DOCKERFILE }, { base: FOREIGN_BASE });
      const { config, rootfs, architecture } = configOf(run);
      expect(`linux/${architecture}`).toBe(FOREIGN_OCI);
      expect(config.Labels).not.toHaveProperty(NO_BASE_LABEL);
      expect(rootfs.diff_ids.length).toBe(2);
      expect(run.log).not.toContain("can't run");
    },
  );

  it('what stands on nothing is whole', async () => {
    const { architecture, config } = configOf(await build({ PLATFORM: FOREIGN, DOCKERFILE: 'scratch/Containerfile' }));
    expect(`linux/${architecture}`).toBe(FOREIGN_OCI);
    expect(config.Labels).not.toHaveProperty(NO_BASE_LABEL);
  });

  it('a RUN is refused, and named', async () => {
    const said = await fail(attempt({ PLATFORM: FOREIGN, DOCKERFILE: 'run/Containerfile' }));
    expect(said).toContain(`a RUN for ${FOREIGN_OCI} failed on `);
    expect(said).toContain('  found: RUN [');
  });

  it('another failure is not taken for that', async () => {
    const said = await fail(attempt({ PLATFORM: FOREIGN, DOCKERFILE: 'failing/Containerfile' }));
    expect(said).toContain('no such file or directory');
    expect(said).not.toContain('a RUN for');
  });

  it('a base that is had for one platform alone is refused by name', async () => {
    const base = `${registry.host}/org/one-platform`;
    const push = ['push', '--quiet', '--tls-verify=false'];
    for (const [name, image] of Object.entries({ own: NODE_BASE, foreign: FOREIGN_BASE })) {
      execFileSync('buildah', [...push, image, `docker://${base}:${name}`], { stdio: 'pipe' });
    }
    const from = (tag: string): Params => ({ BUILD_ARGS: [`BASE_IMAGE=${base}:${tag}`] });
    const own = `linux/${FOREIGN_OCI === 'linux/arm64' ? 'amd64' : 'arm64'}`;
    try {
      expect(await fail(attempt({ PLATFORM: FOREIGN, ...from('own') }))).toContain(
        `base ${base}:own is not for ${FOREIGN_OCI}\n  expected: an image or an index of that platform\n  found: ${own}`,
      );
      expect(await fail(attempt(from('foreign'), { task: 'buildah-oci-ta' }))).toContain(
        `base ${base}:foreign is not for ${own}`,
      );
    } finally {
      for (const tag of ['own', 'foreign']) spawnSync('buildah', ['rmi', `${base}:${tag}`]);
    }
  });

  it('FROM --platform is refused', async () => {
    const said = await fail(attempt({ PLATFORM: FOREIGN, DOCKERFILE: 'mixed/Containerfile' }));
    expect(said).toContain('FROM --platform is not supported');
  });
});

describe('for this machine’s platform', () => {
  it.each([OWN, 'local', 'localhost'])('%s gives what buildah-oci-ta gives', async (PLATFORM) => {
    const run = await build({ PLATFORM });
    expect(result(run, 'IMAGE_DIGEST')).toBe(result(await build({}, { task: 'buildah-oci-ta' }), 'IMAGE_DIGEST'));
    expect(run.log).not.toContain("can't run");
  });

  it('RUN is executed', async () => {
    expect((await build({ PLATFORM: OWN, DOCKERFILE: 'run/Containerfile' })).log).toContain('executed');
  });
});

it('the tag tells the platform where it is to', async () => {
  const run = await build({ PLATFORM: 'linux-mlarge/arm64', IMAGE_APPEND_PLATFORM: 'true' });
  expect(run.results.IMAGE_URL).toBe(`${registry.host}/org/image:tag-linux-mlarge-arm64`);
});

it.each<[Params]>([
  [{ PLATFORM: 'windows/amd64' }],
  [{ PLATFORM: 'linux/arm64 --privileged' }],
  [{ PLATFORM: 'linux/riscv64' }],
  [{ PLATFORM: '' }],
  [{ PLATFORM: 'local', PRIVILEGED_NESTED: 'true' }],
])('%j is refused', async (params) => {
  expect(await fail(attempt(params))).toMatch(/param PLATFORM is not one|is not supported by this stand-in/);
});
