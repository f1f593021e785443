import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readRemote } from '../config/remote.ts';
import { TWO } from '../testing/chains.ts';
import { run } from '../testing/run.ts';
import { Workspace } from '../testing/workspace.ts';

const SOURCE = `import { defineConfig } from '@multi-image/manifests';

// Keep me: namespace: 'not this one'
export default defineConfig({
  application: "chain", // and me
  namespace: 'tenant',
  git: { url: 'https://git.example/org/chain' },
  registry: 'quay.io/org',
  images: ${JSON.stringify(TWO.images)},
});
`;

function workspace(): Workspace {
  const made = new Workspace();
  made.configure(TWO);
  made.install();
  made.write('konflux.config.ts', SOURCE);
  return made;
}

describe('configure', () => {
  test('sets what is given, keeps everything else, renders, and does nothing the second time', async () => {
    using fork = workspace();
    const args = ['configure', '--namespace', 'mine', '--registry', 'quay.io/me/mine', '--branch', 'dev'];
    expect(await run(fork.folder, ...args)).toMatchObject({ code: 0, stderr: '' });
    const edited = readFileSync(fork.path('konflux.config.ts'), 'utf8');
    expect(edited).toBe(
      SOURCE.replace("  namespace: 'tenant'", "  namespace: 'mine'")
        .replace("'quay.io/org'", "'quay.io/me/mine'")
        .replace('git: { url:', "git: { branch: 'dev', url:"),
    );
    expect(readFileSync(fork.path('.tekton/app-push.yaml'), 'utf8')).toContain('namespace: mine\n');
    const again = await run(fork.folder, ...args);
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('0 of 16 files written') });
    expect(readFileSync(fork.path('konflux.config.ts'), 'utf8')).toBe(edited);
  });

  test('--dry-run shows and writes nothing', async () => {
    using fork = workspace();
    const before = readdirSync(fork.folder).sort();
    const { code, stdout } = await run(fork.folder, 'configure', '--namespace', 'mine', '--dry-run');
    expect([code, stdout]).toEqual([0, expect.stringContaining("-  namespace: 'tenant',\n+  namespace: 'mine',")]);
    expect(readFileSync(fork.path('konflux.config.ts'), 'utf8')).toBe(SOURCE);
    expect(readdirSync(fork.folder).sort()).toEqual(before);
  });

  test('a value that is wrong leaves everything as it was', async () => {
    using fork = workspace();
    for (const value of ['Mine', "'; process.exit(0); '", 'a\nb', '']) {
      const { code, stderr } = await run(fork.folder, 'configure', `--namespace=${value}`);
      expect([code, stderr]).toEqual([2, expect.stringContaining('namespace: expected a Kubernetes name')]);
    }
    expect(readFileSync(fork.path('konflux.config.ts'), 'utf8')).toBe(SOURCE);
  });

  test('what doctor would refuse is refused at once', async () => {
    using fork = workspace();
    const { code, stderr } = await run(fork.folder, 'configure', '--namespace', 'mine', '--registry', 'quay.io/me');
    expect([code, stderr]).toEqual([2, expect.stringContaining('registry: expected quay.io/me/mine')]);
    expect((await run(fork.folder, 'configure', '--namespace', 'your-tenant')).stderr).toContain('placeholder');
    expect(readFileSync(fork.path('konflux.config.ts'), 'utf8')).toBe(SOURCE);
  });

  test('has an option for every question, and for each image', async () => {
    using fork = workspace();
    const args = ['--display-name', 'Mine', '--label-prefix', 'com.example.mine', '--component', 'primary=operator'];
    expect((await run(fork.folder, 'configure', ...args, '--repository', 'metadata=bundle')).code).toBe(0);
    const edited = readFileSync(fork.path('konflux.config.ts'), 'utf8');
    for (const text of ["displayName: 'Mine'", "labelPrefix: 'com.example.mine'", "'operator'", "'bundle'"])
      expect(edited).toContain(text);
    expect(readFileSync(fork.path('.tekton/operator-push.yaml'), 'utf8')).toContain('component: operator');
    const { code, stderr } = await run(fork.folder, 'configure', '--component', 'nobody=x');
    expect([code, stderr]).toEqual([2, expect.stringContaining('--component primary=NAME')]);
  });

  test('--dry-run shows what would change in every file', async () => {
    using fork = workspace();
    await run(fork.folder, 'render');
    const { stdout } = await run(fork.folder, 'configure', '--namespace', 'mine', '--dry-run');
    expect(stdout).toContain('+  namespace: mine');
    expect(stdout).toMatch(/^\+\+\+ \.tekton\/app-push\.yaml/m);
    expect(readFileSync(fork.path('.tekton/app-push.yaml'), 'utf8')).toContain('namespace: tenant');
  });

  test('without a terminal, an untouched template is told what is missing', async () => {
    using fork = workspace();
    const template = SOURCE.replace("'tenant'", "'your-tenant-namespace'").replace('quay.io/org', 'quay.io/your-org');
    fork.write('konflux.config.ts', template);
    const { code, stderr } = await run(fork.folder, 'configure');
    expect([code, stderr]).toEqual([2, expect.stringContaining('pnpm configure --namespace NAME --registry PATH')]);
    expect(readFileSync(fork.path('konflux.config.ts'), 'utf8')).toBe(template);
    const some = await run(fork.folder, 'configure', '--namespace', 'mine');
    expect([some.code, some.stdout]).toEqual([0, expect.stringContaining('still placeholders: registry')]);
  });

  test('takes the git url from the remote', async () => {
    using fork = workspace();
    execFileSync('git', ['init', '--quiet'], { cwd: fork.folder });
    execFileSync('git', ['remote', 'add', 'origin', 'git@github.com:me/fork.git'], { cwd: fork.folder });
    expect((await run(fork.folder, 'configure', '--namespace', 'mine')).code).toBe(0);
    expect(readFileSync(fork.path('.tekton/app-push.yaml'), 'utf8')).toContain('https://github.com/me/fork?rev=');
  });

  test('a value that code computes is left to a person', async () => {
    using fork = workspace();
    fork.write('konflux.config.ts', SOURCE.replace("'tenant'", "process.env.NAMESPACE ?? 'tenant'"));
    const { code, stderr } = await run(fork.folder, 'configure', '--namespace', 'mine');
    expect([code, stderr]).toEqual([2, expect.stringContaining("namespace can't be set by a command")]);
  });
});

test.each([
  ['https://github.com/org/repo.git', 'https://github.com/org/repo'],
  ['https://token@github.com/org/repo', 'https://github.com/org/repo'],
  ['git@gitlab.com:group/sub/repo.git', 'https://gitlab.com/group/sub/repo'],
  ['ssh://git@github.com/org/repo.git', 'https://github.com/org/repo'],
  ['/srv/git/repo', undefined],
  ['file:///srv/git/repo', undefined],
])('remote %s', async (url, expected) => {
  using fork = new Workspace();
  execFileSync('git', ['init', '--quiet'], { cwd: fork.folder });
  execFileSync('git', ['remote', 'add', 'origin', url], { cwd: fork.folder });
  expect(await readRemote(fork.folder)).toBe(expected);
});
