import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { BUILT_IN_PINS } from '../pins.ts';
import { TWO } from '../testing/chains.ts';
import { run } from '../testing/run.ts';
import { Workspace } from '../testing/workspace.ts';

const LINKED = `FROM registry.example/base:1@sha256:${'0'.repeat(64)}
ARG IMAGE1_DIGEST
ARG IMAGE1_URL
ENV IMAGE1_DIGEST=\${IMAGE1_DIGEST} IMAGE1_URL=\${IMAGE1_URL}
LABEL io.konflux.poc.primary-image.digest="\${IMAGE1_DIGEST}" io.konflux.poc.primary-image.url="\${IMAGE1_URL}"
`;

interface Report {
  findings: { level: string; about: string; found: string; hint: string }[];
}

async function problems(workspace: Workspace): Promise<string[]> {
  const { stdout } = await run(workspace.folder, 'doctor', '--json');
  const { findings } = JSON.parse(stdout) as Report;
  return findings.filter(({ level }) => level === 'problem').map(({ about }) => about);
}

test('notes what nobody can prove without the key of the build system, or with a verifier that is not there', async () => {
  using workspace = new Workspace();
  workspace.configure(TWO);
  const notes = async () => {
    const { findings } = JSON.parse((await run(workspace.folder, 'doctor', '--json')).stdout) as Report;
    return findings.map(({ about }) => about).join('\n');
  };
  expect(await notes()).toContain('no public key of the build system');
  expect(await notes()).not.toContain('CODEOWNERS');
  workspace.write('.github/CODEOWNERS', '* @your-org/your-team\n');
  expect(await notes()).toContain('.github/CODEOWNERS names a placeholder');
  execFileSync('git', ['init', '--quiet', workspace.folder]);
  expect(await notes()).toContain('this clone has not the commit whose digest-chain judges Snapshots');
});

test('says how pins become one’s own before one edits those of a package', async () => {
  using workspace = new Workspace();
  workspace.configure(TWO);
  execFileSync('git', ['init', '--quiet', workspace.folder]);
  const verifier = async (): Promise<string | undefined> => {
    const { findings } = JSON.parse((await run(workspace.folder, 'doctor', '--json')).stdout) as Report;
    const { found, hint } = findings.find((finding) => finding.hint.includes('verifier')) ?? {};
    return `${found}: ${hint}`;
  };
  expect(await verifier()).toContain('(pins.yaml): git fetch --unshallow; or set verifier');
  workspace.write('konflux.config.ts', `export default ${JSON.stringify(TWO)};\n`);
  expect(await verifier()).toContain(
    `(${BUILT_IN_PINS}): git fetch --unshallow; or copy that file to konflux.pins.yaml`,
  );
});

test.skipIf(!existsSync('/usr/sbin/pivot_root'))(
  'looks for a program where a user’s PATH does not lead, too',
  async () => {
    using workspace = new Workspace();
    workspace.configure(TWO);
    const withoutSbin = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.endsWith('sbin'));
    vi.stubEnv('PATH', withoutSbin.filter((folder) => !existsSync(join(folder, 'pivot_root'))).join(delimiter));
    const { stdout } = await run(workspace.folder, 'doctor');
    vi.unstubAllEnvs();
    expect(stdout).not.toContain('pivot_root');
  },
);

test('has no problem with a repository that is right, and names each one that is not', async () => {
  using workspace = new Workspace();
  const config = { ...TWO, registry: 'quay.io/org/tenant' };
  workspace.configure(config);
  workspace.write('metadata/Containerfile', LINKED);
  await run(workspace.folder, 'render');
  expect(await problems(workspace)).toEqual([]);
  expect((await run(workspace.folder, 'doctor')).code).toBe(0);

  workspace.write(
    'metadata/Containerfile',
    'ARG BASE_IMAGE=registry.example/base:1\nFROM $BASE_IMAGE\nARG IMAGE1_URL\n',
  );
  expect(await problems(workspace)).toEqual([
    'metadata/Containerfile:1: a base image by tag',
    'metadata/Containerfile:3: the image would not say which primary it embeds',
  ]);
  workspace.write('metadata/Containerfile', LINKED);

  const push = workspace.path('.tekton/app-push.yaml');
  writeFileSync(push, readFileSync(push, 'utf8').replace('"3"', '"4"'));
  expect(await problems(workspace)).toEqual([
    expect.stringMatching(/^\.tekton\/app-push\.yaml:[0-9]+ is not as konflux\.config\.ts says$/),
  ]);
  await run(workspace.folder, 'render', '--force');

  workspace.configure(TWO);
  workspace.write('metadata/Containerfile', LINKED);
  await run(workspace.folder, 'render');
  expect(await problems(workspace)).toEqual([expect.stringMatching(/^registry is not where Konflux makes/)]);
  expect((await run(workspace.folder, 'doctor')).stdout).toContain("set registry: 'quay.io/org/tenant'");

  workspace.configure({ ...TWO, namespace: 'your-tenant-namespace', registry: 'quay.io/your-org' });
  workspace.write('metadata/Containerfile', LINKED);
  await run(workspace.folder, 'render');
  expect(await problems(workspace)).toEqual(['namespace is still a placeholder', 'registry is still a placeholder']);
  expect((await run(workspace.folder, 'doctor')).code).toBe(1);
});

test('says what a release policy makes of the tasks, from the source and from a bundle', async () => {
  using workspace = new Workspace();
  const notes = async (): Promise<string> => (await run(workspace.folder, 'doctor')).stdout;
  workspace.configure(TWO);
  expect(await notes()).toContain("ownTasks: 'source'");
  const digest = `sha256:${'0'.repeat(64)}`;
  const ownTasks = { bundle: `quay.io/org/chain-tasks:1@${digest}`, runner: `quay.io/org/chain-runner:1@${digest}` };
  workspace.configure({ ...TWO, ownTasks });
  expect(await notes()).toContain('pattern: oci://quay.io/org/chain-tasks ');
});
