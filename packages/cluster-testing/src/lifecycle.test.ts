import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '@multi-image/kit/cache-folder';
import { readCommands } from '@multi-image/testing/document-commands';
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

/** The processes of these clusters, of which the command line has this word. */
function processes(word = ''): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      const read = (file: string): string => readFileSync(`/proc/${pid}/${file}`, 'latin1');
      return /^\d+$/.test(pid) && read('environ').includes(`STATE=${folder}/`) && read('cmdline').includes(word);
    } catch {
      return false;
    }
  });
}

/** What is there of these clusters: folders, processes, cgroups. */
function left(): readonly string[] {
  return [
    ...readdirSync(join(folder, 'tmp')),
    ...readdirSync(join(folder, 'multi-image-cluster')).filter((name) => name === 'cluster'),
    ...processes().map((pid) => `process ${pid}`),
    ...cgroups().filter((name) => !before.includes(name)),
  ];
}

const DOCUMENT = fileURLToPath(new URL('../../../docs/tekton-run.md', import.meta.url));

test('a person brings one up, runs a pod, and takes it down, by the commands of docs/tekton-run.md', async () => {
  expect(await cluster('kubectl', 'get', 'nodes')).toMatchObject({
    code: 2,
    output: expect.stringContaining('NOT_UP'),
  });
  const commands = readCommands(DOCUMENT).find(({ by }) => by?.endsWith('lifecycle.test.ts'));
  const lines = (commands?.text ?? '').trim().split('\n');
  const outputs = new Map<string, string>();
  for (const line of lines) {
    const words = line.replaceAll("'", '').split(' ').slice(2);
    const { code, output } = await cluster(...words);
    expect(code, `${line}\n${output}`).toBe(0);
    outputs.set(line.split(' ').slice(2, 4).join(' '), output);
    if (words[0] === 'down') continue;
    expect(left()).not.toEqual([]);
  }
  expect(outputs.get('up')).toMatch(/up after .* s\nkubeconfig .*\nAPI server .*[\s\S]*\nmemory .* GiB\ndisk .* GiB/);
  expect(outputs.get('kubectl logs')).toBe('hello\n');
  expect(left()).toEqual([]);
  expect((await cluster('down')).code).toBe(0);
});

test('parts are stopped, started and looked at, and one that dies is named', async () => {
  expect((await cluster('up', '--admission')).code).toBe(0);
  expect((await cluster('up', '--admission')).output).not.toContain('is ready');
  expect((await cluster('logs')).output.split('\n')).toContain('tekton-webhook');
  expect((await cluster('logs', 'kube-apiserver')).output).toContain('Serving securely');
  expect((await cluster('stop', 'tekton-webhook')).code).toBe(0);
  expect((await cluster('start', 'tekton-webhook')).code).toBe(0);
  expect((await cluster('run', 'ip', 'address', 'show', 'dev', 'node0')).output).toContain('10.88.0.1');

  // Without its consent: what died, how, and what it said last; what would be done on the rest is not.
  const [pid = ''] = processes('\0kube-controller-manager\0');
  expect(await cluster('run', 'sh', '-c', `kill -KILL ${pid}; sleep 1; echo 'went on'`)).toMatchObject({
    code: 1,
    output: expect.stringMatching(/^went on\n[\s\S]*PART_DIED[\s\S]*kube-controller-manager: it ended with SIGKILL/),
  });
  const refused = await cluster('kubectl', 'get', 'namespaces');
  expect(refused).toMatchObject({
    code: 2,
    output: expect.stringContaining('of the cluster, kube-controller-manager died'),
  });
  expect(refused.output).toMatch(/log\/kube-controller-manager\.log, ends with\n[\s\S]*pnpm cluster up starts again/);
  expect((await cluster('up', '--admission')).output).toMatch(
    /kube-controller-manager had died \(it ended with SIGKILL\), and is started again/,
  );
  expect((await cluster('kubectl', 'get', 'namespaces')).output).toContain('tekton-pipelines');
  expect((await cluster('down')).code).toBe(0);
  expect(left()).toEqual([]);
});

test.each([
  [['--provenance', 'slsa/v3'], 'expected: slsa/v1 or slsa/v2alpha4'],
  [['--encoding', 'sigstore-bundle'], 'its key storage.oci.encoding-format came after the version'],
  [['--memory', '2Gi'], '--memory'],
])('nothing is begun with %s', async (args, said) => {
  expect(await cluster('up', ...args)).toMatchObject({ code: 2, output: expect.stringContaining(said) });
  expect(left()).toEqual([]);
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
