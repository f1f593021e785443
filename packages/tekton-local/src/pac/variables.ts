import type { PacEvent } from './event.ts';

/** The name that `{{ git_auth_secret }}` has here: no such secret exists on this machine. */
export const AUTH_SECRET = 'tekton-local-no-git-auth';

/** What Pipelines as Code knows of every event: nobody means these to stay as they are. */
export const ALWAYS_KNOWN: ReadonlySet<string> = new Set([
  'revision',
  'repo_url',
  'repo_owner',
  'repo_name',
  'source_url',
  'source_branch',
  'target_branch',
  'sender',
  'event_type',
  'target_namespace',
  'git_auth_secret',
]);

/** What it knows of some events; in others it leaves the text as it is. */
const SOMETIMES_KNOWN: ReadonlySet<string> = new Set([
  'pull_request_number',
  'pull_request_labels',
  'git_tag',
  'trigger_comment',
  'event',
  'event_title',
  'target_url',
]);

/** Whether `{{ name }}` is what an event says, if it is of the right kind. */
export function isOfEvents(name: string): boolean {
  return ALWAYS_KNOWN.has(name) || SOMETIMES_KNOWN.has(name);
}

/** `{{ variables }}` of an event; those that have no value in it are left out. */
export function variablesOf(event: PacEvent, namespace = 'tekton-local'): Record<string, string> {
  const { baseBranch = '', headBranch = '' } = event;
  const variables = {
    revision: event.revision,
    repo_url: event.baseUrl,
    repo_owner: event.owner?.toLowerCase(),
    repo_name: event.repository?.toLowerCase(),
    target_branch: withoutHeads(baseBranch),
    source_branch: withoutHeads(headBranch),
    git_tag: baseBranch.startsWith('refs/tags/') ? baseBranch.slice('refs/tags/'.length) : undefined,
    source_url: event.headUrl,
    sender: event.sender?.toLowerCase(),
    target_namespace: namespace,
    event_type: event.type,
    trigger_comment: event.comment?.replaceAll(/\r?\n/g, '\\n'),
    pull_request_labels: event.labels.join('\\n'),
    pull_request_number: event.pullRequest === undefined ? undefined : String(event.pullRequest),
    git_auth_secret: AUTH_SECRET,
  };
  const known = Object.entries(variables).filter(([, value]) => value !== undefined && value !== '');
  return Object.fromEntries(known) as Record<string, string>;
}

export function withoutHeads(branch: string): string {
  return branch.replace(/^refs\/heads\//, '');
}

/** What was meant to be a variable in a text, and has no value in this event. */
export function leftIn(text: string): string[] {
  const names = [...text.matchAll(/\{\{([^}]{2,})\}\}/g)].map(([, name = '']) => name.trim());
  return [...new Set(names)].filter((name) => SOMETIMES_KNOWN.has(name) || /^(?:body|headers|files)\b/.test(name));
}
