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
export const SOMETIMES_KNOWN: ReadonlySet<string> = new Set([
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

/**
 * What Pipelines as Code knows of every event. What nobody knows is left out; what the event has not is empty.
 */
export function standardVariables(event: PacEvent, namespace = 'tekton-local'): Record<string, string> {
  const { baseBranch, headBranch } = event;
  const variables = {
    revision: event.revision,
    repo_url: event.repositoryUrl ?? event.baseUrl,
    repo_owner: event.owner?.toLowerCase(),
    repo_name: event.repository?.toLowerCase(),
    target_branch: baseBranch && shownBranch(baseBranch),
    source_branch: headBranch && shownBranch(headBranch),
    git_tag: baseBranch?.startsWith('refs/tags/') ? baseBranch.slice('refs/tags/'.length) : '',
    source_url: event.headUrl,
    sender: event.sender?.toLowerCase(),
    target_namespace: namespace,
    event_type: shownType(event.type),
    trigger_comment: (event.comment ?? '').replaceAll(/\r?\n/g, '\\n'),
    pull_request_labels: event.labels.join('\\n'),
  };
  const known = Object.entries(variables).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as Record<string, string>;
}

/** What `{{ … }}` has beside them in an event. */
export function furtherVariables(event: PacEvent): Record<string, string> {
  const further: Record<string, string> = { git_auth_secret: AUTH_SECRET };
  if (event.pullRequest !== undefined) further.pull_request_number = String(event.pullRequest);
  return further;
}

/** `{{ variables }}` of an event where there is no Repository. */
export function variablesOf(event: PacEvent): Record<string, string> {
  return { ...standardVariables(event), ...furtherVariables(event) };
}

/** `{{ event_type }}` of an event: what asks for a run again by a comment is a pull request. */
function shownType(type: string): string {
  return /^(?:re)?test-(?:all-)?comment$|^ok-to-test-comment$|^cancel-(?:all-)?comment$/.test(type)
    ? 'pull_request'
    : type;
}

function shownBranch(branch: string): string {
  return branch.replace(/^refs(?:\/heads\/|-heads-)/, '');
}

/** What was meant to be a variable in a text, and has no value in this event. */
export function leftIn(text: string): string[] {
  const names: string[] = [];
  replaceVariables(text, (whole, inner) => {
    names.push(inner.trim());
    return whole;
  });
  return [...new Set(names)].filter((name) => SOMETIMES_KNOWN.has(name) || /^(?:body|headers|files)\b/.test(name));
}

/**
 * Replaces each `{{ … }}` of a text: at least two characters without a `}` between the braces. Not by a pattern, which would
 * look for the end of each of a million braces anew.
 */
export function replaceVariables(text: string, read: (whole: string, inner: string, at: number) => string): string {
  let replaced = '';
  let done = 0;
  for (let at = text.indexOf('{{'); at !== -1; ) {
    const end = text.indexOf('}', at + 2);
    if (end === -1) break;
    const isWhole = text[end + 1] === '}' && end - at >= 4;
    if (isWhole) {
      replaced += text.slice(done, at) + read(text.slice(at, end + 2), text.slice(at + 2, end), at);
      done = end + 2;
    }
    at = text.indexOf('{{', isWhole ? done : end);
  }
  return replaced + text.slice(done);
}
