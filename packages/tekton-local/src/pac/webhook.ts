import { readFileSync } from 'node:fs';
import { TektonLocalError } from '../errors.ts';
import { isMap } from '../plan/field.ts';
import type { PacEvent } from './event.ts';

type Body = Readonly<Record<string, unknown>>;

/**
 * Reads an event from a file: the body of a webhook of GitHub or GitLab as JSON, or an object with `headers` and `body`.
 *
 * @param headers The request's, beside those in the file. What they do not say of the event is told by the body's form.
 * @throws TektonLocalError `FILE_NOT_READABLE`, or `INVALID` for an event that Pipelines as Code does not act on.
 */
export function readWebhook(file: string, headers: Readonly<Record<string, string>>): PacEvent {
  const read = readJson(file);
  const wraps = isMap(read.headers) && isMap(read.body);
  const body = wraps && isMap(read.body) ? read.body : read;
  const own = wraps && isMap(read.headers) ? read.headers : {};
  const all = Object.fromEntries(
    [...Object.entries(own), ...Object.entries(headers)].map(([name, value]) => [
      canonical(name),
      String(Array.isArray(value) ? value[0] : value),
    ]),
  );
  const kind = all['X-Gitlab-Event'] ?? all['X-Github-Event'];
  if (all['X-Gitlab-Event'] !== undefined || (kind === undefined && typeof body.object_kind === 'string')) {
    const event = kind ?? GITLAB_HOOKS[String(body.object_kind)] ?? String(body.object_kind);
    return gitlabEvent(event, body, { 'X-Gitlab-Event': event, ...all }, file);
  }
  const event = kind ?? githubKind(body);
  return githubEvent(event, body, { 'X-Github-Event': event, ...all }, file);
}

const GITLAB_HOOKS: Readonly<Record<string, string>> = {
  push: 'Push Hook',
  tag_push: 'Tag Push Hook',
  merge_request: 'Merge Request Hook',
  note: 'Note Hook',
};
const NO_COMMIT = /^0+$/;
const OPENED = ['opened', 'synchronize', 'synchronized', 'reopened', 'ready_for_review'];

function githubKind(body: Body): string {
  if (isMap(body.pull_request)) return 'pull_request';
  return typeof body.ref === 'string' && typeof body.after === 'string' ? 'push' : 'unknown';
}

function githubEvent(kind: string, body: Body, headers: Record<string, string>, file: string): PacEvent {
  const text = reader(body);
  const repository = {
    owner: text('repository', 'owner', 'login') ?? text('repository', 'owner', 'name'),
    repository: text('repository', 'name'),
    labels: [],
    body,
    headers,
  };
  const url = text('repository', 'html_url');
  if (kind === 'push') {
    const after = text('after') ?? '';
    if (NO_COMMIT.test(after)) throw unheeded(file, `a push that deletes ${text('ref')}`);
    const branch = text('ref');
    return {
      ...repository,
      from: `push in ${file} (GitHub)`,
      trigger: 'push',
      type: 'push',
      revision: text('head_commit', 'id') ?? text('before'),
      title: text('head_commit', 'message'),
      sender: text('sender', 'login'),
      baseBranch: branch,
      headBranch: branch,
      baseUrl: url,
      headUrl: url,
    };
  }
  if (kind !== 'pull_request') throw unheeded(file, `the event ${JSON.stringify(kind)} of GitHub`);
  const action = text('action') ?? 'opened';
  if (![...OPENED, 'labeled', 'closed'].includes(action)) {
    throw unheeded(file, `a pull_request with the action ${JSON.stringify(action)}`);
  }
  const labels = valueAt(body, ['pull_request', 'labels']);
  return {
    ...repository,
    from: `pull_request (${action}) in ${file} (GitHub)`,
    trigger: action === 'closed' ? 'pull_request_closed' : 'pull_request',
    type: action === 'labeled' ? 'pull_request_labeled' : 'pull_request',
    revision: text('pull_request', 'head', 'sha'),
    title: text('pull_request', 'title'),
    sender: text('pull_request', 'user', 'login'),
    baseBranch: text('pull_request', 'base', 'ref'),
    headBranch: text('pull_request', 'head', 'ref'),
    baseUrl: text('pull_request', 'base', 'repo', 'html_url') ?? url,
    headUrl: text('pull_request', 'head', 'repo', 'html_url') ?? url,
    pullRequest: Number(text('pull_request', 'number') ?? text('number')) || undefined,
    labels: Array.isArray(labels) ? labels.flatMap((label) => reader(label)('name') ?? []) : [],
  };
}

function gitlabEvent(kind: string, body: Body, headers: Record<string, string>, file: string): PacEvent {
  const text = reader(body);
  const url = text('project', 'web_url');
  const path = (text('project', 'path_with_namespace') ?? '').split('/');
  const common = {
    from: `${kind} in ${file} (GitLab)`,
    owner: path.slice(0, -1).join('/'),
    repository: path.at(-1),
    labels: [],
    body,
    headers,
  };
  if (kind === 'Push Hook' || kind === 'Tag Push Hook') {
    const commits = body.commits;
    const last = Array.isArray(commits) ? reader(commits.at(-1)) : undefined;
    if (last === undefined || last('id') === undefined) throw unheeded(file, `a ${kind} without commits`);
    return {
      ...common,
      trigger: 'push',
      type: kind === 'Push Hook' ? 'push' : 'Tag Push',
      revision: last('id'),
      title: last('title'),
      sender: text('user_username'),
      baseBranch: text('ref'),
      headBranch: text('ref'),
      baseUrl: url,
      headUrl: url,
    };
  }
  const isComment = kind === 'Note Hook' && isMap(body.merge_request);
  if (kind !== 'Merge Request Hook' && !isComment) {
    throw unheeded(file, `the event ${JSON.stringify(kind)} of GitLab`);
  }
  const of = isComment ? 'merge_request' : 'object_attributes';
  const labels = body.labels;
  const isClosed = !isComment && text(of, 'action') === 'close';
  const isLabeled = isMap(valueAt(body, ['changes', 'labels']));
  return {
    ...common,
    trigger: isClosed ? 'pull_request_closed' : 'pull_request',
    type: isComment ? 'no-ops-comment' : isLabeled ? 'pull_request_labeled' : 'Merge Request',
    revision: text(of, 'last_commit', 'id'),
    title: text(of, 'title'),
    sender: text('user', 'username'),
    baseBranch: text(of, 'target_branch'),
    headBranch: text(of, 'source_branch'),
    baseUrl: text(of, 'target', 'web_url') ?? url,
    headUrl: text(of, 'source', 'web_url') ?? url,
    pullRequest: Number(text(of, 'iid')) || undefined,
    labels: Array.isArray(labels) ? labels.flatMap((label) => reader(label)('title') ?? []) : [],
    comment: isComment ? text('object_attributes', 'note') : undefined,
  };
}

function readJson(file: string): Body {
  let read: unknown;
  try {
    read = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new TektonLocalError('FILE_NOT_READABLE', `cannot read the event in ${file}`, {
      expected: "JSON: a webhook's body, or an object with its headers and its body",
      cause: error,
    });
  }
  if (isMap(read)) return read;
  throw new TektonLocalError('INVALID', `the event in ${file} is no object`);
}

function unheeded(file: string, what: string): TektonLocalError {
  return new TektonLocalError('INVALID', `${file}: ${what} starts nothing in Pipelines as Code`, {
    expected: "a push, a pull_request that was opened, updated, labeled or closed, or GitLab's words for them",
    hint: 'a comment on a pull request: give the pull_request itself, and --comment TEXT',
  });
}

/** As Go writes a header's name: `X-Github-Event`. */
function canonical(name: string): string {
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}

/** Reads texts of an object, by their path; numbers are texts as well. */
function reader(value: unknown): (...path: string[]) => string | undefined {
  return (...path) => {
    const found = valueAt(value, path);
    return typeof found === 'string' || typeof found === 'number' ? String(found) : undefined;
  };
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce((map, key) => (isMap(map) && Object.hasOwn(map, key) ? map[key] : undefined), value);
}
