import { runCommand } from '../command.ts';
import type { ChangedFiles, PacEvent } from './event.ts';

/**
 * What Pipelines as Code would know of a push of this checkout's commit, or of a pull request from its branch. What git
 * does not say (no repository, no remote) is left out.
 *
 * @param target The branch that is pushed to, by default this one; or that the pull request is for, by default the remote's
 *   own branch, else `main`.
 */
export async function eventFromGit(
  root: string,
  trigger: 'push' | 'pull_request' = 'push',
  target?: string,
): Promise<PacEvent> {
  const [commit, branch, settings, main] = await Promise.all([
    git(root, 'log', '-1', '--no-show-signature', '--format=%H%n%B'),
    git(root, 'symbolic-ref', '--short', '-q', 'HEAD'),
    git(root, 'config', '--null', '--get-regexp', '^(remote\\.origin\\.url|user\\.name)$'),
    trigger === 'push' ? undefined : git(root, 'symbolic-ref', '--short', '-q', 'refs/remotes/origin/HEAD'),
  ]);
  const [revision, ...message] = commit?.split('\n') ?? [];
  const title = message.join('\n') || undefined;
  // Of a setting that is there more than once, the last counts.
  const setting = new Map(settings?.split('\0').map((entry) => [entry.split('\n')[0], entry.replace(/^.*\n/, '')]));
  const [remote, name] = [setting.get('remote.origin.url') || undefined, setting.get('user.name') || undefined];
  const url = remote === undefined ? undefined : withoutCredentials(remote);
  const parts = url?.replace(/\.git$/, '').split(/[/:]/) ?? [];
  const baseBranch = target ?? (trigger === 'push' ? branch : (main?.replace(/^origin\//, '') ?? 'main'));
  return {
    from: `a ${trigger} of this checkout`,
    message: title,
    trigger,
    type: trigger,
    revision,
    title,
    sender: name,
    baseBranch,
    headBranch: branch,
    baseUrl: url,
    headUrl: url,
    owner: parts.at(-2),
    repository: parts.at(-1),
    labels: [],
    headers: {},
  };
}

/**
 * The files that an event changed: of a push its last commit, of a pull request all since it left its base.
 * Undefined where the commits are not in the checkout.
 */
export async function changedInGit(root: string, event: PacEvent): Promise<ChangedFiles | undefined> {
  const { revision = 'HEAD', baseBranch = '' } = event;
  if (!/^[\w][\w./-]*$/.test(revision)) return undefined;
  if (event.trigger === 'push') {
    return changes(
      await git(root, 'show', '--no-show-signature', '--first-parent', '-m', '--format=', ...CHANGES, revision, '--'),
    );
  }
  for (const base of [`refs/remotes/origin/${baseBranch}`, `refs/heads/${baseBranch}`]) {
    const start = await git(root, 'merge-base', base, revision);
    if (start !== undefined) return changes(await git(root, 'diff', ...CHANGES, start, revision, '--'));
  }
  return undefined;
}

/** The message of an event's commit; undefined where it is not in the checkout. */
export async function messageInGit(root: string, { revision = '' }: PacEvent): Promise<string | undefined> {
  if (!/^[\da-f]{7,64}$/.test(revision)) return undefined;
  return git(root, 'log', '-1', '--no-show-signature', '--format=%B', revision, '--');
}

const CHANGES = ['--name-status', '-z', '-M'];

function changes(said: string | undefined): ChangedFiles | undefined {
  if (said === undefined) return undefined;
  const lists = { A: [] as string[], D: [] as string[], M: [] as string[], R: [] as string[] };
  const all: string[] = [];
  const words = said.split('\0').filter((word) => word !== '');
  while (words.length > 0) {
    const kind = words.shift()?.[0];
    const before = words.shift() ?? '';
    const isCopy = kind === 'R' || kind === 'C';
    const path = isCopy ? (words.shift() ?? before) : before;
    all.push(path);
    if (isCopy) lists[kind === 'R' ? 'R' : 'A'].push(path);
    else if (kind === 'A' || kind === 'D') lists[kind].push(path);
    else lists.M.push(path);
  }
  const { A: added, D: deleted, M: modified, R: renamed } = lists;
  return { all, added, deleted, modified, renamed };
}

/** `git@host:owner/name.git` becomes an https address; user and password go. */
function withoutCredentials(remote: string): string {
  const scp = /^(?:[\w.-]+@)?([\w.-]+):(?!\/)(.+)$/.exec(remote);
  if (scp !== null && !remote.includes('://')) return `https://${scp[1]}/${scp[2]}`.replace(/\.git$/, '');
  return remote.replace(/^(\w+:\/\/)[^/@]*@/, '$1').replace(/\.git$/, '');
}

/** What git says; undefined where it can't, and the empty text where it says nothing. */
async function git(root: string, ...args: string[]): Promise<string | undefined> {
  const said = await runCommand('git', ['-C', root, ...args]).catch(() => undefined);
  return args[0] === 'show' || args[0] === 'diff' ? said : said?.trim() || undefined;
}
