import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRegistry } from '@multi-image/digest-chain/oci';
import { busyboxImage, hasBusybox } from '@multi-image/testing/busybox';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { makeFolder } from '@multi-image/testing/source';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Isolation } from '../../options.ts';
import { runTask, type TaskRun } from '../../testing/stand-ins/run-task.ts';
import { createTrustedArtifacts } from './trusted-artifacts.ts';

const BASE = 'registry.example.com/org/base:1';
// CVE-2024-1753.
const [, minor = 0] = /version 1\.(\d+)/.exec(execFileSync('buildah', ['--version'], { encoding: 'utf8' })) ?? [];
const FLAWED = Number(minor) < 35;
const TRAP = `localhost/multi-image-test/trap:${process.pid}`;
const SECRET = `value-${Math.random()}`;

/** What a stranger's Containerfile tries: whatever it finds it prints after `GOT`. */
describe.skipIf(!hasBusybox)('what a RUN of a build on this machine can reach', () => {
  let registry: TestRegistry;
  let busybox: string;
  let host: string;
  let shared: string;
  let victim: ChildProcess;

  beforeAll(async () => {
    registry = await startTestRegistry();
    busybox = busyboxImage();
    host = mkdtempSync(join(tmpdir(), 'host-of-a-build-'));
    writeFileSync(join(host, 'secret'), SECRET);
    shared = `/dev/shm/host-of-a-build-${process.pid}`;
    writeFileSync(shared, SECRET);
    victim = spawn('sleep', ['600'], { env: { ...process.env, OF_THE_HOST: SECRET }, stdio: 'ignore' });
  });

  afterAll(async () => {
    victim?.kill();
    for (const path of [host, shared]) rmSync(path, { recursive: true, force: true });
    await registry?.stop();
  });

  async function build(
    lines: readonly string[],
    { base = busybox, ...options }: { base?: string; isolation?: Isolation; imageStore?: string } = {},
  ): Promise<TaskRun> {
    const source = makeFolder({ Containerfile: `FROM ${BASE}\n${lines.join('\n')}\n` });
    try {
      const store = `${registry.host}/org/source:t`;
      const [artifact = ''] = await createTrustedArtifacts(createRegistry(), {
        store,
        folders: [{ name: 'S', folder: source }],
      });
      const params = { IMAGE: `${registry.host}/org/image:t`, SOURCE_ARTIFACT: artifact, DOCKERFILE: 'Containerfile' };
      return await runTask('buildah-oci-ta', params, { images: { [BASE]: base }, ...options });
    } finally {
      rmSync(source, { recursive: true, force: true });
    }
  }

  /** A base that makes every build on it do this. Only Docker's format has such triggers. */
  function makeTrap(trigger: string): { image: string; remove(): void } {
    const folder = makeFolder({
      Containerfile: `FROM ${busybox}\nRUN ln -s / /link\nONBUILD ${trigger}\n`,
    });
    const args = ['bud', '--quiet', '--isolation=chroot', '--format=docker', `--tag=${TRAP}`, folder];
    execFileSync('buildah', args, { stdio: 'pipe' });
    rmSync(folder, { recursive: true });
    return { image: TRAP, remove: () => void spawnSync('buildah', ['rmi', TRAP]) };
  }

  const got = ({ log }: TaskRun): string[] => log.split('\n').filter((line) => line.startsWith('GOT'));

  it('is no process, environment, device, shared memory or control group of this machine', async () => {
    const tries = [
      `for file in /proc/*/environ; do busybox tr '\\0' '\\n' <$file; done 2>/dev/null | busybox sed -n 's/^OF_THE_HOST=/GOT environment /p'`,
      'busybox find /dev -type b | while read -r device; do echo GOT $device; done',
      // Where disks have their first block device.
      `for disk in 8 252 253 254 259; do busybox mknod /disk-$disk b $disk 0 && head -c 1 /disk-$disk && echo GOT disk $disk; done`,
      `cat ${shared} >/dev/null && echo GOT shared memory`,
      'busybox find /sys/fs/cgroup -mindepth 1 -type f | head -n 1 | while read -r file; do echo GOT $file; done',
      'ls /proc | busybox grep -c "^[0-9]" | while read -r count; do test $count -lt 20 || echo GOT $count processes; done',
      `kill -9 ${victim.pid} && echo GOT process`,
    ];
    const run = await build([`RUN ${tries.join('; ')}; true`]);
    expect(got(run)).toEqual([]);
    expect(victim.exitCode ?? victim.signalCode).toBe(null);
    expect(run.status).toBe('Succeeded');
  });

  it('is no file of this machine, by a bind mount that follows a link of an image', async () => {
    const mount = '--mount=type=bind,from=0,source=/link,target=/mnt';
    const run = await build([
      'RUN ln -s / /link',
      `FROM ${BASE}`,
      `RUN ${mount} cat /mnt${host}/secret >/dev/null && echo GOT a secret; true`,
      `RUN ${mount} for path in ${import.meta.dirname} boot var/lib/dpkg etc/shadow dev/vda; do test -e /mnt/$path && echo GOT $path; done; true`,
    ]);
    expect(got(run)).toEqual([]);
    expect(run.status).toBe('Succeeded');
  });

  it('is nothing to write to by such a mount, whoever asks for it', async () => {
    const places = [`${host}/written`, `/usr/written-${process.pid}`, `/etc/written-${process.pid}`];
    const write = `RUN --mount=type=bind,from=0,source=/link,target=/mnt,rw touch ${places.map((place) => `/mnt${place}`).join(' ')}; true`;
    const direct = await build(['RUN ln -s / /link', `FROM ${BASE}`, write]);
    const hidden = await build(['RUN ln -s / /link', `FROM ${BASE}`, 'ARG MODE=rw', write.replace(',rw', ',$MODE')]);
    const trap = makeTrap(write.replace('from=0', `from=${TRAP}`));
    const triggered = await build([], { base: trap.image });
    trap.remove();
    for (const place of places) {
      const written = existsSync(place);
      rmSync(place, { force: true });
      expect(written, place).toBe(false);
    }
    if (!FLAWED) return;
    for (const { status, log } of [direct, hidden]) {
      expect(status).toBe('Failed');
      expect(log).toContain('this buildah may follow a link of an image out of the build');
    }
    // Of a base's own trigger nothing is known before the build: it runs, and reaches nothing.
    expect(triggered.log).toContain(`/mnt/usr/written-${process.pid}: Read-only file system`);
  });

  it('is not left to a build that can have no sandbox', async () => {
    const folder = makeFolder({ unshare: '#!/bin/sh\necho "Operation not permitted" >&2\nexit 1\n' });
    chmodSync(join(folder, 'unshare'), 0o755);
    vi.stubEnv('PATH', `${folder}:${process.env.PATH}`);
    try {
      const { status, log } = await build([]);
      expect(status).toBe('Failed');
      expect(log).toContain('Operation not permitted');
      expect((await build([], { isolation: 'chroot' })).status).toBe('Succeeded');
    } finally {
      vi.unstubAllEnvs();
      rmSync(folder, { recursive: true });
    }
  });

  // Each build would hold locks of it, and take them in another order than podman does: both would wait for ever.
  it('is no lock of this machine’s storage', async () => {
    const { store } = JSON.parse(execFileSync('buildah', ['info'], { encoding: 'utf8' }));
    const unlockable = mkdtempSync(join(tmpdir(), 'store-without-locks-'));
    try {
      symlinkSync(join(store.GraphRoot, store.GraphDriverName), join(unlockable, store.GraphDriverName));
      for (const part of [`${store.GraphDriverName}-images`, `${store.GraphDriverName}-layers`]) {
        mkdirSync(join(unlockable, part));
        for (const name of readdirSync(join(store.GraphRoot, part))) {
          if (name.endsWith('.lock')) mkdirSync(join(unlockable, part, name));
          else symlinkSync(join(store.GraphRoot, part, name), join(unlockable, part, name));
        }
      }
      const run = await build(['RUN echo GOT a base'], { imageStore: unlockable, isolation: 'chroot' });
      expect(run.log).toContain('GOT a base');
      expect(run.status, run.log).toBe('Succeeded');
    } finally {
      rmSync(unlockable, { recursive: true });
    }
  });

  it.each(['dir:/etc', 'oci-archive:/etc/hostname'])('is no base in %s', async (base) => {
    const { status, log } = await build([`FROM ${base}`]);
    expect(status).toBe('Failed');
    expect(log).toContain('the Containerfile is built from what is no image of a registry');
  });
});
