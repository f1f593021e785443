import { execFileSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createRegistry } from '@multi-image/digest-chain/oci';

import { buildNodeBase } from '@multi-image/tekton-local';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { makeFolder } from '@multi-image/testing/source';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { fail, result, runTask, succeed, type TaskRun, type TaskRunOptions } from '../../testing/stand-ins/run-task.ts';
import { NODE_BASE } from './base-image.ts';
import { createTrustedArtifacts } from './trusted-artifacts.ts';

type Params = Readonly<Record<string, string | readonly string[]>>;

const PINNED = `registry.example.com/org/node:1@sha256:${'a'.repeat(64)}`;
const LITERAL = 'registry.example.com/org/literal:1';
const IMAGES = { [PINNED]: NODE_BASE, [LITERAL]: NODE_BASE };

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
  const options = { store: `${registry.host}/org/source:t`, folders: [{ name: 'S', folder }] };
  return (await createTrustedArtifacts(createRegistry(), options))[0] ?? '';
}

beforeAll(async () => {
  registry = await startTestRegistry();
  await buildNodeBase({ tag: NODE_BASE });
  source = makeFolder(FILES);
  artifact = await store(source);
});

afterAll(async () => {
  await registry?.stop();
  rmSync(source, { recursive: true, force: true });
});

const REPRODUCIBLE = { SOURCE_DATE_EPOCH: '1700000000', REWRITE_TIMESTAMP: 'true', OMIT_HISTORY: 'true' };

const build = (params: Params, repository?: string): Promise<TaskRun> => succeed(attempt(params, repository));

/** The digest of the image as it is built without params of a test's own. */
let plain: string;

function attempt(params: Params, repository = 'org/image', options: TaskRunOptions = {}): Promise<TaskRun> {
  const IMAGE = `${registry.host}/${repository}:tag`;
  const all = { IMAGE, SOURCE_ARTIFACT: artifact, DOCKERFILE: 'Containerfile', ...REPRODUCIBLE, ...params };
  return runTask('buildah-oci-ta', all, { images: IMAGES, ...options });
}

function buildah(...args: string[]): string {
  return execFileSync('buildah', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function tags(repository: string): string[] {
  const args = ['list-tags', '--tls-verify=false', `docker://${registry.host}/${repository}`];
  return JSON.parse(execFileSync('skopeo', args, { encoding: 'utf8' })).Tags;
}

function inspect(reference: string, ...options: string[]): { [key: string]: unknown } {
  const args = ['inspect', '--tls-verify=false', ...options, `docker://${reference.replace(/:tag@/, '@')}`];
  return JSON.parse(execFileSync('skopeo', args, { encoding: 'utf8' }));
}

describe('an image', () => {
  beforeAll(async () => {
    plain = result(await build({}), 'IMAGE_DIGEST');
  });

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
    const own = tags('org/image').filter((tag) => /^run-[0-9a-f]{5}-task$/.test(tag));
    expect(own.map((tag) => inspect(`${registry.host}/org/image:${tag}`).Digest)).toContain(digest);
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

  it('has the same digest each time, in format docker', async () => {
    const runs = [1, 2].map((number) => build({ BUILDAH_FORMAT: 'docker' }, `org/docker${number}`));
    const [first, second] = await Promise.all(runs);
    expect(second?.results.IMAGE_DIGEST).toBe(first?.results.IMAGE_DIGEST);
    const manifest = inspect(first?.results.IMAGE_URL ?? '', '--raw');
    expect(manifest.mediaType).toBe('application/vnd.docker.distribution.manifest.v2+json');
  });

  it('has the same digest each time, in format oci, in parallel with the same image', async () => {
    const runs = await Promise.all(
      ['org/p1', 'org/p2', 'org/p3'].map((name) => build({ BUILDAH_FORMAT: 'oci' }, name)),
    );
    expect(new Set([plain, ...runs.map((run) => result(run, 'IMAGE_DIGEST'))])).toEqual(new Set([plain]));
    const manifest = inspect(result(runs[0] as TaskRun, 'IMAGE_URL'), '--raw');
    expect(manifest.mediaType).toBe('application/vnd.oci.image.manifest.v1+json');
  });

  it('does not depend on what else its base is called on this machine', async () => {
    const others = ['a', 'zz'].map((name) => `localhost/${name}/tekton-local-test-${process.pid}:other`);
    for (const other of others) buildah('tag', NODE_BASE, other);
    try {
      expect(result(await build({}), 'IMAGE_DIGEST')).toBe(plain);
    } finally {
      buildah('rmi', ...others);
    }
  });

  it('is built where this machine has it already, as after a look at one that was kept', async () => {
    const image = `${registry.host}/org/image@${plain}`;
    buildah('pull', '--quiet', '--tls-verify=false', image);
    try {
      expect(result(await build({}, 'org/again'), 'IMAGE_DIGEST')).toBe(plain);
    } finally {
      buildah('rmi', image);
    }
  });

  it('leaves nothing in this machine’s storage', () => {
    expect(buildah('images', '--noheading', '--format={{.Name}}')).not.toContain('stand-in/build');
  });

  it('takes build arguments, labels and annotations as they are', async () => {
    const run = await build({
      BUILD_ARGS: ['WHO=`id` $HOME "quoted" a=b'],
      LABELS: ['l=a b=c'],
      ANNOTATIONS: ['n=x y'],
      BUILD_ARGS_FILE: 'build.args',
    });
    expect(inspect(result(run, 'IMAGE_URL')).Labels).toMatchObject({ who: '`id` $HOME "quoted" a=b', l: 'a b=c' });
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
  expect(await fail(attempt({ DOCKERFILE: 'network/Containerfile', HERMETIC: 'false' }))).toContain('exit status 9');
});

it('notes that it is not hermetic where the network can’t be taken away', async () => {
  const [real = ''] = execFileSync('sh', ['-c', 'command -v unshare'], { encoding: 'utf8' }).split('\n');
  const lines = ['#!/bin/sh', 'case " $* " in *" --net "*) exit 1;; esac', `exec ${real} "$@"`, ''];
  const folder = makeFolder({ unshare: lines.join('\n') });
  chmodSync(join(folder, 'unshare'), 0o755);
  vi.stubEnv('PATH', `${folder}:${process.env.PATH}`);
  try {
    const run = await build({ HERMETIC: 'true' });
    expect(run.notes).toContainEqual(expect.stringMatching(/^task: HERMETIC is not enforced/));
  } finally {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  }
});

it('leaves nothing when it is interrupted', async () => {
  const controller = new AbortController();
  const all = { IMAGE: `${registry.host}/org/slow:tag`, SOURCE_ARTIFACT: artifact, DOCKERFILE: 'slow/Containerfile' };
  const workDir = makeFolder({});
  // Whoever works on this machine may have some of his own.
  const before = buildah('containers', '--quiet');
  try {
    const { status } = await runTask('buildah-oci-ta', all, {
      images: IMAGES,
      signal: controller.signal,
      onLog: (line) => line.includes('running') && controller.abort(),
      workDir,
    });
    expect(status).toBe('Cancelled');
    expect(readdirSync(workDir)).toEqual([]);
    expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(workDir);
    expect(buildah('containers', '--quiet')).toBe(before);
  } finally {
    rmSync(workDir, { recursive: true, force: true });
  }
});

describe('a build is refused', () => {
  it.each<[Params, string]>([
    [{ DOCKERFILE: '../../etc/passwd' }, 'the param DOCKERFILE leads out of the source'],
    [{ DOCKERFILE: '/etc/passwd' }, 'the param DOCKERFILE leads out of the source'],
    [{ CONTEXT: '..' }, 'the param CONTEXT leads out of the source'],
    [{ CONTEXT: '/' }, 'the param CONTEXT leads out of the source'],
    [{ DOCKERFILE: 'nothing' }, 'there is no such Containerfile'],
    [{ CONTEXT: 'nothing' }, 'the param CONTEXT is not a folder'],
    [{ CONTEXT: 'a.txt' }, 'the param CONTEXT is not a folder'],
    [{ IMAGE: 'not a reference' }, 'param IMAGE is no reference'],
    [{ SOURCE_DATE_EPOCH: 'today' }, 'is not a time'],
    [{ BUILD_ARGS: ['nothing'] }, 'not name=value'],
    [{ BUILD_ARGS_FILE: '../x' }, 'the param BUILD_ARGS_FILE leads out of the source'],
    [{ BUILDAH_FORMAT: 'oci --privileged' }, 'param BUILDAH_FORMAT is unknown'],
    [{ PRIVILEGED_NESTED: 'true' }, 'param PRIVILEGED_NESTED is not supported'],
    [{ DOCKERFILE: 'broken/Containerfile' }, 'no such file or directory'],
  ])('for %j', async (params, message) => {
    expect(await fail(attempt(params))).toContain(message);
  });

  it('for a Containerfile that is a link out of the source', async () => {
    const folder = makeFolder({ a: '' });
    try {
      symlinkSync('../../../../etc/hostname', join(folder, 'Containerfile'));
      expect(await fail(attempt({ SOURCE_ARTIFACT: await store(folder) }))).toContain('a link leads out of the source');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it.each([':1', `@sha256:${'c'.repeat(64)}`])(
    'for a base that can’t be pulled, by its name: none%s',
    async (version) => {
      const base = `${registry.host}/org/none${version}`;
      expect(await fail(attempt({ BUILD_ARGS: [`BASE_IMAGE=${base}`] }))).toContain(
        `base ${base} can't be pulled\n  expected: an image that can be had from here`,
      );
    },
  );

  it('for a registry that is down, with nothing left behind', async () => {
    // buildah itself waits six seconds for such a registry, each time.
    const once = attempt({ IMAGE: '127.0.0.1:1/org/image:tag' }, undefined, { retryPauses: [] });
    expect(await fail(once)).toContain('connection refused');
    expect(buildah('images', '--noheading', '--format={{.Name}}')).not.toContain('stand-in/build');
  });
});
