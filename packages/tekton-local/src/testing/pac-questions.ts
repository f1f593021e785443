import fc from 'fast-check';
import { changedFiles } from '../pac/event.ts';
import { type Webhook, webhooks } from './pac-events.ts';
import type { PacQuestion } from './pac-judge.ts';

// Questions to Pipelines as Code and to us: events, annotations of every form, and texts with `{{ … }}`.

const of = <Value>(...values: readonly Value[]): fc.Arbitrary<Value> => fc.constantFrom(...values);

const BRANCHES = [
  'main',
  'release-1.2',
  'refs/heads/main',
  'refs/tags/v1.2.3',
  'refs/tags/*',
  'refs/tags/v[0-9].*',
  'refs/heads/*',
  'refs/*/main',
  '*',
  '**',
  'release-*',
  'release-?.?',
  'release-[0-9].[!3]',
  '{main,release-*}',
  'ma{in,ster}',
  'm[a-c]in',
  'm[!a-c]in',
  '\\*',
  'mai',
  '.*',
  'main$',
  '^main',
  'a&#44;b',
  'release-{1,2}.{2,3}',
];
const branch = fc.oneof(
  { weight: 12, arbitrary: of(...BRANCHES) },
  { weight: 1, arbitrary: of('{main', 'm[a', '[', 'main}', '\\') },
);

/** A list as people write it, and as they miswrite it. */
function list(item: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const items = fc.array(item, { minLength: 1, maxLength: 3 });
  return fc.oneof(
    { weight: 8, arbitrary: items.map((all) => `[${all.join(', ')}]`) },
    { weight: 3, arbitrary: items.map((all) => `[ ${all.join(',')} ]`) },
    { weight: 4, arbitrary: item },
    { weight: 1, arbitrary: items.map((all) => ` [${all.join(' , ')}]\n`) },
    { weight: 1, arbitrary: items.map((all) => all.join(', ')) },
    { weight: 1, arbitrary: items.map((all) => `["${all.join('", "')}"]`) },
    { weight: 1, arbitrary: items.map((all) => `[${all.join(',\n')}]`) },
    { weight: 1, arbitrary: of('', '[]', '[ ]', '[,main]', '[main,]', '[push', 'push]', '[[push]]', 'a b') },
  );
}

const PATHS = [
  'docs/**',
  'docs/*',
  '*.md',
  '**/*.go',
  'cmd/main.go',
  'web/**',
  'docs/?.md',
  '{docs,cmd}/*',
  'docs/[ab].md',
  '*',
];
const path = fc.oneof({ weight: 20, arbitrary: of(...PATHS) }, { weight: 1, arbitrary: of('{docs', '[a') });

const TEXTS = [
  'event',
  'event_type',
  'event_title',
  'target_branch',
  'source_branch',
  'target_url',
  'source_url',
  'headers["x-github-event"]',
  "headers['X-GitHub-Event']",
  'body.action',
  'body.ref',
  'body.object_kind',
  'body.pull_request.title',
  'body.pull_request.user.login',
  'body.object_attributes.title',
  'body["repository"]["name"]',
  'body.project.name',
  'body.nothing.here',
  'team',
  'revision',
  'sender',
  '"main"',
  "'push'",
  '"refs/heads/main"',
];
const WORDS = [
  'main',
  'push',
  'pull_request',
  'refs/heads/main',
  'refs/heads/',
  'release-1.2',
  'topic',
  'Add',
  'Ann',
  'blue',
  'ok',
  'x',
];
const text = of(...TEXTS);
const word = of(...WORDS).map((each) => JSON.stringify(each));
const atom = fc.oneof(
  fc.tuple(text, of('==', '!=', '<', '>='), fc.oneof(word, text)).map(([a, sign, b]) => `${a} ${sign} ${b}`),
  fc.tuple(text, of('startsWith', 'endsWith', 'contains'), word).map(([a, call, b]) => `${a}.${call}(${b})`),
  fc
    .tuple(text, of('^ma', '^(main|release-.*)$', 'refs/.*', '(?i)add', '\\\\d', '('))
    .map(([a, re]) => `${a}.matches("${re}")`),
  fc.tuple(text, fc.array(word, { maxLength: 3 })).map(([a, all]) => `${a} in [${all.join(', ')}]`),
  path.map((each) => `"${each.replaceAll('\\', '\\\\')}".pathChanged()`),
  path.map((each) => `files.all.exists(x, x.matches("${each.replaceAll(/[*?{[]/g, '.')}"))`),
  of(
    'has(body.pull_request)',
    'has(body.pull_request.draft)',
    'has(body.nothing.here)',
    'has(body.pull_request.milestone)',
    'has(body.pull_request.unheard_of)',
    'body.pull_request.milestone == null',
    'body.pull_request.body == ""',
    'body.object_attributes.description == ""',
    'body.object_attributes.assignee == null',
    'has(body.head_commit.author.username)',
    'body.pull_request.draft',
    '!body.pull_request.draft',
    'body.pull_request.number == 7',
    'body.pull_request.number > 6.5',
    'body.object_attributes.iid == 3',
    'body.pull_request.labels.exists(l, l.name == "ok")',
    'body.pull_request.labels.all(l, l.name != "nobody")',
    'body.pull_request["labels"].size() > 1',
    'body.commits.exists_one(c, c.message.startsWith("Add"))',
    'body.labels.map(l, l.title).filter(t, t == "bug").size() == 1',
    'files.added.size() > 0',
    'size(files.deleted) == 0 && files.modified.exists(f, f.endsWith(".go"))',
    'files.renamed == []',
    'event',
    'true',
    'null == null',
    '1 + 1 == 2',
    'event ==',
    'event = "push"',
    'evnt == "push"',
    'event.split("u").size() == 2',
    'event.lowerAscii() == "push"',
    'string(body.pull_request.number) == "7"',
    'int("7") == 7',
    'timestamp("2026-01-01T00:00:00Z").getFullYear() == 2026',
    'type(event) == string',
    'dyn(event) == 1',
    'body.size() > 2',
    '"x" in body',
    '"x-github-event" in headers',
    '',
    'event == "push" // comment',
    'pull_request_number == "7"',
    'event_type == "test-all-comment"',
    'event_type == "pull_request_labeled" || event == "push"',
  ),
);
const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 5, arbitrary: atom },
    {
      weight: 2,
      arbitrary: fc
        .tuple(tie('expression'), of('&&', '||'), tie('expression'))
        .map(([a, sign, b]) => `${a} ${sign} ${b}`),
    },
    { weight: 1, arbitrary: tie('expression').map((a) => `!(${a})`) },
    {
      weight: 1,
      arbitrary: fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `(${a}) ? (${b}) : event == "push"`),
    },
  ),
}));

const annotations = fc
  .record(
    {
      'on-event': list(of('push', 'pull_request', 'incoming', 'Push', '*', 'pull_request_closed')),
      'on-target-branch': list(branch),
      'on-path-change': list(path),
      'on-path-change-ignore': list(path),
      'on-label': list(of('bug', 'ok', 'no', '*')),
      'on-comment': of('^/go', '^/test', '.*', '^$', '(', '/go.*now$', 'x', '^/(re)?test lint'),
      'on-cel-expression': expression,
      'max-keep-runs': of('3', 'x'),
      'cancel-in-progress': of('true', 'maybe'),
    },
    { requiredKeys: [] },
  )
  // Most of what people write has both of these, and none of the rest.
  .chain((drawn) =>
    fc.tuple(fc.boolean(), fc.boolean()).map(([plain, cel]) => {
      const { 'on-cel-expression': text, ...others } = drawn;
      const basic = plain ? { 'on-event': '[push, pull_request]', 'on-target-branch': '[*]' } : {};
      return cel && text !== undefined ? { ...basic, ...others, 'on-cel-expression': text } : { ...basic, ...others };
    }),
  );

const VARIABLES =
  'revision repo_url repo_owner repo_name source_url source_branch target_branch git_tag sender event_type event ' +
  'trigger_comment pull_request_labels pull_request_number target_namespace event_title target_url team tool nobody';
const values = fc.oneof(
  of(...VARIABLES.split(' ')),
  text,
  expression.map((each) => `cel: ${each}`),
  text.map((each) => `cel: ${each}`),
  of(
    'body',
    'body.commits',
    'body.commits[0].added',
    'body.changes.labels.current',
    'body.object_attributes.description',
    'body.object_attributes.work_in_progress',
    'body.pull_request.milestone',
    'body.pull_request.created_at',
    'body.pull_request.unheard_of',
    'body.pull_request.head.repo.size',
    'body.head_commit.timestamp',
    'body.pull_request.labels',
    'body.pull_request.number',
    'body.pull_request.draft',
    'body.pull_request.head.repo.owner',
    'body.labels[0].title',
    'body.nothing',
    'bodyguard',
    'headers',
    'headers["X-Gitlab-Event"]',
    'headers["x-gitlab-event"]',
    'headersx',
    'files.all',
    'files.all[0]',
    'files.all.join(", ")',
    'files.added.size()',
    'filesystem',
    'cel: pac.revision',
    'cel: pac.nobody',
    'cel: pac.git_auth_secret',
    'cel: has(pac.team) ? pac.team : "none"',
    'cel: "a,b".split(",")',
    'cel: "HELLO".lowerAscii() + "x".replace("x", "y")',
    'cel: "banana".replace("a", "o", 2) + "ab".reverse()',
    'cel: "hello".substring(1, 3) + "hello".charAt(1) + " x ".trim()',
    'cel: "hello".indexOf("l") - "hello".lastIndexOf("l")',
    'cel: [3, 1, 2].sort()',
    'cel: [1, [2, [3]]].flatten()',
    'cel: [1, 2, 1].distinct().reverse()',
    'cel: [1, 2, 3].slice(1, 2)',
    'cel: ["a", "b"].join("-")',
    'cel: "%s is %d".format(["a", 1])',
    'cel: 1.5 + 1.0',
    'cel: 3u',
    'cel: b"abc"',
    'cel: null',
    'cel: 1e30',
    'cel: 0.0000001',
    'cel: 9007199254740993',
    'cel: duration("90s")',
    'cel: timestamp("2026-01-01T00:00:00Z")',
    'cel: string(timestamp("2026-01-01T00:00:00.50Z")) + string(duration("3661s"))',
    'cel: "ÄB".lowerAscii() + "äb".upperAscii()',
    'cel: 1.0 / 0.0',
    'cel: [1, 2.5, "x", true, null]',
    'cel: body.pull_request.title.startsWith("Add")',
    'cel:event_type',
    'cel:',
    '.Digest',
    ' range .items ',
    'x',
    '',
    'a b',
  ),
);
const templated = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: values.map((value) => `{{ ${value} }}`) },
      { weight: 2, arbitrary: values.map((value) => `{{${value}}}`) },
      { weight: 1, arbitrary: of(' ', 'x', '{', '}', '{{', '}}', '{{}}', '{{ }}', '$(params.x)', '\n', 'é') },
    ),
    { maxLength: 4 },
  )
  .map((parts) => parts.join('|'));

const filter = fc.oneof(
  {
    weight: 4,
    arbitrary: of(
      'pac.event_type == "push"',
      'body.pull_request.draft == false',
      'target_branch == "main"',
      'true',
      'event_type',
    ),
  },
  {
    weight: 1,
    arbitrary: of(
      'nobody',
      'pac.nobody == ""',
      'pull_request_number == "7"',
      'files.all.size() > 0',
      'has(body.nothing)',
    ),
  },
);
const params = fc.array(
  fc.record(
    {
      name: of('team', 'tool', 'revision', 'event', 'git_tag', 'pull_request_number', ''),
      value: of('blue', 'x y', ''),
      filter,
    },
    { requiredKeys: ['name'] },
  ),
  { maxLength: 3 },
);
const repository = fc.oneof(
  { weight: 2, arbitrary: fc.constant<object>({}) },
  { weight: 2, arbitrary: params.map((all): object => ({ params: all })) },
  { weight: 1, arbitrary: of<object>({ settings: { gitops_command_prefix: 'pac' } }) },
);

const comment = of(
  '/test',
  '/retest',
  '/ok-to-test',
  '/test lint',
  '/retest lint-',
  '/cancel',
  '/cancel lint',
  '/go',
  '/go now',
  'thanks',
  '/test team=red revision=abc',
  '/pac test',
  '/pac test lint',
  '  /test\r\n',
  '/test lint tool="a b"',
  '/testing',
);

const files = fc
  .uniqueArray(of('docs/a.md', 'docs/x/b.md', 'cmd/main.go', 'README.md', 'web/i.html', 'é.txt'), { maxLength: 4 })
  .chain((all) => fc.tuple(fc.constant(all), fc.subarray(all)))
  .map(([all, added]) => ({ ...changedFiles(all), added, modified: all.filter((file) => !added.includes(file)) }));

const NAMES = [
  { name: 'lint' },
  { generateName: 'lint-' },
  { name: 'test' },
  { generateName: 'build-' },
  { name: 'other' },
];
const folder = fc
  .array(fc.tuple(of(...NAMES), annotations, templated), { minLength: 1, maxLength: 3 })
  .map((runs) => runs.map(([metadata, drawn, value], index) => runFile(`${index}.yaml`, metadata, drawn, value)));

/** The file of a PipelineRun with these annotations, and one param. */
export function runFile(
  file: string,
  metadata: object,
  own: Readonly<Record<string, string>>,
  value = 'x',
): { name: string; text: string } {
  const named = Object.entries(own).map(([key, each]) => [`pipelinesascode.tekton.dev/${key}`, each]);
  const pipelineSpec = { tasks: [{ name: 'a', taskSpec: { steps: [{ image: 'x', script: 'true' }] } }] };
  const run = {
    apiVersion: 'tekton.dev/v1',
    kind: 'PipelineRun',
    metadata: { ...metadata, annotations: Object.fromEntries(named) },
    spec: { params: [{ name: 'p', value }], pipelineSpec },
  };
  return { name: file, text: JSON.stringify(run, null, 1) };
}

/** An event with a folder to be matched, and a text to be replaced. */
export const question: fc.Arbitrary<PacQuestion> = fc
  .record({
    webhook: of(...Object.values(webhooks)),
    comment: fc.option(comment, { nil: undefined, freq: 3 }),
    commitMessage: fc.option(of('Fix [skip ci]', '[tkn skip] x', 'Fix'), { nil: undefined, freq: 5 }),
    files,
    folder,
    repository,
    text: templated,
  })
  .map(({ webhook, commitMessage, ...rest }) => ({
    ...webhook,
    ...rest,
    commitMessage: messageIn(webhook) ?? commitMessage,
  }));

/** GitLab's merge requests have the message of their commit. */
export function messageIn({ body }: Webhook): string | undefined {
  const { last_commit: commit } = (body.object_attributes ?? {}) as { last_commit?: { message: string } };
  return commit?.message;
}
