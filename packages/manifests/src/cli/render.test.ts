import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { chainOf, image, TWO } from '../testing/chains.ts';
import { run } from '../testing/run.ts';
import { Workspace } from '../testing/workspace.ts';

const INIT = /task-init:0\.[0-9.]+@sha256:[0-9a-f]{64}/;
const NEWER = `task-init:0.9.9@sha256:${'0123456789abcdef'.repeat(4)}`;

/** A workspace that was rendered once. */
async function rendered(): Promise<Workspace> {
  const workspace = new Workspace();
  workspace.configure(TWO);
  expect((await run(workspace.folder, 'render')).stderr).toBe('');
  return workspace;
}

function edit(workspace: Workspace, path: string, from: string | RegExp, to: string): void {
  const text = readFileSync(workspace.path(path), 'utf8');
  expect(text).toMatch(from);
  writeFileSync(
    workspace.path(path),
    text.replace(from, () => to),
  );
}

const read = (workspace: Workspace, path: string): string => readFileSync(workspace.path(path), 'utf8');

describe('render', () => {
  test('writes every file once, and nothing the second time', async () => {
    using workspace = await rendered();
    expect(readdirSync(workspace.path('.tekton')).sort()).toEqual([
      'app-pull-request.yaml',
      'app-push.yaml',
      'metadata-scanner-pull-request.yaml',
      'metadata-scanner-push.yaml',
    ]);
    const before = statSync(workspace.path('.tekton/app-push.yaml')).mtimeMs;
    expect(await run(workspace.folder, 'render')).toEqual({ code: 0, stdout: '0 of 16 files written\n', stderr: '' });
    expect(statSync(workspace.path('.tekton/app-push.yaml')).mtimeMs).toBe(before);
    expect((await run(workspace.folder, 'render', '--check')).code).toBe(0);
  });

  test('--check names the file and line of a drift, with what is there and what should be', async () => {
    using workspace = await rendered();
    edit(
      workspace,
      'pipeline/unified-build.yaml',
      '            - IMAGE1_DIGEST=$(tasks.build-image-1.results.IMAGE_DIGEST)\n',
      '',
    );
    const { code, stderr } = await run(workspace.folder, 'render', '--check');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^pipeline\/unified-build\.yaml:[0-9]+: differs from konflux\.config\.ts\n {2}expected: {13}- IMAGE1_DIGEST=/,
    );
    expect(stderr).toContain('DRIFT: 1 file is not');
  });

  test('--check names a file that is missing and one that is left over', async () => {
    using workspace = await rendered();
    workspace.configure(chainOf([image('primary', [], { component: 'app2' }), image('metadata', ['primary'])]));
    const { code, stderr } = await run(workspace.folder, 'render', '--check');
    expect(code).toBe(1);
    expect(stderr).toContain('.tekton/app2-push.yaml:1: differs');
    expect(stderr).toContain(
      '.tekton/metadata-scanner-push.yaml:1: differs from konflux.config.ts\n  expected: no such file',
    );
    expect((await run(workspace.folder, 'render')).stdout).toContain(
      'no longer rendered, delete it or render --force: .tekton/app-push.yaml',
    );
    expect(existsSync(workspace.path('.tekton/app-push.yaml'))).toBe(true);
    expect((await run(workspace.folder, 'render', '--force')).code).toBe(0);
    expect(existsSync(workspace.path('.tekton/app-push.yaml'))).toBe(false);
    expect((await run(workspace.folder, 'render', '--check')).code).toBe(0);
  });

  test('a file that was edited by hand is kept and shown; --force overwrites it', async () => {
    using workspace = await rendered();
    edit(workspace, '.tekton/app-push.yaml', 'max-keep-runs: "3"', 'max-keep-runs: "30"');
    const edited = read(workspace, '.tekton/app-push.yaml');
    const refused = await run(workspace.folder, 'render');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(
      '-    pipelinesascode.tekton.dev/max-keep-runs: "30"\n+    pipelinesascode.tekton.dev/max-keep-runs: "3"\n',
    );
    expect(refused.stderr).toContain('TARGET_EDITED: edited by hand: .tekton/app-push.yaml');
    expect(read(workspace, '.tekton/app-push.yaml')).toBe(edited);
    expect((await run(workspace.folder, 'render', '--force')).code).toBe(0);
    expect((await run(workspace.folder, 'render', '--check')).code).toBe(0);
  });

  test("a file of somebody else's in the way is refused too", async () => {
    using workspace = new Workspace();
    workspace.configure(TWO);
    workspace.write('.tekton/app-push.yaml', '---\nkind: PipelineRun\n');
    expect((await run(workspace.folder, 'render')).stderr).toContain('TARGET_EDITED');
    expect(existsSync(workspace.path('pipeline'))).toBe(false);
  });

  test('--diff shows and does not write; --out writes elsewhere', async () => {
    using workspace = await rendered();
    workspace.configure({ ...TWO, namespace: 'other' });
    const { code, stdout } = await run(workspace.folder, 'render', '--diff');
    expect(code).toBe(0);
    expect(stdout).toContain('-  namespace: tenant\n+  namespace: other\n');
    expect(read(workspace, '.tekton/app-push.yaml')).toContain('namespace: tenant\n');
    expect((await run(workspace.folder, 'render', '--out', workspace.path('elsewhere'))).code).toBe(0);
    expect(read(workspace, 'elsewhere/.tekton/app-push.yaml')).toContain('namespace: other\n');
  });

  test.each(['konflux', 'konflux/service-accounts.yaml'])(
    'where %s cannot be written, every file stays',
    async (path) => {
      using workspace = await rendered();
      workspace.configure({ ...TWO, namespace: 'other' });
      rmSync(workspace.path(path), { recursive: true });
      // Something of the wrong kind in the way: it stops everybody, root too.
      if (path === 'konflux') workspace.write(path, '');
      else mkdirSync(workspace.path(path));
      const { code, stderr } = await run(workspace.folder, 'render');
      expect([code, stderr]).toEqual([1, expect.stringMatching(/^error TARGET_NOT_WRITABLE: .*konflux/)]);
      expect(read(workspace, '.tekton/app-push.yaml')).toContain('namespace: tenant\n');
      expect(readdirSync(workspace.path('.tekton')).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    },
  );
});

describe('pins that a bot changed', () => {
  test('are taken over, into the pins and every other file, and said', async () => {
    using workspace = await rendered();
    edit(workspace, 'pipeline/unified-build.yaml', INIT, NEWER);
    // A bot's pull request has to pass by itself, whichever files it knows.
    const check = await run(workspace.folder, 'render', '--check');
    expect(check).toMatchObject({ code: 0, stderr: '' });
    expect(check.stdout).toContain('`render` takes over from pipeline/unified-build.yaml:');
    const { code, stdout } = await run(workspace.folder, 'render');
    expect(code).toBe(0);
    expect(stdout).toContain(
      'taken over from pipeline/unified-build.yaml:\n  - quay.io/konflux-ci/tekton-catalog/task-init:0.4',
    );
    expect(read(workspace, 'pins.yaml')).toContain(`init: quay.io/konflux-ci/tekton-catalog/${NEWER}\n`);
    expect(read(workspace, 'pipeline/extract-metadata.yaml')).toContain(NEWER);
    expect((await run(workspace.folder, 'render', '--check')).code).toBe(0);
  });

  test('in the file of pins alone are rendered, not reverted', async () => {
    using workspace = await rendered();
    edit(workspace, 'pins.yaml', INIT, NEWER);
    expect((await run(workspace.folder, 'render', '--check')).code).toBe(1);
    const { stdout } = await run(workspace.folder, 'render');
    expect(stdout).not.toContain('taken over');
    expect(read(workspace, 'pipeline/unified-build.yaml')).toContain(NEWER);
  });

  test('everywhere at once are no drift', async () => {
    using workspace = await rendered();
    for (const path of ['pins.yaml', 'pipeline/unified-build.yaml', 'pipeline/extract-metadata.yaml'])
      edit(workspace, path, INIT, NEWER);
    expect((await run(workspace.folder, 'render', '--check')).code).toBe(0);
  });

  test('to two different values: the newer one counts', async () => {
    using workspace = await rendered();
    edit(workspace, 'pipeline/unified-build.yaml', INIT, NEWER);
    edit(workspace, 'pipeline/extract-metadata.yaml', INIT, NEWER.replace('0.9.9', '0.9.8'));
    expect((await run(workspace.folder, 'render')).code).toBe(0);
    for (const file of ['pins.yaml', 'pipeline/unified-build.yaml', 'pipeline/extract-metadata.yaml'])
      expect(read(workspace, file)).toContain(NEWER);
  });

  test('to two digests of one tag stop the rendering, with --force as well', async () => {
    using workspace = await rendered();
    edit(workspace, 'pipeline/unified-build.yaml', INIT, NEWER);
    edit(workspace, 'pipeline/extract-metadata.yaml', INIT, NEWER.replace('0123', '3210'));
    for (const force of [[], ['--force']]) {
      const { code, stderr } = await run(workspace.folder, 'render', ...force);
      expect([code, stderr]).toEqual([1, expect.stringContaining('PINS_CONFLICT')]);
    }
    expect(read(workspace, 'pipeline/unified-build.yaml')).toContain(NEWER);
  });

  test('are never put back to older ones, whatever else was edited and with --force as well', async () => {
    using workspace = await rendered();
    edit(workspace, 'pipeline/unified-build.yaml', INIT, NEWER);
    edit(workspace, 'pipeline/unified-build.yaml', 'description: Builds', 'description: Made');
    expect((await run(workspace.folder, 'render')).stderr).toContain('TARGET_EDITED');
    expect((await run(workspace.folder, 'render', '--force')).code).toBe(0);
    for (const file of ['pins.yaml', 'pipeline/unified-build.yaml', 'pipeline/extract-metadata.yaml'])
      expect(read(workspace, file)).toContain(NEWER);
  });

  test('are not taken over where they are older than the pins', async () => {
    using workspace = await rendered();
    edit(workspace, 'pins.yaml', INIT, NEWER);
    edit(workspace, 'pipeline/unified-build.yaml', INIT, NEWER.replace('0.9.9', '0.0.1'));
    const { stdout } = await run(workspace.folder, 'render', '--force');
    expect(stdout).not.toContain('taken over');
    expect(read(workspace, 'pipeline/unified-build.yaml')).toContain(NEWER);
  });
});

describe('a bot that migrates a task', () => {
  const CLAIR = /task-clair-scan:[0-9.]+@sha256:[0-9a-f]{64}/g;
  const CLAIR_9 = `task-clair-scan:9.9.9@sha256:${'a'.repeat(64)}`;

  /** A newer pin, a param more, one with another value, and one less. */
  async function migrated(): Promise<Workspace> {
    const workspace = await rendered();
    for (const file of ['pipeline/unified-build.yaml', 'pipeline/extract-metadata.yaml']) {
      const text = read(workspace, file).replaceAll(CLAIR, () => CLAIR_9);
      const start = text.indexOf('      params:\n', text.indexOf('task-clair-scan')) + '      params:\n'.length;
      const added = '        - name: image-platform\n          value: linux/amd64\n';
      writeFileSync(workspace.path(file), `${text.slice(0, start)}${added}${text.slice(start)}`);
    }
    edit(
      workspace,
      'pipeline/unified-build.yaml',
      'REWRITE_TIMESTAMP\n          value: "true"',
      'REWRITE_TIMESTAMP\n          value: "it\'s"',
    );
    edit(workspace, 'pipeline/unified-build.yaml', '        - name: OMIT_HISTORY\n          value: "true"\n', '');
    return workspace;
  }

  test('is refused with the text to paste, and taken over with it', async () => {
    using workspace = await migrated();
    const refused = await run(workspace.folder, 'render');
    expect(refused.stderr).toContain('TARGET_EDITED');
    expect(refused.stderr).toContain("'clair-scan': { params: { 'image-platform': 'linux/amd64' } },");
    expect(refused.stderr).toContain(
      "'buildah-oci-ta': { params: { 'REWRITE_TIMESTAMP': 'it\\'s', 'OMIT_HISTORY': null } },",
    );
    const [proposal = ''] = /^ *tasks: \{\n[\s\S]*\n *\},$/m.exec(refused.stderr) ?? [];
    edit(workspace, 'konflux.config.ts', /"application"/, `${proposal}\n  "application"`);
    // OMIT_HISTORY is gone from one of two builds in the file: the config speaks of both.
    const taken = await run(workspace.folder, 'render', '--force');
    expect([taken.code, taken.stderr]).toEqual([0, '']);
    expect(read(workspace, 'pins.yaml')).toContain(CLAIR_9);
    for (const file of ['pipeline/unified-build.yaml', 'pipeline/extract-metadata.yaml']) {
      expect(read(workspace, file)).toContain(CLAIR_9);
      expect(read(workspace, file)).toContain('- name: image-platform\n          value: linux/amd64\n');
      expect(read(workspace, file)).not.toContain('OMIT_HISTORY');
    }
    expect((await run(workspace.folder, 'render', '--check')).code).toBe(0);
  });

  test('needs no --force where the config says all that it changed', async () => {
    using workspace = await rendered();
    workspace.configure({ ...TWO, tasks: { 'clair-scan': { params: { 'image-platform': 'linux/amd64' } } } });
    for (const file of ['pipeline/unified-build.yaml', 'pipeline/extract-metadata.yaml']) {
      const text = read(workspace, file);
      const start = text.indexOf('      params:\n', text.indexOf('task-clair-scan')) + '      params:\n'.length;
      const added = '        - name: image-platform\n          value: linux/amd64\n';
      writeFileSync(workspace.path(file), `${text.slice(0, start)}${added}${text.slice(start)}`);
    }
    expect(await run(workspace.folder, 'render')).toMatchObject({ code: 0, stderr: '' });
    expect((await run(workspace.folder, 'render', '--check')).code).toBe(0);
  });
});

describe('bad input is refused with its code', () => {
  test.each([
    ['CONFIG_NOT_FOUND', undefined],
    ['CONFIG_FAILED', `throw new Error('no \\u001b[31m');`],
    ['CONFIG_FAILED', `throw undefined;`],
    ['CONFIG_FAILED', 'export default {'],
    ['CONFIG_INVALID', 'export const config = {};'],
    ['CONTAINERFILE_MISSING', `export default ${JSON.stringify(TWO)}`],
    ['PINS_INVALID', `export default ${JSON.stringify({ ...TWO, pins: 'none.yaml' })}`],
  ])('%s', async (expected, source) => {
    using workspace = new Workspace();
    if (source !== undefined) workspace.write('konflux.config.ts', source);
    if (expected === 'PINS_INVALID') for (const { containerfile } of TWO.images) workspace.write(containerfile, '');
    const { code, stderr } = await run(workspace.folder, 'render');
    expect(code).toBe(2);
    expect(stderr.startsWith(`error ${expected}: `)).toBe(true);
    expect(stderr).not.toContain('\u001b');
    expect(existsSync(workspace.path('.tekton'))).toBe(false);
  });

  test.each(['render', 'doctor'])('a folder in the place of a config, by %s', async (command) => {
    using workspace = new Workspace();
    workspace.write('konflux.config.ts/konflux.config.ts', '');
    const { code, stderr } = await run(workspace.folder, command);
    expect(stderr).toMatch(/^error CONFIG_NOT_FOUND: no config at /);
    expect(stderr).toContain('found:    a folder');
    expect(stderr).toContain(`--config ${workspace.path('konflux.config.ts/konflux.config.ts')}`);
    expect(code).toBe(2);
  });

  // What a terminal obeys, what reorders text, what shows nothing: each can hide what a file really says.
  const HIDING = ['\u001b[31m', '\u009b', '\u200b', '\u202e', '\u2066', '\u00ad', '\u3164', '\u{e0041}'];

  test.each(HIDING)('%j is shown, in an error and in a diff', async (hiding) => {
    using broken = new Workspace();
    broken.write('konflux.config.ts', `throw new Error(${JSON.stringify(`a${hiding}b`)});`);
    using edited = await rendered();
    edit(edited, '.tekton/app-push.yaml', '"3"', `"${hiding}"`);
    const shown = `\\u{${hiding.codePointAt(0)?.toString(16)}}`;
    const outputs = [
      (await run(broken.folder, 'render')).stderr,
      (await run(edited.folder, 'render')).stderr,
      (await run(edited.folder, 'render', '--diff')).stdout,
      (await run(edited.folder, 'doctor')).stdout,
    ];
    for (const output of outputs) {
      if (hiding !== '\u001b[31m') expect(output).toContain(shown);
      expect(output).not.toContain(hiding.slice(0, 1));
    }
  });

  test.each([
    ['tasks:\n  init: quay.io/x/task-init:0.4\n', 'tasks.init is no pin'],
    ['tasks: [', 'is no YAML'],
  ])('pins: %j', async (text, message) => {
    using workspace = new Workspace();
    workspace.configure(TWO);
    workspace.write('pins.yaml', text);
    expect((await run(workspace.folder, 'render')).stderr).toContain(message);
  });

  test.each([[['rendr']], [[]], [['render', '--chek']], [['render', 'x']], [['configure', '--colour', 'red']]])(
    '%j',
    async (args) => {
      using workspace = new Workspace();
      const { code, stderr } = await run(workspace.folder, ...args);
      expect([code, stderr]).toEqual([2, expect.stringMatching(/^error USAGE: /)]);
    },
  );

  test.each([['render'], ['configure'], ['doctor'], ['schema']])('%s --help', async (command) => {
    using workspace = new Workspace();
    expect(await run(workspace.folder, command, '--help')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Usage: /),
    });
  });
});
