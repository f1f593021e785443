import { type CommandResult, run } from '@multi-image/kit/commands';
import { isCommit } from '@multi-image/kit/git-commit';
import { inTemporaryFolder } from '@multi-image/kit/temporary-folder';
import { findRenderedDrift, isPlaceholder, render } from '@multi-image/manifests';
import { E2eError } from '../../../errors.ts';
import { gitEnvironment } from '../../../git-environment.ts';
import type { ClusterRun } from '../cluster-run.ts';
import { type Finding, note, problem } from '../finding.ts';

/** The commit to build: the one that is asked for, or HEAD. Throws `NOT_A_GIT_REPOSITORY`, `NO_COMMIT`. */
export async function findCommit(root: string, wanted?: string): Promise<string> {
  if (wanted !== undefined) return wanted;
  const found = await git(['-C', root, 'rev-parse', '--verify', 'HEAD^{commit}']);
  const revision = found.stdout.trim();
  if (found.exitCode === 0 && isCommit(revision)) return revision;
  const isRepository = (await git(['-C', root, 'rev-parse', '--git-dir'])).exitCode === 0;
  throw isRepository
    ? new E2eError('NO_COMMIT', 'the repository has no commit yet', { hint: 'commit and push something first' })
    : new E2eError('NOT_A_GIT_REPOSITORY', 'the pipelines build a git commit, and this is no git repository', {
        expected: 'a clone of the repository',
        found: root,
        hint: 'clone it, or name the commit with --commit',
      });
}

export interface CommitOptions extends Pick<ClusterRun, 'config' | 'signal'> {
  gitUrl: string;
  revision: string;
}

/** Whether the cluster can fetch the commit, and whether the commit is what the config here says. */
export async function findCommitProblems(options: CommitOptions): Promise<Finding[]> {
  const looks = await Promise.all([findUnfetchable(options), findOther(options), findUncommitted(options)]);
  return looks.flat();
}

async function findUncommitted({ config, revision }: CommitOptions): Promise<Finding[]> {
  const { root } = config;
  const head = (await git(['-C', root, 'rev-parse', 'HEAD'])).stdout.trim();
  const changes = (await git(['-C', root, 'status', '--porcelain'])).stdout.split('\n').filter(Boolean).length;
  if (head !== revision || changes === 0) return [];
  const what = changes === 1 ? 'one uncommitted change is' : `${changes} uncommitted changes are`;
  return [note(`${what} not in what is built`, 'commit and push')];
}

async function findUnfetchable({ gitUrl, revision, signal }: CommitOptions): Promise<Finding[]> {
  if (isPlaceholder(gitUrl)) {
    const hint = 'push the repository somewhere the cluster reaches, and name it with --git-url';
    return [problem(`the git url is still a placeholder: ${gitUrl}`, hint)];
  }
  return inTemporaryFolder('multi-image-commit', async (folder) => {
    await git(['init', '--quiet', '--bare', folder]);
    // One commit without its files: a server that can't leave them out sends them all the same.
    const args = ['-C', folder, 'fetch', '--quiet', '--depth=1', '--filter=tree:0', '--', gitUrl, revision];
    const { exitCode, stderr } = await git(args, signal, 60_000);
    if (exitCode === 0) return [];
    const reason = stderr.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
    if (/not our ref|couldn't find remote ref|unadvertised/.test(stderr)) {
      return [problem(`${gitUrl} has no commit ${revision}: ${reason}`, 'git push it, or name another with --commit')];
    }
    // The cluster may reach what this machine doesn't, and the other way round.
    const hint = 'the cluster has to reach it: --git-url, and --git-secret where it is private';
    return [note(`${gitUrl} can't be fetched from this machine: ${reason}`, hint)];
  });
}

async function findOther({ config, revision }: CommitOptions): Promise<Finding[]> {
  const { root, folder, chain, pins } = config;
  if ((await git(['-C', root, 'cat-file', '-e', `${revision}^{commit}`])).exitCode !== 0) {
    const what = `this clone does not have the commit ${revision}: whether it is what the config here says was not looked at`;
    return [note(what, 'git fetch it')];
  }
  const files = render(chain, pins, folder);
  const shown = await Promise.all(
    files.map(async ({ path }) => [path, await git(['-C', root, 'show', `${revision}:${folder}${path}`])] as const),
  );
  const texts = shown.flatMap(([path, { exitCode, stdout }]) => (exitCode === 0 ? [[path, stdout] as const] : []));
  const other = findRenderedDrift(config, new Map(texts)).map(({ path }) => folder + path);
  if (other.length === 0) return [];
  const named = other.slice(0, 3).join(', ') + (other.length > 3 ? ` and ${other.length - 3} more` : '');
  const what = `${named}: at commit ${revision.slice(0, 12)} not what the config here says`;
  return [problem(what, 'pnpm render, commit and push')];
}

/** Without anything that would ask on a terminal. */
function git(args: readonly string[], signal?: AbortSignal, timeout?: number): Promise<CommandResult> {
  const env = { ...gitEnvironment(), GIT_TERMINAL_PROMPT: '0' };
  return run('git', args, { env, signal, timeout });
}
