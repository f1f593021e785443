import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '@multi-image/kit/cache-folder';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cgroupRoots } from './isolate.ts';

const CLI = fileURLToPath(new URL('cli.ts', import.meta.url));

/** Where these clusters are, and where what they are made of is found. */
let folder: string;
let before: readonly string[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lifecycle-'));
  mkdirSync(join(folder, 'tmp'));
  mkdirSync(join(folder, 'multi-image-cluster'));
  const cache = cacheFolder('multi-image-cluster', '');
  for (const name of readdirSync(cache).filter((one) => one !== 'cluster')) {
    symlinkSync(join(cache, name), join(folder, 'multi-image-cluster', name));
  }
  before = cgroups();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function start(...args: readonly string[]) {
  return spawn(process.execPath, args, {
    env: { ...process.env, XDG_CACHE_HOME: folder, TMPDIR: join(folder, 'tmp') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function cluster(...args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = start(CLI, ...args);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

const cgroups = (): readonly string[] =>
  cgroupRoots().flatMap((root) => readdirSync(root).filter((name) => name.startsWith('multi-image-cluster-')));

/** What is there of these clusters: folders, processes, cgroups. */
function left(): readonly string[] {
  const processes = readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`STATE=${folder}/`);
    } catch {
      return false;
    }
  });
  return [
    ...readdirSync(join(folder, 'tmp')),
    ...readdirSync(join(folder, 'multi-image-cluster')).filter((name) => name === 'cluster'),
    ...processes.map((pid) => `process ${pid}`),
    ...cgroups().filter((name) => !before.includes(name)),
  ];
}

test('a person brings one up, looks at it, and takes it down', async () => {
  expect(await cluster('kubectl', 'get', 'nodes')).toMatchObject({
    code: 2,
    output: expect.stringContaining('NOT_UP'),
  });
  const up = await cluster('up', '--admission');
  expect(up.code, up.output).toBe(0);
  expect(up.output).toMatch(/up after .* s\nkubeconfig .*\nAPI server .*\nmemory .* GiB\ndisk .* GiB/);
  expect(left()).not.toEqual([]);
  expect((await cluster('up', '--admission')).output).not.toContain('is ready');
  expect((await cluster('kubectl', 'get', 'crd', 'tasks.tekton.dev', '-o', 'name')).output).toContain(
    'tasks.tekton.dev',
  );
  expect((await cluster('logs')).output.split('\n')).toContain('tekton-webhook');
  expect((await cluster('logs', 'kube-apiserver')).output).toContain('Serving securely');
  expect((await cluster('stop', 'tekton-webhook')).code).toBe(0);
  expect((await cluster('start', 'tekton-webhook')).code).toBe(0);
  expect((await cluster('run', 'ip', 'address', 'show', 'dev', 'node0')).output).toContain('10.88.0.1');
  const down = await cluster('down');
  expect(down.code, down.output).toBe(0);
  expect(left()).toEqual([]);
  expect((await cluster('down')).code).toBe(0);
});

test.each(['etcd is ready', 'kube-apiserver is ready', 'all of it'])(
  'nothing is left of one whose command is killed: %s',
  async (moment) => {
    const module = new URL('cluster.ts', import.meta.url).href;
    const child = start(
      '--input-type=module',
      '--eval',
      `import { startCluster } from ${JSON.stringify(module)};
     await startCluster({ extent: 'admission', onLine: console.log });
     console.log('all of it');`,
    );
    for await (const line of createInterface({ input: child.stdout })) if (line.includes(moment)) break;
    expect(left()).not.toEqual([]);
    child.kill('SIGKILL');
    await expect.poll(left, { timeout: 60_000, interval: 100 }).toEqual([]);
  },
);
