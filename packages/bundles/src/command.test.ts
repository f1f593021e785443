import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRegistry } from '@multi-image/digest-chain/oci';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { run } from './command.ts';
import type { Published } from './publish.ts';
import { pushBase } from './testing/base.ts';
import { buildResolver, HAS_GO } from './testing/resolver.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** What a command prints, and how it ends. */
async function bundles(...args: readonly string[]): Promise<{ code: number; said: string }> {
  const said: string[] = [];
  const write = process.stdout.write;
  process.stdout.write = ((text: string) => said.push(text) > 0) as typeof write;
  try {
    return { code: await run(args, new AbortController().signal), said: said.join('') };
  } finally {
    process.stdout.write = write;
  }
}

const code = (expected: string): unknown => expect.objectContaining({ code: expected });

describe('pnpm bundles', () => {
  let server: TestRegistry;
  let folder: string;
  let base: string;
  let published: Published;
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: folder, encoding: 'utf8' });
  const config = (ownTasks: object | string): string => {
    const file = join(folder, `konflux.${Math.random().toString(36).slice(2)}.config.ts`);
    const chain = {
      application: 'chain',
      namespace: 'tenant',
      git: { url: 'https://git.example/org/chain' },
      registry: 'quay.io/org',
      ownTasks,
      images: [{ role: 'primary', component: 'app', repository: 'app', containerfile: 'Containerfile' }],
    };
    writeFileSync(file, `export default ${JSON.stringify(chain)};\n`);
    return file;
  };

  beforeAll(async () => {
    server = await startTestRegistry();
    const reference = await pushBase(createRegistry(), `${server.host}/base/node`);
    base = `${server.host}/base/node:24@${reference.digest}`;
    // A repository with a commit, of which what is published is what stands here.
    folder = mkdtempSync(join(tmpdir(), 'bundles-command-'));
    mkdirSync(join(folder, 'packages'));
    for (const path of ['packages/digest-chain', 'packages/kit', 'node_modules']) {
      symlinkSync(join(ROOT, path), join(folder, path));
    }
    writeFileSync(join(folder, 'Containerfile'), 'FROM scratch\n');
    git('init', '--quiet');
    git('add', 'packages', 'Containerfile');
    git('-c', 'user.name=a', '-c', 'user.email=a@b.example', 'commit', '--quiet', '--message', 'A commit');
    const rules = join(folder, 'rules.yaml');
    const args = ['--registry', `${server.host}/org/`, '--config', config('source'), '--base', base, '--json'];
    const { said } = await bundles(...args, '--rule-data', rules);
    published = JSON.parse(said) as Published;
    expect(readFileSync(rules, 'utf8')).toBe(published.ruleData);
  });
  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('names what it published by commit and digest, and gives the same the second time', async () => {
    const revision = git('rev-parse', 'HEAD').trim();
    for (const [name, reference] of Object.entries({ runner: published.runner, tasks: published.tasks })) {
      expect(reference).toMatch(new RegExp(`^${server.host}/org/chain-${name}:${revision}@sha256:[0-9a-f]{64}$`));
    }
    const args = ['--registry', `${server.host}/org`, '--config', config('source'), '--base', base];
    const { said, code: exit } = await bundles(...args);
    expect(exit).toBe(0);
    expect(said).toContain(`bundle: '${published.tasks}'`);
    expect(said).toContain(`runner: '${published.runner}'`);
    expect(said).toContain(`pattern: oci://${server.host}/org/chain-tasks`);
  });

  it('makes sure that the bundle of a config runs the pinned image, and writes its tasks', async () => {
    const own = { bundle: published.tasks, runner: published.runner };
    const out = join(folder, 'tasks');
    const { said, code: exit } = await bundles('--check', '--config', config(own), '--write', out);
    expect(exit).toBe(0);
    expect(said).toContain('label-image');
    expect(readdirSync(out).sort()).toEqual(
      ['extract-image', 'label-image', 'link-image', 'resolve-image', 'verify-chain'].map((name) => `${name}.yaml`),
    );
    expect(parse(readFileSync(join(out, 'label-image.yaml'), 'utf8'))).toMatchObject({ kind: 'Task' });
    const runner = published.runner.replace(/[0-9a-f]{64}$/, 'f'.repeat(64));
    await expect(bundles('--check', '--config', config({ ...own, runner }))).rejects.toThrow(code('RUNNER_NOT_PINNED'));
  });

  it('refuses what is called or configured wrongly', async () => {
    const file = config('source');
    await expect(bundles('--config', file)).rejects.toThrow(code('USAGE'));
    await expect(bundles('--unknown')).rejects.toThrow(code('USAGE'));
    await expect(bundles('--check', '--config', file)).rejects.toThrow(code('USAGE'));
    const tag = { bundle: `${server.host}/org/chain-tasks:1`, runner: published.runner };
    await expect(bundles('--check', '--config', config(tag))).rejects.toThrow(code('CONFIG_INVALID'));
    await expect(bundles('--registry', 'a.b/c', '--config', file, '--base', 'a.b/c:1')).rejects.toThrow(
      code('REFERENCE_INVALID'),
    );
  });

  it('refuses what no commit has', async () => {
    const path = join(folder, 'packages', 'digest-chain');
    rmSync(path);
    try {
      const args = ['--registry', `${server.host}/org`, '--config', config('source'), '--base', base];
      await expect(bundles(...args)).rejects.toThrow(code('NOT_A_COMMIT'));
    } finally {
      symlinkSync(join(ROOT, 'packages/digest-chain'), path);
    }
  });

  it.skipIf(!HAS_GO)("is read by Tekton's own resolver (skipped where there is no Go)", () => {
    const resolver = buildResolver();
    const ask = (name: string, kind = 'task'): string =>
      execFileSync(resolver, [published.tasks, kind, name], { encoding: 'utf8', stdio: 'pipe' });
    for (const name of ['label-image', 'link-image', 'extract-image', 'resolve-image', 'verify-chain']) {
      const { data, annotations, source } = JSON.parse(ask(name));
      expect(JSON.parse(data)).toMatchObject({ apiVersion: 'tekton.dev/v1', kind: 'Task', metadata: { name } });
      expect(annotations).toEqual({
        'resolution.tekton.dev/dev.tekton.image.apiVersion': 'v1',
        'resolution.tekton.dev/dev.tekton.image.kind': 'task',
        'resolution.tekton.dev/dev.tekton.image.name': name,
      });
      expect(source).toMatchObject({
        uri: `${server.host}/org/chain-tasks`,
        digest: { sha256: published.tasks.slice(-64) },
        entryPoint: name,
      });
    }
    expect(() => ask('other')).toThrow(/could not find object/);
  });
});
