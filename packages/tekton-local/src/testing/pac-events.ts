// Webhooks in the shapes in which GitHub and GitLab send them, with what Pipelines as Code reads of them.

export interface Webhook {
  headers: Readonly<Record<string, string>>;
  body: Readonly<Record<string, unknown>>;
}

const SHA = '5c1a9d0e7b3f4a6c8d2e1f0a9b8c7d6e5f4a3b2c';
const repository = {
  id: 17,
  name: 'Shop',
  full_name: 'Acme/Shop',
  private: false,
  owner: { login: 'Acme', name: 'Acme', type: 'Organization' },
  html_url: 'https://github.com/Acme/Shop',
  default_branch: 'main',
  created_at: 1767323045,
  description: null,
  topics: [],
};
const sender = { login: 'Ann', type: 'User' };

function github(event: string, body: object): Webhook {
  const headers = { 'X-GitHub-Event': event, 'X-GitHub-Delivery': 'd-1', 'User-Agent': 'GitHub-Hookshot/1' };
  return { headers, body: { repository, sender, ...body } };
}

/** A push to a branch or a tag. */
function githubPush(ref = 'refs/heads/main', message = 'Add a thing', after = SHA): Webhook {
  const commit = {
    id: SHA,
    message,
    url: `https://github.com/Acme/Shop/commit/${SHA}`,
    timestamp: '2026-01-02T03:04:05+02:00',
    author: { name: 'Ann', email: 'ann@example.com' },
    committer: { name: 'Ann', email: 'ann@example.com' },
    added: ['docs/a.md'],
    modified: ['cmd/main.go'],
  };
  return github('push', {
    ref,
    before: '1'.repeat(40),
    after,
    pusher: { name: 'Ann', email: 'ann@example.com' },
    commits: [commit],
    head_commit: commit,
  });
}

const pullRequest = {
  id: 71,
  number: 7,
  state: 'open',
  title: 'Add "quotes"',
  draft: false,
  body: 'Why',
  milestone: { number: 2, title: 'Soon', due_on: null },
  unheard_of: 'x',
  created_at: '2026-01-02T03:04:05Z',
  html_url: 'https://github.com/Acme/Shop/pull/7',
  user: { login: 'Bob', type: 'User' },
  labels: [{ name: 'bug' }, { name: 'ok' }],
  head: {
    sha: SHA,
    ref: 'topic',
    repo: { ...repository, html_url: 'https://github.com/bob/shop', full_name: 'bob/shop' },
  },
  base: { sha: '2'.repeat(40), ref: 'main', repo: repository },
};

/** What happened to a pull request. */
function githubPull(action = 'synchronize', change: object = {}): Webhook {
  return github('pull_request', { action, number: 7, pull_request: { ...pullRequest, ...change } });
}

/** A comment on a pull request; and what the API says of that. */
function githubComment(comment: string, action = 'created'): Webhook & { pull: object } {
  const issue = {
    number: 7,
    state: 'open',
    title: pullRequest.title,
    pull_request: { url: 'https://api.github.com/x' },
  };
  return { ...github('issue_comment', { action, issue, comment: { body: comment } }), pull: pullRequest };
}

const project = {
  id: 4,
  name: 'shop',
  web_url: 'https://gitlab.com/Acme/sub/Shop',
  path_with_namespace: 'Acme/sub/Shop',
  default_branch: 'main',
};
const user = { id: 3, username: 'Ann', name: 'Ann' };
const lastCommit = {
  id: SHA,
  title: 'Add a thing',
  message: 'Add a thing\n\nand tell why',
  url: `https://gitlab.com/Acme/sub/Shop/-/commit/${SHA}`,
};

function gitlab(event: string, body: object): Webhook {
  return { headers: { 'X-Gitlab-Event': event, 'X-Request-Id': 'r-1' }, body: { project, ...body } };
}

/** A push to a branch or a tag. */
function gitlabPush(ref = 'refs/heads/main', change: object = {}): Webhook {
  const isTag = ref.startsWith('refs/tags/');
  const body = {
    object_kind: isTag ? 'tag_push' : 'push',
    ref,
    before: '1'.repeat(40),
    after: SHA,
    checkout_sha: SHA,
    user_id: 3,
    user_username: 'Ann',
    project_id: 4,
    commits: [lastCommit],
  };
  return gitlab(isTag ? 'Tag Push Hook' : 'Push Hook', { ...body, ...change });
}

const mergeRequest = {
  iid: 3,
  id: 33,
  title: 'Add "quotes"',
  state: 'opened',
  source_branch: 'topic',
  target_branch: 'main',
  source_project_id: 5,
  target_project_id: 4,
  last_commit: lastCommit,
  source: { web_url: 'https://gitlab.com/bob/shop', path_with_namespace: 'bob/shop' },
  target: { web_url: project.web_url, path_with_namespace: project.path_with_namespace },
};

/** What happened to a merge request. */
function gitlabMerge(action = 'open', attributes: object = {}, change: object = {}): Webhook {
  return gitlab('Merge Request Hook', {
    object_kind: 'merge_request',
    user,
    labels: [{ title: 'bug' }, { title: 'ok' }],
    object_attributes: { ...mergeRequest, action, ...attributes },
    ...change,
  });
}

/** A comment on a merge request. */
function gitlabNote(note: string, change: object = {}): Webhook {
  return gitlab('Note Hook', {
    object_kind: 'note',
    user,
    project_id: 4,
    object_attributes: { note, noteable_type: 'MergeRequest', action: 'create' },
    merge_request: { ...mergeRequest, ...change },
  });
}

/** A pull request as it was opened, and comments on it as GitHub tells of them. */
export const openedPull: Webhook = githubPull('opened');
export const commentsOnPull: readonly (Webhook & { comment: string; pull: object })[] = [
  '/test',
  '/retest',
  'please\r\n/ok-to-test\r\n',
  '/test lint',
  '/retest build-',
  '/test nobody',
  '/test team=red revision=abc',
  '/cancel',
  '/cancel lint',
  '/go now',
  'thanks',
].map((comment) => ({ comment, ...githubComment(comment) }));

/** Webhooks of all kinds that are read here, and of some that start nothing. */
export const webhooks: Readonly<Record<string, Webhook>> = {
  'GitHub push': githubPush(),
  'GitHub push to another branch': githubPush('refs/heads/release-1.2', 'Fix it\n\n[skip tests]'),
  'GitHub push of a tag': githubPush('refs/tags/v1.2.3'),
  'GitHub push to be skipped': githubPush('refs/heads/main', 'Tell [skip ci]'),
  'GitHub push that deletes': githubPush('refs/heads/gone', '', '0'.repeat(40)),
  'GitHub pull request opened': githubPull('opened'),
  'GitHub pull request synchronized': githubPull('synchronize', {
    draft: true,
    labels: [],
    milestone: null,
    body: null,
  }),
  'GitHub pull request reopened': githubPull('reopened', { base: { ...pullRequest.base, ref: 'release-1.2' } }),
  'GitHub pull request labeled': githubPull('labeled'),
  'GitHub pull request unlabeled': githubPull('unlabeled'),
  'GitHub pull request closed': githubPull('closed'),
  'GitHub release': github('release', { action: 'published', release: { tag_name: 'v1' } }),
  'GitLab push': gitlabPush(),
  'GitLab push of a tag': gitlabPush('refs/tags/v1.2.3'),
  'GitLab push of a new branch': gitlabPush('refs/heads/new', { before: '0'.repeat(40), commits: [] }),
  'GitLab push without commits': gitlabPush('refs/heads/main', { commits: [] }),
  'GitLab merge request opened': gitlabMerge(),
  'GitLab merge request to be skipped': gitlabMerge('open', {
    last_commit: { ...lastCommit, message: 'Tell [ci skip]' },
  }),
  'GitLab merge request with new commits': gitlabMerge('update', { oldrev: '3'.repeat(40) }),
  'GitLab merge request updated': gitlabMerge('update', {}, { changes: { title: { previous: 'a', current: 'b' } } }),
  'GitLab merge request labeled': gitlabMerge(
    'update',
    {},
    { changes: { labels: { previous: [{ title: 'bug' }], current: [{ title: 'bug' }, { title: 'ok' }] } } },
  ),
  'GitLab merge request closed': gitlabMerge('close'),
  'GitLab merge request approved': gitlabMerge('approved'),
  'GitLab comment': gitlabNote('/test'),
  'GitLab comment for somebody': gitlabNote('/go now'),
  'GitLab comment on a closed merge request': gitlabNote('/test', { state: 'closed' }),
};
