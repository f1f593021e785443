import { runCommand } from './command.ts';

/** The name that `{{ git_auth_secret }}` has here: no such secret exists on this machine. */
export const AUTH_SECRET = 'tekton-local-no-git-auth';

/**
 * What Pipelines as Code would know of a push of this working tree's commit, as its `{{ variables }}`. What git does
 * not say (no repository, no remote) is left out.
 */
export async function variablesFromGit(root: string): Promise<Record<string, string>> {
  const [revision, branch, remote, name] = await Promise.all([
    git(root, 'rev-parse', '--verify', 'HEAD'),
    git(root, 'symbolic-ref', '--short', '-q', 'HEAD'),
    git(root, 'config', '--get', 'remote.origin.url'),
    git(root, 'config', '--get', 'user.name'),
  ]);
  const url = remote === undefined ? undefined : withoutCredentials(remote);
  const parts = url?.replace(/\.git$/, '').split(/[/:]/) ?? [];
  const variables = {
    revision,
    source_branch: branch,
    target_branch: branch,
    repo_url: url,
    source_url: url,
    repo_name: parts.at(-1),
    repo_owner: parts.at(-2),
    sender: name,
    event_type: 'push',
    target_namespace: 'tekton-local',
    git_auth_secret: AUTH_SECRET,
  };
  const known = Object.entries(variables).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]));
  return Object.fromEntries(known);
}

/** `git@host:owner/name.git` becomes an https address; user and password go. */
function withoutCredentials(remote: string): string {
  const scp = /^(?:[\w.-]+@)?([\w.-]+):(?!\/)(.+)$/.exec(remote);
  if (scp !== null && !remote.includes('://')) return `https://${scp[1]}/${scp[2]}`.replace(/\.git$/, '');
  return remote.replace(/^(\w+:\/\/)[^/@]*@/, '$1').replace(/\.git$/, '');
}

async function git(root: string, ...args: string[]): Promise<string | undefined> {
  const said = await runCommand('git', ['-C', root, ...args]).catch(() => '');
  return said.trim() || undefined;
}
