import { rm, stat, writeFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { plainEnvironment, runCommand } from '../command.ts';
import { TektonLocalError } from '../errors.ts';
import type { StandIn, StandInContext } from '../stand-in.ts';
import { requireContained } from './contained.ts';
import { refuseUnheeded, strings, text } from './param.ts';
import { createTrustedArtifacts } from './trusted-artifact.ts';

/** What the real task does with these, this one does not. */
const UNHEEDED = [
  'refspec',
  'submodulePaths',
  'sparseCheckoutDirectories',
  'symlinkCheckIgnorePattern',
  'mergeTargetBranch',
  'httpProxy',
  'httpsProxy',
];

/** `git-clone-oci-ta`: fetches one revision and stores it, with its `.git`, as a trusted artifact. */
export const gitCloneOciTa: StandIn = {
  task: 'git-clone-oci-ta',
  params: {
    url: { type: 'string' },
    ociStorage: { type: 'string' },
    ...strings({
      caTrustConfigMapKey: 'ca-bundle.crt',
      caTrustConfigMapName: 'trusted-ca',
      depth: '1',
      enableSymlinkCheck: 'true',
      fetchTags: 'false',
      httpProxy: '',
      httpsProxy: '',
      logLevel: 'info',
      mergeSourceDepth: '',
      mergeSourceRepoUrl: '',
      mergeTargetBranch: 'false',
      noProxy: '',
      ociArtifactExpiresAfter: '',
      refspec: '',
      revision: '',
      shortCommitLength: '7',
      sparseCheckoutDirectories: '',
      sslVerify: 'true',
      submodulePaths: '',
      submodules: 'true',
      symlinkCheckIgnorePattern: '',
      targetBranch: 'main',
    }),
  },
  results: [
    'CHAINS-GIT_COMMIT',
    'CHAINS-GIT_URL',
    'SOURCE_ARTIFACT',
    'commit',
    'commit-timestamp',
    'merged_sha',
    'short-commit',
    'url',
  ],
  workspaces: ['basic-auth', 'ssh-directory'],
  async run(context) {
    refuseUnheeded(context, gitCloneOciTa.params, UNHEEDED);
    const url = text(context, 'url');
    const source = join(context.workDir, 'source');
    const git = await prepareGit(context, source);
    const revision = text(context, 'revision') || 'HEAD';
    await fetchRevision(context, git, revision, context.sourceUrl ?? url);
    await git('remote', 'add', 'origin', url);
    const abbreviation = `--abbrev=${count(context, 'shortCommitLength')}`;
    const shown = await git('show', '--no-patch', abbreviation, '--format=%H %h %ct', 'HEAD');
    const [commit = '', shortCommit = '', timestamp = ''] = shown.trim().split(' ');
    context.log(`Fetched ${revision} of ${context.sourceUrl ?? url}: commit ${commit}`);
    await refuseSubmodules(context, source);
    if (text(context, 'enableSymlinkCheck') === 'true') await requireContained(source);
    const [artifact] = await createTrustedArtifacts({
      store: text(context, 'ociStorage'),
      folders: [{ name: 'SOURCE_ARTIFACT', folder: source }],
      timestamp: Number(timestamp),
      expiresAfter: text(context, 'ociArtifactExpiresAfter'),
      signal: context.signal,
    });
    context.log(`Stored the source as ${artifact}`);
    return {
      url,
      commit,
      'short-commit': shortCommit,
      'commit-timestamp': timestamp,
      SOURCE_ARTIFACT: artifact ?? '',
      'CHAINS-GIT_URL': url,
      'CHAINS-GIT_COMMIT': commit,
    };
  },
};

type Git = (...args: string[]) => Promise<string>;

/**
 * An empty repository, and git with a configuration of its own: the user's could name hooks, filters and helpers, all
 * of which run programs.
 */
async function prepareGit(context: StandInContext, source: string): Promise<Git> {
  const configuration = join(context.workDir, 'gitconfig');
  const local = localFolder(context.sourceUrl ?? text(context, 'url'));
  const lines = [
    '[core]\n\thooksPath = /dev/null\n\tlogAllRefUpdates = false\n\tautocrlf = false',
    // With more threads the pack, and so the artifact, would differ from run to run.
    '[pack]\n\tthreads = 1',
    '[gc]\n\tauto = 0\n[maintenance]\n\tauto = false',
    '[advice]\n\tdetachedHead = false',
    `[http]\n\tsslVerify = ${text(context, 'sslVerify') === 'true'}`,
    // The caller named this folder, whoever owns it.
    ...(local === undefined
      ? []
      : ['[safe]', `\tdirectory = ${quoted(local)}`, `\tdirectory = ${quoted(join(local, '.git'))}`]),
  ];
  await writeFile(configuration, `${lines.join('\n')}\n`);
  const env = plainEnvironment({
    GIT_CONFIG_GLOBAL: configuration,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_ALLOW_PROTOCOL: 'file:git:http:https:ssh',
    GIT_TERMINAL_PROMPT: '0',
    GIT_SSH_COMMAND: 'ssh -oBatchMode=yes',
  });
  const { signal } = context;
  await runCommand('git', ['init', '--quiet', '--template=', '--initial-branch=main', source], { env, signal });
  return (...args) => runCommand('git', ['-C', source, ...args], { env, signal });
}

async function fetchRevision(context: StandInContext, git: Git, revision: string, from: string): Promise<void> {
  if (/[\s:*?[\\^~]|^[-+]/.test(revision)) {
    throw new TektonLocalError('INVALID', 'the revision is malformed', { found: JSON.stringify(revision) });
  }
  const depth = count(context, 'depth');
  const options = [
    '--quiet',
    '--no-write-fetch-head',
    text(context, 'fetchTags') === 'true' ? '--tags' : '--no-tags',
    ...(depth === 0 ? [] : [`--depth=${depth}`]),
  ];
  // A ref is needed for what was fetched: it is removed again, so that nothing but HEAD names the commit.
  await git('fetch', ...options, '--', from, `${revision}:refs/tekton-local/revision`);
  await git('checkout', '--quiet', '--detach', 'refs/tekton-local/revision');
  await git('update-ref', '-d', 'refs/tekton-local/revision');
  // The index holds inodes and times of this machine; without them, the artifact is the same wherever it is made.
  await rm(join(context.workDir, 'source/.git/index'), { force: true });
  await git('read-tree', 'HEAD');
}

async function refuseSubmodules(context: StandInContext, source: string): Promise<void> {
  if (text(context, 'submodules') !== 'true') return;
  const found = await stat(join(source, '.gitmodules')).catch(() => undefined);
  if (found === undefined) return;
  throw new TektonLocalError('UNSUPPORTED', 'submodules are not supported locally', {
    found: '.gitmodules',
    hint: 'set the param submodules to "false", or build on the cluster',
  });
}

function count(context: StandInContext, name: string): number {
  const value = text(context, name);
  if (/^[0-9]{1,6}$/.test(value)) return Number(value);
  throw new TektonLocalError('INVALID', `param ${name} is not a number`, { found: JSON.stringify(value) });
}

function localFolder(url: string): string | undefined {
  if (isAbsolute(url)) return url;
  return url.startsWith('file://') ? fileURLToPath(url) : undefined;
}

/** A value as git's configuration files quote it. */
function quoted(value: string): string {
  return `"${value.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n')}"`;
}
