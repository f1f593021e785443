import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { makeFolder } from '@multi-image/testing/source';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runCommand } from '../command.ts';
import { buildNodeBase } from '../containers/base-image.ts';
import type { ParamValue } from '../stand-in.ts';
import { result, runStandIn, type StandInRun } from '../testing/stand-in.ts';
import { createTrustedArtifacts } from './trusted-artifact.ts';

const BASE = `localhost/tekton-local-test/buildah-${process.pid}:base`;
const PINNED = `registry.example.com/org/node:1@sha256:${'a'.repeat(64)}`;
const LITERAL = 'registry.example.com/org/literal:1';
const IMAGES = { [PINNED]: BASE, [LITERAL]: BASE };

const FILES = {
  Containerfile: `ARG BASE_IMAGE=${PINNED}\nFROM \${BASE_IMAGE}\nARG WHO=nobody\nLABEL who="\${WHO}"\nCOPY a.txt /a.txt\n`,
  'literal/Containerfile': `FROM ${LITERAL}\nCOPY a.txt /a.txt\n`,
  'network/Containerfile': `FROM ${LITERAL}\nRUN ["node", "-e", "process.exit(Object.keys(os.networkInterfaces()).length === 0 ? 0 : 9)"]\n`,
  'epoch/Containerfile': 'FROM scratch\nARG SOURCE_DATE_EPOCH\nLABEL epoch="$SOURCE_DATE_EPOCH"\n',
  'slow/Containerfile': `FROM ${LITERAL}\nRUN ["node", "-e", "console.log('running'); setTimeout(() => {}, 60000)"]\n`,
  'broken/Containerfile': 'FROM scratch\nCOPY missing /\n',
  'a.txt': 'text',
  'build.args': '# comment\nWHO=file\n',
};

let registry: TestRegistry;
let source: string;
let artifact: string;

async function store(folder: string): Promise<string> {
  const options = { store: `${registry.host}/org/source:t`, folders: [{ name: 'S', folder }], timestamp: 1 };
  return (await createTrustedArtifacts(options))[0] ?? '';
}

beforeAll(async () => {
  registry = await startTestRegistry();
  await buildNodeBase({ tag: BASE });
  source = makeFolder(FILES);
  artifact = await store(source);
});

afterAll(async () => {
  await registry?.stop();
  await runCommand('buildah', ['rmi', BASE]).catch(() => undefined);
  rmSync(source, { recursive: true, force: true });
});

const REPRODUCIBLE = { SOURCE_DATE_EPOCH: '1700000000', REWRITE_TIMESTAMP: 'true', OMIT_HISTORY: 'true' };

function build(params: Record<string, ParamValue>, repository = 'org/image'): Promise<StandInRun> {
  const IMAGE = `${registry.host}/${repository}:tag`;
  const all = { IMAGE, SOURCE_ARTIFACT: artifact, DOCKERFILE: 'Containerfile', ...REPRODUCIBLE, ...params };
  return runStandIn('buildah-oci-ta', all, { images: IMAGES, taskRunName: 'run-build' });
}

function inspect(reference: string, ...options: string[]): { [key: string]: unknown } {
  const args = ['inspect', '--tls-verify=false', ...options, `docker://${reference.replace(/:tag@/, '@')}`];
  return JSON.parse(execFileSync('skopeo', args, { encoding: 'utf8' }));
}

describe('an image', () => {
  it('is pushed under its tag and the name of the run, and named by its digest', async () => {
    const run = await build({ COMMIT_SHA: 'abc', SOURCE_URL: 'https://example.com/x.git', IMAGE_EXPIRES_AFTER: '5d' });
    const digest = result(run, 'IMAGE_DIGEST');
    const url = `${registry.host}/org/image:tag`;
    expect(run.results).toEqual({
      IMAGE_URL: url,
      IMAGE_DIGEST: digest,
      IMAGE_REF: `${url}@${digest}`,
      SBOM_BLOB_URL: '',
    });
    expect(run.log).toContain('No SBOM is made');
    expect(inspect(url).Digest).toBe(digest);
    expect(inspect(`${registry.host}/org/image:run-build`).Digest).toBe(digest);
    const labels = inspect(url).Labels;
    expect(labels).toMatchObject({
      architecture: process.arch === 'x64' ? 'x86_64' : 'aarch64',
      'vcs-type': 'git',
      'vcs-ref': 'abc',
      'vcs-url': 'https://example.com/x.git',
      'build-date': '2023-11-14T22:13:20Z',
      'org.opencontainers.image.revision': 'abc',
      'org.opencontainers.image.source': 'https://example.com/x.git',
      'org.opencontainers.image.created': '2023-11-14T22:13:20Z',
      'quay.expires-after': '5d',
      who: 'nobody',
    });
    expect(labels).not.toHaveProperty('io.buildah.version');
    const config = inspect(url, '--config') as { created: string; history: { created: string }[] };
    expect(config.created).toBe('2023-11-14T22:13:20Z');
    expect(config.history ?? []).toEqual([]);
  });

  it.each(['oci', 'docker'])('has the same digest each time, in format %s', async (format) => {
    const first = await build({ BUILDAH_FORMAT: format }, 'org/first');
    const second = await build({ BUILDAH_FORMAT: format }, 'org/second');
    expect(result(second, 'IMAGE_DIGEST')).toBe(result(first, 'IMAGE_DIGEST'));
    const manifest = inspect(result(first, 'IMAGE_URL'), '--raw');
    expect(manifest.mediaType).toBe(
      format === 'oci'
        ? 'application/vnd.oci.image.manifest.v1+json'
        : 'application/vnd.docker.distribution.manifest.v2+json',
    );
  });

  it('is built in parallel with the same image', async () => {
    const runs = await Promise.all(['org/p1', 'org/p2', 'org/p3', 'org/p4'].map((name) => build({}, name)));
    expect(new Set(runs.map((run) => result(run, 'IMAGE_DIGEST'))).size).toBe(1);
  });

  it('does not depend on what else its base is called on this machine', async () => {
    const before = result(await build({}), 'IMAGE_DIGEST');
    const others = ['a', 'zz'].map((name) => `localhost/${name}/tekton-local-test-${process.pid}:other`);
    for (const other of others) await runCommand('buildah', ['tag', BASE, other]);
    try {
      expect(result(await build({}), 'IMAGE_DIGEST')).toBe(before);
    } finally {
      await runCommand('buildah', ['rmi', ...others]);
    }
  });

  it('leaves nothing in this machine’s storage', async () => {
    await build({});
    expect(await runCommand('buildah', ['images', '--noheading', '--format={{.Name}}'])).not.toContain(
      'tekton-local/build',
    );
  });

  it('takes build arguments, labels and annotations as they are', async () => {
    const run = await build({
      BUILD_ARGS: ['WHO=$(id) "quoted" a=b'],
      LABELS: ['l=a b=c'],
      ANNOTATIONS: ['n=x y'],
      BUILD_ARGS_FILE: 'build.args',
    });
    expect(inspect(result(run, 'IMAGE_URL')).Labels).toMatchObject({ who: '$(id) "quoted" a=b', l: 'a b=c' });
    expect(inspect(result(run, 'IMAGE_URL'), '--raw').annotations).toMatchObject({ n: 'x y' });
    const byFile = await build({ BUILD_ARGS_FILE: 'build.args' });
    expect(inspect(result(byFile, 'IMAGE_URL')).Labels).toMatchObject({ who: 'file' });
  });

  it('gets SOURCE_DATE_EPOCH where it asks for it', async () => {
    const run = await build({ DOCKERFILE: 'epoch/Containerfile' });
    expect(inspect(result(run, 'IMAGE_URL')).Labels).toMatchObject({ epoch: '1700000000' });
  });

  it('is built on the substitute of a literal base', async () => {
    const run = await build({ DOCKERFILE: 'literal/Containerfile' });
    expect((inspect(result(run, 'IMAGE_URL')).Layers as string[]).length).toBe(2);
  });
});

it('builds without network when it is hermetic', async () => {
  await build({ DOCKERFILE: 'network/Containerfile', HERMETIC: 'true' });
  await expect(build({ DOCKERFILE: 'network/Containerfile', HERMETIC: 'false' })).rejects.toMatchObject({
    code: 'TOOL_FAILED',
  });
});

it('notes that it is not hermetic where the network can’t be taken away', async () => {
  const folder = makeFolder({ unshare: '#!/bin/sh\necho not permitted >&2\nexit 1\n' });
  chmodSync(join(folder, 'unshare'), 0o755);
  vi.stubEnv('PATH', `${folder}:${process.env.PATH}`);
  try {
    const run = await build({ HERMETIC: 'true' });
    expect(run.notes).toEqual([expect.stringMatching(/^HERMETIC is not enforced/)]);
  } finally {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  }
});

it('leaves nothing when it is interrupted', async () => {
  const controller = new AbortController();
  const all = { IMAGE: `${registry.host}/org/slow:tag`, SOURCE_ARTIFACT: artifact, DOCKERFILE: 'slow/Containerfile' };
  const stop = (line: string): void => {
    if (line.includes('running')) controller.abort();
  };
  let workDir = '';
  const onWorkDir = (folder: string): void => {
    workDir = folder;
  };
  const run = runStandIn('buildah-oci-ta', all, { images: IMAGES, signal: controller.signal, log: stop, onWorkDir });
  await expect(run).rejects.toMatchObject({ code: 'INTERRUPTED' });
  expect(workDir).not.toBe('');
  expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(workDir);
  expect(await runCommand('buildah', ['containers', '--quiet'])).toBe('');
});

describe('a build is refused', () => {
  it.each([
    [{ DOCKERFILE: '../../etc/passwd' }, 'UNSAFE_PATH'],
    [{ DOCKERFILE: '/etc/passwd' }, 'UNSAFE_PATH'],
    [{ CONTEXT: '..' }, 'UNSAFE_PATH'],
    [{ CONTEXT: '/' }, 'UNSAFE_PATH'],
    [{ DOCKERFILE: 'nothing' }, 'NOT_FOUND'],
    [{ CONTEXT: 'nothing' }, 'NOT_FOUND'],
    [{ CONTEXT: 'a.txt' }, 'INVALID'],
    [{ IMAGE: 'not a reference' }, 'INVALID'],
    [{ SOURCE_DATE_EPOCH: 'today' }, 'INVALID'],
    [{ BUILD_ARGS: ['nothing'] }, 'INVALID'],
    [{ BUILD_ARGS_FILE: '../x' }, 'UNSAFE_PATH'],
    [{ BUILDAH_FORMAT: 'oci --privileged' }, 'INVALID'],
    [{ PRIVILEGED_NESTED: 'true' }, 'UNSUPPORTED'],
    [{ DOCKERFILE: 'broken/Containerfile' }, 'TOOL_FAILED'],
  ])('for %j', async (params, code) => {
    await expect(build(params as Record<string, ParamValue>)).rejects.toMatchObject({ code });
  });

  it('for a Containerfile that is a link out of the source', async () => {
    const folder = makeFolder({ a: '' });
    try {
      symlinkSync('../../../../etc/hostname', join(folder, 'Containerfile'));
      await expect(build({ SOURCE_ARTIFACT: await store(folder) })).rejects.toMatchObject({ code: 'UNSAFE_PATH' });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('for a registry that is down, with nothing left behind', async () => {
    await expect(build({ IMAGE: '127.0.0.1:1/org/image:tag' })).rejects.toMatchObject({ code: 'TOOL_FAILED' });
    expect(await runCommand('buildah', ['images', '--noheading', '--format={{.Name}}'])).not.toContain(
      'tekton-local/build',
    );
  });
});
