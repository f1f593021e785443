import { readFileSync } from 'node:fs';
import { TektonLocalError } from '../errors.ts';
import { isMap } from '../plan/yaml/field.ts';
import { type PacEvent, withComment } from './event.ts';
import { keptBody } from './webhook-body.ts';

type Body = Readonly<Record<string, unknown>>;

/**
 * Reads an event from a file: the body of a webhook of GitHub or GitLab as JSON, or an object with `headers` and `body`.
 *
 * @param headers The request's, beside those in the file. What they do not say of the event is told by the body's form.
 * @throws TektonLocalError `FILE_NOT_READABLE`, or `INVALID` for an event that Pipelines as Code does not act on.
 */
export function readWebhook(file: string, headers: Readonly<Record<string, string>>): PacEvent {
  return webhookEvent(readJson(file), headers, file);
}

/** The event of a webhook that has been read already. */
export function webhookEvent(read: Body, headers: Readonly<Record<string, string>>, file: string): PacEvent {
  const wraps = isMap(read.headers) && isMap(read.body);
  const body = wraps && isMap(read.body) ? read.body : read;
  const own = wraps && isMap(read.headers) ? read.headers : {};
  const all = Object.fromEntries(
    [...Object.entries(own), ...Object.entries(headers)].map(([name, value]) => [
      canonical(name),
      String(Array.isArray(value) ? value[0] : value),
    ]),
  );
  const other = Object.keys(all).find((name) => /^X-(?:Gitea|Gogs|Forgejo)-Event|^X-Event-Key$/.test(name));
  if (other !== undefined) {
    throw new TektonLocalError('UNSUPPORTED', `${file}: webhooks with the header ${other} are not read here`, {
      expected: 'a webhook of GitHub or GitLab',
    });
  }
  const kind = all['X-Gitlab-Event'] ?? all['X-Github-Event'];
  if (all['X-Gitlab-Event'] !== undefined || (kind === undefined && typeof body.object_kind === 'string')) {
    const event = kind ?? GITLAB_HOOKS[String(body.object_kind)] ?? String(body.object_kind);
    const said = gitlabEvent(event, body, { 'X-Gitlab-Event': event, ...all }, file);
    return { ...said, body: keptBody(event, body, file) };
  }
  const event = kind ?? githubKind(body);
  const said = githubEvent(event, body, { 'X-Github-Event': event, ...all }, file);
  return { ...said, body: keptBody(event, body, file) };
}

const GITLAB_HOOKS: Readonly<Record<string, string>> = {
  push: 'Push Hook',
  tag_push: 'Tag Push Hook',
  merge_request: 'Merge Request Hook',
  note: 'Note Hook',
};
const NO_COMMIT = /^0+$/;
const OPENED = ['opened', 'synchronize', 'synchronized', 'reopened', 'ready_for_review'];
/** What a git provider is asked for, before these events start anything. */
const ASKING = new Set(['issue_comment', 'commit_comment', 'check_run', 'check_suite']);

function githubKind(body: Body): string {
  if (isMap(body.comment)) return isMap(body.issue) ? 'issue_comment' : 'commit_comment';
  if (isMap(body.pull_request)) return 'pull_request';
  return typeof body.ref === 'string' && typeof body.after === 'string' ? 'push' : 'unknown';
}

function githubEvent(kind: string, body: Body, headers: Record<string, string>, file: string): PacEvent {
  const text = reader(body);
  const repository = {
    owner: text('repository', 'owner', 'login'),
    repository: text('repository', 'name'),
    labels: [],
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
      revision: text('head_commit', 'id') || text('before'),
      title: text('head_commit', 'message'),
      sender: text('sender', 'login'),
      baseBranch: branch,
      headBranch: branch,
      baseUrl: url,
      headUrl: url,
    };
  }
  if (ASKING.has(kind)) throw asking(file, `the event ${kind} of GitHub`);
  if (kind !== 'pull_request') throw unheeded(file, `the event ${JSON.stringify(kind)} of GitHub`);
  const action = text('action') ?? 'opened';
  if (![...OPENED, 'labeled'].includes(action)) {
    throw unheeded(file, `a pull_request with the action ${JSON.stringify(action)}`);
  }
  return {
    ...repository,
    from: `pull_request (${action}) in ${file} (GitHub)`,
    trigger: 'pull_request',
    type: action === 'labeled' ? 'pull_request_labeled' : 'pull_request',
    revision: text('pull_request', 'head', 'sha'),
    title: text('pull_request', 'title'),
    sender: text('pull_request', 'user', 'login'),
    baseBranch: text('pull_request', 'base', 'ref'),
    headBranch: text('pull_request', 'head', 'ref'),
    repositoryUrl: url,
    baseUrl: text('pull_request', 'base', 'repo', 'html_url'),
    headUrl: text('pull_request', 'head', 'repo', 'html_url'),
    pullRequest: Number(text('pull_request', 'number')) || undefined,
    labels: textsOf(valueAt(body, ['pull_request', 'labels']), 'name'),
  };
}

function gitlabEvent(kind: string, body: Body, headers: Record<string, string>, file: string): PacEvent {
  const text = reader(body);
  const url = text('project', 'web_url');
  const common = {
    from: `${kind} in ${file} (GitLab)`,
    ...ownerAndName(text('project', 'path_with_namespace')),
    labels: [],
    headers,
  };
  if (kind === 'Push Hook' || kind === 'Tag Push Hook')
    return { ...common, ...gitlabPush(kind, body, file), baseUrl: url, headUrl: url };
  const isComment = kind === 'Note Hook' && isMap(body.merge_request);
  if (kind === 'Note Hook' && isMap(body.commit)) throw asking(file, 'a comment on a commit of GitLab');
  if (kind !== 'Merge Request Hook' && !isComment) {
    throw unheeded(file, `the event ${JSON.stringify(kind)} of GitLab`);
  }
  const of = isComment ? 'merge_request' : 'object_attributes';
  const event: PacEvent = {
    ...common,
    trigger: 'pull_request',
    type: 'Merge Request',
    revision: text(of, 'last_commit', 'id'),
    sender: text('user', 'username'),
    baseBranch: text(of, 'target_branch'),
    headBranch: text(of, 'source_branch'),
    repositoryUrl: url,
    baseUrl: text(of, 'target', 'web_url'),
    headUrl: text(of, 'source', 'web_url'),
    pullRequest: Number(text(of, 'iid')) || undefined,
  };
  if (isComment) {
    const state = text('merge_request', 'state') ?? 'opened';
    if (state !== 'opened') throw unheeded(file, `a comment on a merge request that is ${state}`);
    return withComment(event, text('object_attributes', 'note') ?? '');
  }
  const isLabeled = Array.isArray(valueAt(body, ['changes', 'labels', 'current']));
  refuseUnheededMerge(body, file);
  return {
    ...event,
    ...ownerAndName(text(of, 'target', 'path_with_namespace')),
    type: isLabeled ? 'pull_request_labeled' : 'Merge Request',
    title: text(of, 'title'),
    message: isLabeled ? '' : text(of, 'last_commit', 'message'),
    labels: textsOf(body.labels, 'title'),
  };
}

function gitlabPush(
  kind: string,
  body: Body,
  file: string,
): Pick<PacEvent, 'trigger' | 'type' | 'revision' | 'title' | 'sender' | 'baseBranch' | 'headBranch'> {
  const text = reader(body);
  const last = Array.isArray(body.commits) && body.commits.length > 0 ? reader(body.commits.at(-1)) : undefined;
  const [before = '', after = '', ref = ''] = [text('before'), text('after'), text('ref')];
  const isNewBranch =
    kind === 'Push Hook' && /^refs\/heads\/./.test(ref) && /^0{40}$/.test(before) && /^[\da-f]{40}$/i.test(after);
  if (last === undefined && !(isNewBranch && !NO_COMMIT.test(after))) throw unheeded(file, `a ${kind} without commits`);
  return {
    trigger: 'push',
    type: kind === 'Push Hook' ? 'push' : 'Tag Push',
    revision: last === undefined ? after : last('id'),
    title: last?.('title'),
    sender: text('user_username'),
    baseBranch: ref,
    headBranch: ref,
  };
}

/** Of a merge request that was updated only new commits count, and new labels where nothing else was changed. */
function refuseUnheededMerge(body: Body, file: string): void {
  const text = reader(body);
  const action = text('object_attributes', 'action') ?? 'open';
  if (!['open', 'reopen', 'update'].includes(action)) {
    throw unheeded(file, `a merge request with the action ${JSON.stringify(action)}`);
  }
  if (action !== 'update' || text('object_attributes', 'oldrev')) return;
  const titles = (when: string): string[] => textsOf(valueAt(body, ['changes', 'labels', when]), 'title');
  const before = titles('previous');
  const isLabeled = titles('current').some((title) => !before.includes(title));
  const changes = isMap(body.changes) ? body.changes : {};
  const others = Object.entries(changes).filter(([name, change]) => TOLD.has(name) && isMap(change) && isSaid(change));
  if (!isLabeled || others.length > 0)
    throw unheeded(file, 'a merge request that was updated without commits or new labels alone');
}

/** The changes beside labels that Pipelines as Code looks at. */
const TOLD = new Set(
  'draft assignees reviewers description merge_status milestone_id source_branch source_project_id state_id target_branch target_project_id title'.split(
    ' ',
  ),
);

function isSaid({ previous, current }: Readonly<Record<string, unknown>>): boolean {
  return [previous, current].some((value) => (value ?? '') !== '' && value !== 0 && value !== false);
}

function ownerAndName(path: string | undefined): { owner?: string | undefined; repository?: string | undefined } {
  if (path === undefined) return {};
  const parts = path.split('/');
  return { owner: parts.slice(0, -1).join('/') || '.', repository: parts.at(-1) };
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
    expected: "a push, a pull_request that was opened, updated or labeled, or GitLab's words for them",
  });
}

function asking(file: string, what: string): TektonLocalError {
  return new TektonLocalError(
    'UNSUPPORTED',
    `${file}: for ${what} Pipelines as Code asks the git provider, which nobody does here`,
    {
      hint: 'give the pull_request (or the push) itself, and --comment TEXT',
    },
  );
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

/** A text of each item of a list. */
function textsOf(list: unknown, key: string): string[] {
  return Array.isArray(list) ? list.flatMap((item) => reader(item)(key) ?? []) : [];
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce((map, key) => (isMap(map) && Object.hasOwn(map, key) ? map[key] : undefined), value);
}
