import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { makeFolder } from '@multi-image/testing/source';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../command.ts';
import { buildNodeBase } from '../containers/base-image.ts';
import type { ParamValue } from '../stand-in.ts';
import { result, runStandIn, type StandInRun } from '../testing/stand-in.ts';
import { NO_BASE_LABEL } from './foreign-base.ts';
import { createTrustedArtifacts } from './trusted-artifact.ts';

const [OWN, FOREIGN, FOREIGN_OCI, FOREIGN_MACHINE] =
  process.arch === 'arm64'
    ? (['linux/arm64', 'linux/x86_64', 'linux/amd64', 'x86_64'] as const)
    : (['linux/x86_64', 'linux/arm64', 'linux/arm64', 'aarch64'] as const);

const BASE = `localhost/tekton-local-test/remote-${process.pid}:base`;
const FOREIGN_BASE = `localhost/tekton-local-test/remote-${process.pid}:foreign`;
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
  await buildNodeBase({ tag: BASE });
  source = makeFolder(FILES);
  const of = { store: `${registry.host}/org/source:t`, folders: [{ name: 'S', folder: source }], timestamp: 1 };
  artifact = (await createTrustedArtifacts(of))[0] ?? '';
  const bud = ['bud', '--quiet', '--isolation=chroot', `--platform=${FOREIGN_OCI}`, '--timestamp=0'];
  const containerfile = `--file=${join(source, 'scratch/Containerfile')}`;
  await runCommand('buildah', [...bud, containerfile, `--tag=${FOREIGN_BASE}`, source]);
});

afterAll(async () => {
  await registry?.stop();
  await runCommand('buildah', ['rmi', BASE, FOREIGN_BASE]).catch(() => undefined);
  rmSync(source, { recursive: true, force: true });
});

function build(
  params: Record<string, ParamValue>,
  { task = 'buildah-remote-oci-ta', base = BASE, repository = 'org/image' } = {},
): Promise<StandInRun> {
  const IMAGE = `${registry.host}/${repository}:tag`;
  const fixed = { SOURCE_DATE_EPOCH: '1700000000', REWRITE_TIMESTAMP: 'true', OMIT_HISTORY: 'true' };
  const all = { IMAGE, SOURCE_ARTIFACT: artifact, DOCKERFILE: 'Containerfile', ...fixed, ...params };
  return runStandIn(task, all, { images: { [PINNED]: base }, taskRunName: 'run-build' });
}

interface Config {
  architecture: string;
  os: string;
  config: { Labels: Record<string, string>; Env: string[] };
  rootfs: { diff_ids: string[] };
}

function configOf(run: StandInRun): Config {
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
    expect(run.log).toContain(`Building for ${FOREIGN_OCI} on this machine, which has another one: no RUN.`);
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
    await expect(build({ PLATFORM: FOREIGN, DOCKERFILE: 'run/Containerfile' })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining(`a RUN for ${FOREIGN_OCI} failed on this machine`),
      found: expect.stringContaining('RUN ['),
    });
  });

  it('another failure is not taken for that', async () => {
    const failing = build({ PLATFORM: FOREIGN, DOCKERFILE: 'failing/Containerfile' });
    await expect(failing).rejects.toMatchObject({ code: 'TOOL_FAILED' });
  });

  it('FROM --platform is refused', async () => {
    const mixed = build({ PLATFORM: FOREIGN, DOCKERFILE: 'mixed/Containerfile' });
    await expect(mixed).rejects.toMatchObject({ code: 'UNSUPPORTED' });
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

it.each([
  [{ PLATFORM: 'windows/amd64' }],
  [{ PLATFORM: 'linux/arm64 --privileged' }],
  [{ PLATFORM: 'linux/riscv64' }],
  [{ PLATFORM: '' }],
  [{ PLATFORM: 'local', PRIVILEGED_NESTED: 'true' }],
])('%j is refused', async (params) => {
  await expect(build(params)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
});
