import { expect, test } from 'vitest';
import { wellDone } from '../testing/observation.ts';
import { buildTasksOf } from './chain-view.ts';

test('the tasks that built an image are its own, and those of its platforms', () => {
  const seen = wellDone();
  const names = ['build-app', 'build-app-linux-arm64', 'build-app-proxy', 'build-app-proxy-linux-arm64', 'build-apple'];
  seen.build = { ...seen.build, tasks: names.map((name) => ({ name, status: 'Succeeded', results: {} })) };
  Object.assign(seen.primary, { name: 'app' });
  Object.assign(seen.metadata, { name: 'app-proxy' });
  expect(buildTasksOf(seen, seen.primary).map(({ name }) => name)).toEqual(['build-app', 'build-app-linux-arm64']);
  expect(buildTasksOf(seen, seen.metadata).map(({ name }) => name)).toEqual([
    'build-app-proxy',
    'build-app-proxy-linux-arm64',
  ]);
});
