import { expect, test } from 'vitest';
import { other, prefix, type Sample, wellDone } from '../testing/observation.ts';
import { judge } from './criteria.ts';

const daemon = `sha256:${'d'.repeat(64)}`;
const url = `registry.example/team/daemon@${daemon}`;

/** A run in which Image 2 embeds a daemon, too, that was built elsewhere. */
function withDaemon(): Sample {
  const seen = wellDone();
  const { build, metadata } = seen;
  const args = [`DAEMON_DIGEST=${daemon}`, `DAEMON_URL=${url}`];
  const tasks = build.tasks.map((task) =>
    task.name === 'build-image-2' ? { ...task, buildArgs: [...(task.buildArgs ?? []), ...args] } : task,
  );
  const resolve = { name: 'resolve-daemon', status: 'Succeeded' as const, results: { DIGEST: daemon, URL: url } };
  seen.build = { ...build, tasks: [...tasks, { ...resolve, startedAt: 0, finishedAt: 1 }] };
  metadata.embedsExternal = ['daemon'];
  metadata.origin = {
    ...metadata.origin,
    labels: { ...metadata.origin.labels, [`${prefix}.daemon-image.digest`]: daemon },
    env: { ...metadata.origin.env, DAEMON_DIGEST: daemon, DAEMON_URL: url },
  };
  seen.external = [{ role: 'daemon', named: 'quay.io/team/daemon:1.0', argumentPrefix: 'DAEMON' }];
  return seen;
}

const statusOf = (seen: Sample, id: string) => judge(seen).find((criterion) => criterion.id === id)?.status;

test('what was built elsewhere was found once, and is held by what embeds it', () => {
  const seen = withDaemon();
  expect(judge(seen).filter(({ status }) => status === 'failed')).toEqual([]);
  const texts = judge(seen).flatMap(({ evidence }) => evidence.map(({ text }) => text));
  expect(texts).toContain(`daemon, which is built elsewhere (quay.io/team/daemon:1.0) was found once: ${url}`);
  expect(texts.filter((text) => text.includes('DAEMON_') || text.includes('daemon-image'))).toHaveLength(4);
});

test.each<[string, (seen: Sample) => void, string]>([
  [
    'another one is held',
    ({ metadata }) => {
      metadata.origin = { ...metadata.origin, env: { ...metadata.origin.env, DAEMON_DIGEST: other } };
    },
    'image-2-embeds-image-1',
  ],
  [
    'it is held nowhere',
    ({ metadata }) => {
      metadata.origin = { ...metadata.origin, labels: {} };
    },
    'image-2-embeds-image-1',
  ],
  [
    'it was not found',
    (seen) => {
      seen.build = { ...seen.build, tasks: seen.build.tasks.filter(({ name }) => name !== 'resolve-daemon') };
    },
    'single-pipeline',
  ],
])('a criterion falls where %s', (_, change, id) => {
  const seen = withDaemon();
  change(seen);
  expect(statusOf(seen, id)).toBe('failed');
});
