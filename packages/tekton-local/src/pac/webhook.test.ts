import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCheckout } from '@multi-image/testing/checkout';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadDocuments } from '../plan/yaml-file.ts';
import type { PacEvent } from './event.ts';
import { eventVariables } from './repository.ts';
import { templateLookup } from './template.ts';
import { variablesOf } from './variables.ts';
import { readWebhook } from './webhook.ts';

function event(body: object, headers: Record<string, string> = {}): PacEvent {
  const { root, remove } = makeCheckout({ 'event.json': JSON.stringify(body) });
  onTestFinished(remove);
  return readWebhook(join(root, 'event.json'), headers);
}

const repo = { name: 'Shop', html_url: 'https://github.com/Acme/shop', owner: { login: 'Acme' } };
const githubPull = {
  action: 'synchronize',
  number: 7,
  repository: repo,
  pull_request: {
    number: 7,
    title: 'Add "quotes"\n# and lines',
    draft: false,
    user: { login: 'Ann' },
    labels: [{ name: 'a' }, { name: 'b' }],
    head: { sha: 'c0ffee', ref: 'topic', repo: { html_url: 'https://github.com/ann/shop' } },
    base: { ref: 'main', repo },
  },
};
const githubPush = {
  ref: 'refs/heads/main',
  after: 'c0ffee',
  repository: repo,
  head_commit: { id: 'c0ffee', message: 'Do it' },
  sender: { login: 'Ann' },
};
const gitlabMerge = {
  object_kind: 'merge_request',
  user: { username: 'ann' },
  project: { web_url: 'https://gitlab.com/acme/sub/shop', path_with_namespace: 'acme/sub/shop' },
  labels: [{ title: 'x' }],
  object_attributes: {
    iid: 3,
    action: 'update',
    oldrev: 'abb',
    title: 'T',
    source_branch: 'topic',
    target_branch: 'main',
    last_commit: { id: 'abc' },
    source: { web_url: 'https://gitlab.com/ann/shop' },
    target: { web_url: 'https://gitlab.com/acme/sub/shop', path_with_namespace: 'acme/sub/shop' },
  },
};

describe('an event of a webhook', () => {
  it.each([
    [
      githubPull,
      {
        revision: 'c0ffee',
        repo_url: 'https://github.com/Acme/shop',
        source_url: 'https://github.com/ann/shop',
        repo_owner: 'acme',
        repo_name: 'shop',
        source_branch: 'topic',
        target_branch: 'main',
        sender: 'ann',
        event_type: 'pull_request',
        pull_request_number: '7',
        pull_request_labels: 'a\\nb',
      },
    ],
    [githubPush, { revision: 'c0ffee', target_branch: 'main', event_type: 'push', sender: 'ann' }],
    [
      { ...githubPush, ref: 'refs/tags/v1' },
      { git_tag: 'v1', target_branch: 'refs/tags/v1' },
    ],
    [gitlabMerge, { revision: 'abc', repo_owner: 'acme/sub', pull_request_number: '3', event_type: 'Merge Request' }],
    [{ headers: { 'x-github-event': ['push'] }, body: githubPush }, { event_type: 'push' }],
  ])('has variables: %#', (body, expected) => {
    expect(variablesOf(event(body))).toMatchObject(expected);
  });

  it('has none where it says nothing', () => {
    expect(variablesOf(event(githubPush))).not.toHaveProperty('pull_request_number');
    expect(event({ ...githubPull, action: 'labeled' }).type).toBe('pull_request_labeled');
  });

  it.each([
    [{ ...githubPull, action: 'assigned' }, 'a pull_request with the action "assigned"'],
    [{ ...githubPush, after: '0000' }, 'a push that deletes refs/heads/main'],
    [{ ...githubPull, action: 'closed' }, 'a pull_request with the action "closed"'],
    [{ action: 'created', comment: {}, issue: {} }, 'for the event issue_comment of GitHub Pipelines as Code asks'],
    [{ object_kind: 'push', commits: [] }, 'a Push Hook without commits'],
    [{ object_kind: 'note', commit: {} }, 'for a comment on a commit of GitLab'],
    [
      { ...gitlabMerge, object_attributes: { ...gitlabMerge.object_attributes, action: 'close' } },
      'a merge request with the action "close"',
    ],
    [
      { ...gitlabMerge, object_attributes: { ...gitlabMerge.object_attributes, oldrev: '' } },
      'a merge request that was updated without commits',
    ],
  ])('is refused where it starts nothing: %#', (body, message) => {
    expect(() => event(body)).toThrow(message);
  });

  it('is JSON', () => {
    const { root, remove } = makeCheckout({});
    onTestFinished(remove);
    writeFileSync(join(root, 'event.json'), 'no');
    expect(() => readWebhook(join(root, 'event.json'), {})).toThrow(
      expect.objectContaining({ code: 'FILE_NOT_READABLE' }),
    );
  });
});

describe('{{ … }} of an event', () => {
  const read = (
    text: string,
    of: PacEvent = event(githubPull, { 'x-github-delivery': 'd1' }),
    params = {},
  ): unknown => {
    const lookup = templateLookup(of, { ...variablesOf(of), ...params });
    return loadDocuments(new Map([['f.yaml', text]]), 'f.yaml', [], lookup)[0]?.value;
  };

  it.each([
    ['a: "{{ body.pull_request.number }} {{body.action}}"', { a: '7 synchronize' }],
    ['a: {{ body.pull_request.number }}', { a: 7 }],
    [`a: '{{ body.pull_request.labels }}'`, { a: '[{"name":"a"},{"name":"b"}]' }],
    ['a: "{{ body.pull_request.draft }}"', { a: 'false' }],
    ['a: "{{ headers[\'X-Github-Delivery\'] }}"', { a: 'd1' }],
    [`a: '{{ cel: body.pull_request.draft ? "draft" : "ready " + pac.revision }}'`, { a: 'ready c0ffee' }],
    [`a: '{{ cel: pull_request_number == "7" }}'`, { a: 'true' }],
    // What it can't be is left as it is, but for cel:, which is then nothing.
    ['a: "{{ body.nothing.here }}"', { a: '{{ body.nothing.here }}' }],
    ['a: "x{{ cel: body.nothing }}y"', { a: 'xy' }],
    ['a: "{{ .Digest }} {{ range .items }}{{end}} {{x}}"', { a: '{{ .Digest }} {{ range .items }}{{end}} {{x}}' }],
    [`a: '{{ cel: body.action.replace("s", "z").upperAscii() }}'`, { a: 'ZYNCHRONIZE' }],
    [`a: '{{ cel: "Ä".lowerAscii() + string(duration("61s")) }}{{ cel: 1.0 / 0.0 }}'`, { a: 'Ä61s' }],
    [`a: '{{ cel: string(timestamp("2026-01-01T00:00:00.50Z")) }}'`, { a: '2026-01-01T00:00:00.5Z' }],
    [`a: '{{ cel: [3, 1].sort() }}{{ cel: git_auth_secret }}'`, { a: '[1,3]' }],
    ['a: "{{ pull_request_number }}{{ git_tag }}"', { a: '7' }],
    ['a: "{{ team }} {{ revision }}"', { a: 'blue c0ffee' }],
    // A value is read as YAML in its place: with the escapes that it has in quotes, and with all that it breaks.
    ['a: {{ body.pull_request.title }}\nb: 1', { a: 'Add "quotes"', b: 1 }],
    ['a: "{{ pull_request_labels }}"', { a: 'a\nb' }],
    ["a: '{{ pull_request_labels }}'", { a: 'a\\nb' }],
    ['a: {{ body.pull_request.labels }}', { a: [{ name: 'a' }, { name: 'b' }] }],
  ])('%s', (text, expected) => {
    expect(read(text, undefined, { team: 'blue' })).toEqual(expected);
  });

  it('says what a value has done to the YAML', () => {
    const of = event(githubPull);
    const lookup = templateLookup(of, { team: 'x"\nb: "y', title: 'say "hi"' });
    const load = (text: string, notes: string[] = []): unknown =>
      loadDocuments(new Map([['f.yaml', text]]), 'f.yaml', [], lookup, notes)[0]?.value;
    const notes: string[] = [];
    expect(load('a: "{{ team }}"', notes)).toEqual({ a: 'x', b: 'y' });
    expect(notes).toEqual(['f.yaml: the values of {{ variables }} change what is in it, as they would in a cluster']);
    expect(() => load('a: "{{ title }}"')).toThrow('once {{ variables }} are replaced');
  });

  it('stays where no webhook was given', () => {
    const checkout: PacEvent = { from: '', trigger: 'push', type: 'push', labels: [], headers: {} };
    expect(read('a: "{{ body.x }}"', checkout)).toEqual({ a: '{{ body.x }}' });
  });
});

describe('custom params of a Repository', () => {
  const of = (params: object[], secrets = {}): unknown => {
    const text = JSON.stringify({ kind: 'Repository', spec: { params } });
    const [document] = loadDocuments(new Map([['r.yaml', text]]), 'r.yaml', []);
    const pull = event(githubPull);
    return eventVariables(document, pull, secrets).all;
  };

  it('are variables, of which the first with a true filter counts', () => {
    const params = [
      { name: 'team', value: 'blue', filter: 'pac.event_type == "push"' },
      { name: 'team', value: 'green', filter: 'body.pull_request.draft == false' },
      { name: 'team', value: 'red', filter: 'pac.target_branch == "main"' },
      { name: 'revision', value: 'own' },
    ];
    expect(of(params)).toMatchObject({ team: 'green', revision: 'own', repo_name: 'shop' });
    expect(of(params)).not.toHaveProperty('git_tag');
    expect(of([{ name: 'x', value: 'y', filter: 'nobody' }])).toEqual({
      git_auth_secret: expect.any(String),
      pull_request_number: '7',
    });
  });

  it('come from folders that stand for Secrets', () => {
    const { root, remove } = makeCheckout({ key: 'hush' });
    onTestFinished(remove);
    const params = [{ name: 'token', secret_ref: { name: 's', key: 'key' } }];
    expect(of(params, { s: root })).toMatchObject({ token: 'hush' });
    expect(() => of(params, { s: join(root, 'other') })).toThrow('has no key key');
  });
});
