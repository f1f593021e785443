import { describe, expect, test } from 'vitest';
import type { RunRecord, TaskRecord } from './facts.ts';
import { type RunsEffect, type RunsEvent, type RunsState, reduceRuns, runsState } from './runs-reducer.ts';

const OURS = 'a'.repeat(40);
const OTHERS = 'b'.repeat(40);

function runOf(component: string, more: Partial<RunRecord> = {}): RunRecord {
  const name = more.name ?? `${component}-on-push-1`;
  return {
    name,
    uid: `uid of ${name}`,
    component,
    revision: OURS,
    created: 1000,
    startedAt: 1000,
    finishedAt: undefined,
    succeeded: 'Unknown',
    reason: 'Running',
    message: '',
    results: {},
    skipped: [],
    children: [],
    signed: undefined,
    ...more,
  };
}
const over = { succeeded: 'True', reason: 'Succeeded', finishedAt: 2000 };

function taskOf(run: string, name: string, more: Partial<TaskRecord> = {}): TaskRecord {
  return {
    run,
    name,
    status: 'Running',
    results: {},
    failed: undefined,
    stuck: undefined,
    working: undefined,
    ...more,
  };
}

const see = (run: RunRecord): RunsEvent => ({ type: 'run', run });
const seeTask = (task: TaskRecord): RunsEvent => ({ type: 'task', task });

function begin(more: Partial<Parameters<typeof runsState>[1]> = {}): RunsState {
  return runsState(['app', 'scanner'], { revision: OURS, before: [], finished: {}, ...more });
}

/** What comes of these events, one after the other. */
function play(state: RunsState, ...events: RunsEvent[]): { state: RunsState; effects: RunsEffect[] } {
  const effects: RunsEffect[] = [];
  let last = state;
  for (const event of events) {
    const next = reduceRuns(last, event);
    last = next.state;
    effects.push(...next.effects);
  }
  return { state: last, effects };
}
const typesOf = (effects: readonly RunsEffect[]): string[] => effects.map(({ type }) => type);
const linesOf = (effects: readonly RunsEffect[]): string[] =>
  effects.flatMap((effect) => (effect.type === 'line' ? [effect.text] : []));

test('an event leaves the state that it came to as it was', () => {
  const state = begin();
  const copy = structuredClone(state);
  expect(play(state, see(runOf('app', over)), seeTask(taskOf('app-on-push-1', 'init'))).state).not.toEqual(state);
  expect(state).toEqual(copy);
});

test('from the first run to the end of the last', () => {
  const [app, scanner] = [runOf('app', over), runOf('scanner', over)];
  const { state, effects } = play(begin(), see(runOf('app')), see(scanner), see(app), {
    type: 'settled',
    run: scanner,
  });
  expect(typesOf(effects)).toEqual(['line', 'line', 'all-started', 'settle', 'settle', 'remember', 'ended']);
  const end = play(state, { type: 'settled', run: app });
  expect(typesOf(end.effects)).toEqual(['remember', 'ended', 'all-finished']);
  expect([...end.state.finished.values()].map(({ name, status }) => [name, status])).toEqual([
    ['scanner-on-push-1', 'Succeeded'],
    ['app-on-push-1', 'Succeeded'],
  ]);
});

test('a builder that fails leaves others that wait for it, which is said', () => {
  const [app, scanner] = [runOf('app', { ...over, succeeded: 'False' }), runOf('scanner')];
  const { state, effects } = play(begin(), see(app), see(scanner), { type: 'settled', run: app });
  expect(linesOf(effects).at(-1)).toBe(
    'scanner may wait in vain for what app-on-push-1 did not build; --timeout runs=TIME ends that sooner',
  );
  const ended = runOf('scanner', over);
  expect(linesOf(play(state, see(ended), { type: 'settled', run: ended }).effects)).toEqual([]);
  const alone = play(begin(), see(app), see(ended), { type: 'settled', run: ended }, { type: 'settled', run: app });
  expect(linesOf(alone.effects).join()).not.toContain('in vain');
});

test.each<[string, Partial<RunRecord>]>([
  ['of another commit', { revision: OTHERS }],
  ['of another component', { component: 'docs', name: 'docs-on-push-1' }],
  ['of a pull request', { name: 'app-on-pull-request-1' }],
  ['that was there before', { name: 'app-on-push-0' }],
])('a run %s is left alone', (_, more) => {
  const state = begin({ before: ['app-on-push-0'] });
  expect(play(state, see(runOf('app', more))).effects).toEqual([]);
});

describe('where nobody named the commit', () => {
  const other = (component: string): RunsEvent =>
    see(runOf(component, { revision: OTHERS, name: `${component}-on-push-other` }));

  test('the first run’s is taken for it, and is not settled before every component has a run of it', () => {
    const first = play(begin({ revision: undefined }), other('app'));
    expect(first.state.revision).toBe(OTHERS);
    expect(linesOf(first.effects)[0]).toBe(`commit     ${OTHERS}`);
    expect(typesOf(first.effects)).not.toContain('remember');
    const second = play(first.state, other('scanner'));
    expect(second.effects).toContainEqual({ type: 'remember', known: { revision: OTHERS } });
    expect(play(second.state, see(runOf('app')), see(runOf('scanner'))).effects).toEqual([]);
  });

  test('another one that has a run of every component takes its place, and what was known of the first is forgotten', () => {
    const ended = runOf('app', { ...over, revision: OTHERS, name: 'app-on-push-other' });
    const before = play(begin({ revision: undefined }), see(ended), { type: 'settled', run: ended }, see(runOf('app')));
    expect(before.state.revision).toBe(OTHERS);
    const { state, effects } = play(before.state, see(runOf('scanner')));
    expect(state).toMatchObject({ revision: OURS, finished: new Map() });
    expect([...state.records.values()].map(({ name }) => name)).toEqual(['app-on-push-1', 'scanner-on-push-1']);
    expect(linesOf(effects)[0]).toBe(`commit     ${OURS}, not ${OTHERS}: it has all the runs`);
    expect(effects.filter(({ type }) => type === 'remember')).toEqual([
      { type: 'remember', known: { finished: {}, signed: {} } },
      { type: 'remember', known: { revision: OURS } },
    ]);
  });
});

describe('two runs of one component', () => {
  test('the later one counts, in whatever order they come; of the same second, always the same', () => {
    const [early, late] = [runOf('app'), runOf('app', { name: 'app-on-push-2', created: 1001, startedAt: 1001 })];
    const twin = runOf('app', { name: 'app-on-push-3', created: 1001, startedAt: 1001 });
    for (const runs of [
      [early, late, twin],
      [twin, late, early],
    ])
      expect(play(begin(), ...runs.map(see)).state.records.get('app')?.name).toBe('app-on-push-3');
  });

  test('a later one also takes the place of one that has ended, with what Chains wrote on that', () => {
    const first = runOf('app', { ...over, signed: 'true' });
    const ended = play(begin(), see(first), { type: 'settled', run: first }).state;
    expect([ended.finished.size, ended.signed.get('app')]).toEqual([1, 'true']);
    const { state } = play(ended, see(runOf('app', { name: 'app-on-push-2', created: 3000, startedAt: 3000 })));
    expect([state.finished.size, state.signed.size]).toEqual([0, 0]);
  });

  test('of one whose place was taken, nothing is said at its end', () => {
    const first = runOf('app', over);
    const later = runOf('app', { name: 'app-on-push-2', created: 3000 });
    const { state, effects } = play(begin(), see(first), see(later), { type: 'settled', run: first });
    expect(state.finished.size).toBe(0);
    expect(typesOf(effects)).not.toContain('ended');
  });
});

describe('a run that is deleted', () => {
  test('in the middle ends as failed, at that time', () => {
    const run = runOf('app');
    const { effects } = play(begin(), see(run), { type: 'gone', uid: run.uid, at: 1500 });
    expect(effects.at(-1)).toMatchObject({
      type: 'settle',
      run: { succeeded: 'False', reason: 'Deleted', message: expect.stringContaining('Running'), finishedAt: 1500 },
    });
  });

  test('after its end stays as it was', () => {
    const run = runOf('app', over);
    expect(play(play(begin(), see(run)).state, { type: 'gone', uid: run.uid, at: 1500 }).effects).toEqual([]);
  });
});

describe('a task', () => {
  test('that is ahead of its run is shown once the run is known', () => {
    const task = seeTask(taskOf('app-on-push-1', 'build', { status: 'Succeeded' }));
    const { state, effects } = play(begin(), task);
    expect(effects).toEqual([]);
    expect(play(state, see(runOf('app'))).effects).toContainEqual(
      expect.objectContaining({ type: 'ended', what: 'app · build', status: 'passed' }),
    );
  });

  test('is said to begin, to lack room and to end once each, however often it is seen', () => {
    const stuck = taskOf('app-on-push-1', 'build', { status: 'Pending', stuck: 'no memory' });
    const ended = taskOf('app-on-push-1', 'build', { status: 'Succeeded' });
    const { effects } = play(begin(), see(runOf('app')), ...[stuck, stuck, ended, ended].map(seeTask));
    expect(typesOf(effects)).toEqual(['line', 'started', 'line', 'ended']);
    expect(linesOf(effects)[1]).toBe('app · build has no room yet: no memory');
  });

  test('that fails has its log fetched once, which stays with it', () => {
    const failed = taskOf('app-on-push-1', 'build', {
      status: 'Failed',
      message: 'exit 1',
      failed: { pod: 'p', container: 'c' },
    });
    const { state, effects } = play(begin(), see(runOf('app')), seeTask(failed), seeTask(failed));
    const fetches = effects.flatMap((effect) => (effect.type === 'fetch-log' ? [effect] : []));
    expect(fetches).toMatchObject([{ from: failed.failed }]);
    const log: RunsEvent = { type: 'log', task: fetches[0]?.task ?? '', lines: ['no space'] };
    const run = runOf('app', { ...over, succeeded: 'False' });
    const end = play(state, log, seeTask(failed), { type: 'settled', run });
    expect(linesOf(end.effects)[0]).toBe('    no space');
    expect(end.state.finished.get('app')).toMatchObject({ status: 'Failed', tasks: [{ logTail: ['no space'] }] });
  });
});

describe('what Chains wrote on a run', () => {
  const signed = runOf('app', { ...over, signed: 'true' });
  const ofType = (effects: readonly RunsEffect[], type: string): RunsEffect[] =>
    effects.filter((effect) => effect.type === type);

  test('is remembered with what the run did, and not before: one who knew only that would wait for a run that is pruned', () => {
    const seen = play(begin(), see(signed));
    expect(ofType(seen.effects, 'remember')).toEqual([]);
    expect(ofType(play(seen.state, { type: 'settled', run: signed }).effects, 'remember')).toEqual([
      {
        type: 'remember',
        known: {
          revision: OURS,
          signed: { app: 'true' },
          finished: { app: expect.objectContaining({ name: signed.name }) },
        },
      },
    ]);
  });

  test('after that is remembered when it is seen', () => {
    const run = runOf('app', over);
    const { effects } = play(begin(), see(run), { type: 'settled', run }, see(signed));
    expect(effects).toContainEqual({ type: 'remember', known: { signed: { app: 'true' } } });
  });

  test('is not said of the run that takes its place, also where it was not looked at to its end', () => {
    const later = runOf('app', { name: 'app-on-push-2', created: 3000, startedAt: 3000 });
    expect(play(begin(), see(signed), see(later)).state.signed.size).toBe(0);
    expect(begin({ signed: { app: 'true' } }).signed.size).toBe(0);
  });
});

test('a resumed run goes on with what had ended, and does not take an older run for it', () => {
  const done = runOf('app', { ...over, startedAt: 2000 });
  const { state } = play(begin(), see(done), { type: 'settled', run: done });
  const resumed = begin({ finished: Object.fromEntries(state.finished) });
  expect(play(resumed, see(runOf('app', { name: 'app-on-push-0', startedAt: 1000 }))).effects).toEqual([]);
  const last = runOf('scanner', over);
  expect(typesOf(play(resumed, see(last), { type: 'settled', run: last }).effects)).toContain('all-finished');
});
