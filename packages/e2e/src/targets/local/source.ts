import { copyFile, mkdir, realpath, writeFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { run, runOrThrow } from '@multi-image/kit/commands';
import { E2eError } from '../../errors.ts';
import { gitEnvironment } from '../../git-environment.ts';

export interface Source {
  /** The root of the repository the run was started in. */
  root: string;
  /** A bare repository that has the commit; what the pipelines clone. */
  repository: string;
  /** A checkout of the commit; what Pipelines as Code would read `.tekton/` and `pipeline/` from. */
  checkout: string;
  /** The commit that is built. */
  revision: string;
  branch: string;
  /** Paths with uncommitted changes, which the commit built includes; empty where HEAD itself is built. */
  uncommitted: readonly string[];
}

/**
 * Takes the repository around `cwd` as a commit: HEAD, or where there are uncommitted changes, a commit of the working
 * tree on top of HEAD that exists only in `folder`. It is made of the tree, HEAD and HEAD's date alone, so that the
 * same changes give the same commit and the same digests. The repository itself is only read.
 *
 * @param reports Files that this run and others write about it, which are no part of what is built
 */
export async function takeSource(
  cwd: string,
  folder: string,
  { reports = [], signal }: { reports?: readonly string[]; signal?: AbortSignal } = {},
): Promise<Source> {
  const git = async (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> =>
    (await runOrThrow('git', args, { cwd: root, env: { ...gitEnvironment(), ...env }, signal })).stdout.trimEnd();

  const paths = ['rev-parse', '--show-toplevel', '--git-path', 'objects', '--git-path', 'shallow'];
  const found = await run('git', paths, { cwd, env: gitEnvironment(), signal });
  if (found.exitCode !== 0) {
    throw new E2eError('NOT_A_GIT_REPOSITORY', 'the pipelines build a git commit, and this is no git repository', {
      expected: 'a clone of the repository',
      found: found.stderr.trim() || cwd,
      hint: 'clone the repository with git and run this inside it',
    });
  }
  const [root = '', objects = '', shallow = ''] = found.stdout.split('\n').map((path) => resolve(cwd, path));
  const head = await run('git', ['rev-parse', '--verify', 'HEAD^{commit}'], { cwd: root, env: gitEnvironment() });
  if (head.exitCode !== 0) {
    throw new E2eError('NO_COMMIT', 'the repository has no commit yet', { hint: 'commit something first' });
  }
  const headCommit = head.stdout.trim();
  const branch = (await git(['symbolic-ref', '--short', '--quiet', 'HEAD']).catch(() => '')) || 'main';

  // A bare repository of our own that borrows the objects: new ones go here, never into the user's repository.
  const repository = join(folder, 'source.git');
  await git(['init', '--quiet', '--bare', `--initial-branch=${branch}`, repository]);
  await mkdir(join(repository, 'objects/info'), { recursive: true });
  await writeFile(join(repository, 'objects/info/alternates'), `${objects}\n`);
  await copyFile(shallow, join(repository, 'shallow')).catch(() => {});

  const files = ['--', ':(top)', ...(await Promise.all(reports.map(exclude))).flat()];
  const changes = (await git(['status', '--porcelain', '--no-renames', '-z', ...files])).split('\0').filter(Boolean);
  const uncommitted = changes.map((line) => line.slice(3));
  const revision = uncommitted.length === 0 ? headCommit : await commitWorkingTree();
  await git(['--git-dir', repository, 'update-ref', `refs/heads/${branch}`, revision]);

  const checkout = join(folder, 'checkout');
  // Files are written by as many processes as there are processors.
  await git(['-c', 'checkout.workers=0', 'clone', '--quiet', '--shared', '--branch', branch, repository, checkout]);
  return { root, repository, checkout, revision, branch, uncommitted };

  /** As git's pathspec; of a file elsewhere nothing. */
  async function exclude(file: string): Promise<string[]> {
    const path = resolve(cwd, file);
    const inside = relative(root, join(await realpath(dirname(path)), basename(path)));
    return inside.startsWith('..') || isAbsolute(inside) ? [] : [`:(top,exclude,literal)${inside}`];
  }

  async function commitWorkingTree(): Promise<string> {
    const date = await git(['show', '--no-patch', '--format=%cI', 'HEAD']);
    const identity = { NAME: 'multi-image e2e', EMAIL: 'e2e@localhost', DATE: date };
    const env: NodeJS.ProcessEnv = {
      GIT_INDEX_FILE: join(folder, 'index'),
      GIT_OBJECT_DIRECTORY: join(repository, 'objects'),
      GIT_ALTERNATE_OBJECT_DIRECTORIES: objects,
    };
    for (const [key, value] of Object.entries(identity)) {
      env[`GIT_AUTHOR_${key}`] = value;
      env[`GIT_COMMITTER_${key}`] = value;
    }
    await git(['read-tree', 'HEAD'], env);
    await git(['add', '--all', ...files], env);
    const tree = await git(['write-tree'], env);
    return git(['commit-tree', '--no-gpg-sign', '-p', headCommit, '-m', 'Uncommitted changes', tree], env);
  }
}
