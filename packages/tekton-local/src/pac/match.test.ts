import { describe, expect, it } from 'vitest';
import { changedFiles, type PacEvent } from './event.ts';
import { matchesGlob } from './glob.ts';
import { matchRuns } from './match.ts';

const push: PacEvent = {
  from: 'a test',
  trigger: 'push',
  type: 'push',
  title: 'Add a thing',
  baseBranch: 'refs/heads/main',
  headBranch: 'refs/heads/main',
  labels: [],
  headers: { 'X-Github-Event': 'push' },
  body: { head_commit: { author: { name: 'ann' } } },
  changed: changedFiles(['docs/a.md', 'cmd/main.go']),
};
const pull: PacEvent = {
  ...push,
  trigger: 'pull_request',
  type: 'pull_request',
  baseBranch: 'main',
  headBranch: 'topic',
  labels: ['ok'],
};

function why(event: PacEvent, annotations: Record<string, string>, params = {}): string {
  const named = Object.entries(annotations).map(([key, value]) => [`pipelinesascode.tekton.dev/${key}`, value]);
  const { decisions, stopped } = matchRuns([Object.fromEntries(named)], event, () => params);
  const [{ starts, why: reason, unknown } = { starts: false, why: '' }] = decisions;
  return `${stopped ? 'stopped' : starts ? 'yes' : unknown ? 'unknown' : 'no'}: ${reason}`;
}

describe('which PipelineRuns an event starts', () => {
  const onMain = { 'on-event': '[push]', 'on-target-branch': '[main]' };
  it.each<[PacEvent, Record<string, string>, string]>([
    [push, onMain, 'yes: on-event [push], on-target-branch [main]'],
    [pull, onMain, 'no: on-event [push] is not pull_request'],
    [
      push,
      { ...onMain, 'on-target-branch': '[release-*, refs/tags/*]' },
      'no: on-target-branch [release-*, refs/tags/*] is not refs/heads/main',
    ],
    [{ ...push, baseBranch: 'refs/tags/v1' }, { ...onMain, 'on-target-branch': 'refs/tags/*' }, 'yes: '],
    [push, { ...onMain, 'on-target-branch': 'refs/heads/{main,dev}' }, 'yes: '],
    [push, { 'on-event': '[push]' }, 'no: it needs both'],
    [push, {}, 'no: it needs both'],
    [push, { ...onMain, 'on-path-change': '[docs/**]' }, 'yes: '],
    [push, { ...onMain, 'on-path-change': '[web/**]' }, 'no: no file that was changed is in on-path-change [web/**]'],
    [push, { ...onMain, 'on-path-change-ignore': '[*.md]' }, 'no: a file that was changed is in'],
    [
      { ...push, changed: undefined },
      { ...onMain, 'on-path-change': 'x' },
      'unknown: the commits are not in this checkout',
    ],
    [push, { ...onMain, 'on-event': '[]' }, 'stopped: on-event is empty'],
    [push, { ...onMain, 'on-event': '[push' }, 'stopped: on-event is neither a word nor a list'],
    [pull, { 'on-event': '[pull_request]', 'on-target-branch': '[*]', 'on-label': '[ok, x]' }, 'yes: '],
    [
      pull,
      { 'on-event': '[pull_request]', 'on-target-branch': '[*]', 'on-label': '[x]' },
      'no: on-label [x] is not among the labels ok',
    ],
    // An expression goes before all of them.
    [push, { ...onMain, 'on-cel-expression': 'event == "pull_request"' }, 'no: not true: event == "pull_request"'],
    [push, { 'on-cel-expression': 'event == "push" && target_branch == "main"' }, 'yes: true: event'],
    [push, { 'on-cel-expression': 'target_branch == "refs/heads/main"' }, 'yes: '],
    [push, { 'on-cel-expression': '"docs/***".pathChanged() && !"web/*".pathChanged()' }, 'yes: '],
    [
      push,
      { 'on-cel-expression': 'files.all.exists(x, x.matches("^cmd/")) && event_title.startsWith("Add")' },
      'yes: ',
    ],
    [
      push,
      { 'on-cel-expression': 'body.head_commit.author.name != "bot" && headers["x-github-event"] == "push"' },
      'yes: ',
    ],
    [{ ...push, changed: undefined }, { 'on-cel-expression': 'files.all.size() > 0' }, 'unknown: the commits'],
    [push, { 'on-cel-expression': 'evnt == "push"' }, 'no: Unknown variable: evnt: evnt == "push"'],
    [push, { 'on-cel-expression': 'body.pull_request.draft' }, 'no: No such key: pull_request'],
    [push, { 'on-cel-expression': 'team == "blue"' }, 'yes: '],
    [{ ...pull, type: 'pull_request_labeled' }, { 'on-cel-expression': 'event == "pull_request"' }, 'no: '],
    [
      { ...pull, type: 'pull_request_labeled' },
      { 'on-cel-expression': 'event_type == "pull_request_labeled"' },
      'yes: ',
    ],
    [
      { ...pull, type: 'pull_request_labeled' },
      { 'on-event': '[pull_request]', 'on-target-branch': '[main]' },
      'no: it has no on-label',
    ],
    [push, { ...onMain, 'on-target-branch': '[main, []' }, 'stopped: [ is no pattern'],
    [push, { ...onMain, 'on-comment': '(' }, 'no: its on-comment is no pattern'],
    // No comment is an empty one.
    [push, { 'on-comment': '^(/go)?$' }, 'yes: on-comment matches'],
    [push, { 'on-cel-expression': '[1].all(a, [1].all(b, [1].all(c, a + b + c > 0)))' }, 'unknown: more than 2 of all'],
    [{ ...pull, type: 'no-ops-comment', comment: '/go now\r\n' }, { 'on-comment': '^/go' }, 'yes: on-comment'],
    [
      { ...pull, type: 'no-ops-comment', comment: 'hm' },
      { ...onMain, 'on-comment': '^/go' },
      'no: its on-comment ^/go',
    ],
  ])('%#', (event, annotations, expected) => {
    expect(why(event, annotations, { team: 'blue' })).toContain(expected);
  });

  it('changes the event: a comment that one waits for, and branches without refs/heads', () => {
    const cel = (text: string): Record<string, string> => ({ 'pipelinesascode.tekton.dev/on-cel-expression': text });
    const shortens = matchRuns(
      [cel('target_branch == "main"'), cel('target_branch == "refs/heads/main"')],
      push,
      () => ({}),
    );
    expect(shortens.decisions.map(({ starts }) => starts)).toEqual([true, false]);
    expect(shortens.event.baseBranch).toBe('main');
    const comment = { ...pull, type: 'test-all-comment', comment: '/test' };
    const waits = { 'pipelinesascode.tekton.dev/on-comment': '^/test' };
    const taken = matchRuns([waits, cel('event == "pull_request"')], comment, () => ({}));
    expect(taken.decisions.map(({ starts }) => starts)).toEqual([true, false]);
    expect(taken.event.type).toBe('on-comment');
  });

  it.each([
    ['*', 'a/b', true],
    ['docs/*.md', 'docs/x/y.md', true],
    ['docs/?.md', 'docs/a.md', true],
    ['{a,b}[0-9][!x]', 'b1y', true],
    ['{main,release-*}', 'release-1', true],
    ['a.c', 'abc', false],
    ['\\*', '*', true],
    ['a,b', 'a,b', true],
    ['{a,b', 'b', true],
    ['web/{*.ts,*.js}', 'web/a.js', true],
    ['a}', 'a}', true],
    ['mai*in', 'main', true],
    ['mai*?in', 'main', false],
    ['[a^]]', '^]', true],
  ])('the glob %s', (pattern, text, expected) => {
    expect(matchesGlob(pattern, text)).toBe(expected);
  });

  it.each(['{a*,b', '{a,{b,c}}', '{a*,b},', '{b*,b}', 'x?{a*,b}'])('the glob %s is unknown', (pattern) => {
    expect(() => matchesGlob(pattern, 'a')).toThrow('is unknown here');
  });

  it.each(['[', '[a', '[]', '[!]', '[a-cx]', '[c-a]', '[a-'])('the glob %s is none', (pattern) => {
    expect(() => matchesGlob(pattern, 'a')).toThrow();
  });
});
