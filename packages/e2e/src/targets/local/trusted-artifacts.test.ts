import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createRegistry, digestOf } from '@multi-image/digest-chain/oci';
import type { StepProgramContext } from '@multi-image/tekton-local';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { makeFolder } from '@multi-image/testing/source';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTrustedArtifacts, requireContained, trustedArtifacts, useTrustedArtifact } from './trusted-artifacts.ts';

const client = createRegistry();
const [program] = Object.values(trustedArtifacts({ registry: client }));
let registry: TestRegistry;
const folders: string[] = [];

beforeAll(async () => {
  registry = await startTestRegistry();
});

afterAll(async () => {
  await registry?.stop();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const FILES = { 'a.txt': 'one', 'sub/b.txt': 'two', 'sub/.hidden': 'three' };

function folder(files: Record<string, string> = {}): string {
  const made = makeFolder(files);
  folders.push(made);
  return made;
}

async function create(source: string): Promise<string> {
  const store = `${registry.host}/org/image:tag.git`;
  const [uri] = await createTrustedArtifacts(client, { store, folders: [{ name: 'SOURCE', folder: source }] });
  return uri ?? '';
}

/** Puts an archive that tar would not make by itself into the registry. */
async function storeArchive(source: string, ...args: string[]): Promise<string> {
  const bytes = execFileSync('tar', ['--create', '--gzip', '--directory', source, ...args], { stdio: 'pipe' });
  const { digest } = await client.putBlob({ registry: registry.host, repository: 'org/image' }, bytes);
  return `oci:${registry.host}/org/image@${digest}`;
}

describe('a trusted artifact', () => {
  it('comes back as it was stored', async () => {
    const source = folder(FILES);
    chmodSync(join(source, 'a.txt'), 0o755);
    symlinkSync('sub/b.txt', join(source, 'link'));
    const uri = await create(source);
    expect(uri).toMatch(new RegExp(`^oci:${registry.host}/org/image@sha256:[0-9a-f]{64}$`));
    const target = folder();
    await useTrustedArtifact(client, uri, target);
    expect(execFileSync('diff', ['--recursive', source, target], { encoding: 'utf8' })).toBe('');
    expect(execFileSync('stat', ['--format=%a', join(target, 'a.txt')], { encoding: 'utf8' })).toBe('755\n');
  });

  it('is one layer of an OCI artifact that has the tag', async () => {
    const uri = await create(folder(FILES));
    const raw = execFileSync('skopeo', [
      'inspect',
      '--raw',
      '--tls-verify=false',
      `docker://${registry.host}/org/image:tag.git`,
    ]);
    const manifest = JSON.parse(raw.toString());
    expect(manifest.config).toEqual({
      mediaType: 'application/vnd.oci.empty.v1+json',
      size: 2,
      digest: digestOf(Buffer.from('{}')),
    });
    expect(manifest.layers.map((layer: { digest: string }) => layer.digest)).toEqual([uri.split('@')[1]]);
  });

  it('is the same for the same content, whatever the times and the umask', async () => {
    const one = folder(FILES);
    const other = folder(FILES);
    utimesSync(join(other, 'a.txt'), 1, 1);
    chmodSync(join(one, 'a.txt'), 0o600);
    chmodSync(join(other, 'a.txt'), 0o664);
    chmodSync(join(other, 'sub'), 0o775);
    const [first, second] = [await create(one), await create(other)];
    // The owner's bits decide: what only they may read is read by nobody else.
    chmodSync(join(one, 'a.txt'), 0o664);
    expect(second).toBe(await create(one));
    expect(first).toBe(second);
    writeFileSync(join(other, 'a.txt'), 'changed');
    expect(await create(other)).not.toBe(second);
  });

  it('is not unpacked when its bytes are others', async () => {
    const uri = await create(folder({ 'tampered.txt': 'original' }));
    const file = registry.blobFile(uri.split('@')[1] ?? '');
    const bytes = readFileSync(file);
    writeFileSync(file, Buffer.concat([bytes, Buffer.from([0])]));
    const target = folder();
    await expect(useTrustedArtifact(client, uri, target)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    expect(existsSync(join(target, 'tampered.txt'))).toBe(false);
  });

  it('is unpacked into an empty folder only', async () => {
    const uri = await create(folder(FILES));
    await expect(useTrustedArtifact(client, uri, folder({ x: '' }))).rejects.toMatchObject({
      code: 'ARTIFACT_INVALID',
    });
  });

  it.each([
    '',
    'oci:',
    'oci:localhost:1/x',
    'oci:localhost:1/x:t',
    `oci:localhost:1/x:t@sha256:${'a'.repeat(64)}`,
    'http://x',
  ])('is not looked for at %j', async (uri) => {
    await expect(useTrustedArtifact(client, uri, folder())).rejects.toMatchObject({ code: 'ARTIFACT_INVALID' });
  });

  it('stays in its folder', async () => {
    const source = folder({ 'in/a': 'x', escaped: 'y' });
    symlinkSync('/etc', join(source, 'in/absolute'));
    mkdirSync(join(source, 'deep/in'), { recursive: true });
    symlinkSync('../../../x', join(source, 'deep/in/up'));
    mkdirSync(join(source, 'pipe'));
    execFileSync('mkfifo', [join(source, 'pipe/fifo')]);
    const archives = {
      'a link to an absolute path': await storeArchive(source, 'in'),
      'a link up and out': await storeArchive(join(source, 'deep'), '.'),
      'a name with ..': await storeArchive(join(source, 'in'), '--absolute-names', '../escaped'),
      'an absolute name': await storeArchive(source, '--absolute-names', join(source, 'escaped')),
      'a pipe': await storeArchive(source, 'pipe'),
    };
    for (const [name, uri] of Object.entries(archives)) {
      const parent = folder();
      const target = join(parent, 'target');
      await expect(useTrustedArtifact(client, uri, target), name).rejects.toMatchObject({
        code: expect.stringMatching(/UNSAFE_PATH|TOOL_FAILED/),
      });
      expect(existsSync(target), name).toBe(false);
      expect(existsSync(join(parent, 'escaped')), name).toBe(false);
    }
  });
});

describe('the step image build-trusted-artifacts', () => {
  function context(args: string[], root: string, results: string): StepProgramContext {
    const hostPath = (path: string): string => {
      if (path === '/tekton/results') return results;
      if (!path.startsWith('/var/workdir/')) throw new Error(`${path} is in no volume of the step`);
      return join(root, path.slice('/var/workdir/'.length));
    };
    return {
      args,
      env: {},
      hostPath,
      hostPathToWrite: hostPath,
      log: () => undefined,
      signal: new AbortController().signal,
    };
  }

  it('creates and uses', async () => {
    const root = folder({ 'source/a': 'x' });
    const results = folder();
    const store = `${registry.host}/org/step:t`;
    const create = ['create', '--store', store, '/tekton/results/SOURCE_ARTIFACT=/var/workdir/source'];
    expect(await program?.(context(create, root, results))).toBe(0);
    const uri = readFileSync(join(results, 'SOURCE_ARTIFACT'), 'utf8');
    const use = ['use', `${uri}=/var/workdir/copy`, '=/var/workdir/nothing'];
    expect(await program?.(context(use, root, results))).toBe(0);
    expect(readFileSync(join(root, 'copy/a'), 'utf8')).toBe('x');
    expect(existsSync(join(root, 'nothing'))).toBe(false);
  });

  it('reaches no path outside the mounts, and understands nothing else', async () => {
    const root = folder({ 'source/a': 'x' });
    const uri = await create(join(root, 'source'));
    const outside = context(['use', `${uri}=/etc/x`], root, root);
    await expect(program?.(outside)).rejects.toThrow('in no volume');
    for (const args of [[], ['push'], ['use', 'x'], ['create', 'a=b']]) {
      await expect(program?.(context(args, root, root))).rejects.toMatchObject({ code: 'ARTIFACT_INVALID' });
    }
  });
});

describe('a folder that is unpacked', () => {
  let parent: string;
  let unpacked: string;

  beforeEach(() => {
    parent = folder({ 'inside/a/b.txt': '', 'inside-not/c.txt': '', 'secret.txt': '' });
    unpacked = join(parent, 'inside');
  });

  it.each(['../secret.txt', '../nothing', '/etc', '../inside-not', 'a/../..', '/'])(
    'with a link to %s is refused',
    async (target) => {
      mkdirSync(join(unpacked, 'x'));
      symlinkSync(target, join(unpacked, 'link'));
      await expect(requireContained(unpacked)).rejects.toMatchObject({
        code: 'UNSAFE_PATH',
        found: `"link" → "${target}"`,
      });
    },
  );

  it('with a link that leads out by way of another is refused', async () => {
    // Taken literally `a/hop/../b.txt` is inside; followed, it is one folder above.
    symlinkSync('..', join(unpacked, 'a/hop'));
    symlinkSync('a/hop/../secret.txt', join(unpacked, 'link'));
    await expect(requireContained(unpacked)).rejects.toMatchObject({
      code: 'UNSAFE_PATH',
      found: '"link" → "a/hop/../secret.txt"',
    });
  });

  it('may have a link to nothing, as long as it stays inside', async () => {
    symlinkSync('nothing/yet', join(unpacked, 'link'));
    await requireContained(unpacked);
  });
});
