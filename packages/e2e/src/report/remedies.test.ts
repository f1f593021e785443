import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { remedyFor } from './remedies.ts';

// Every check that can fail, as the sources name it: a new one without a remedy is found here.
const folders = ['../judge', '../targets/cluster/tenant', '../targets/cluster/tekton', '../targets/cluster', '..'].map(
  (path) => join(import.meta.dirname, path),
);
const sources = folders.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => readFileSync(join(folder, name), 'utf8')),
);
const matches = [...sources.join('\n').matchAll(/(?<![.#\w])(?:failed|equal|labelOf|line)\(\s*'([a-z/-]+)'/g)];
const checks = new Set(matches.map(([, check]) => check ?? ''));

test('there is a remedy for every check that can fail', () => {
  expect(checks.size).toBeGreaterThan(20);
  expect([...checks].filter((check) => remedyFor(check, 'local') === undefined)).toEqual([]);
  expect(remedyFor('proof/embeds-origin', 'published')).toContain('digest-chain verify');
  expect(remedyFor('no-such-check', 'local')).toBeUndefined();
});

test('no hint for this machine speaks of what only a cluster has', () => {
  const local = [...checks].filter((check) => !['snapshot', 'integration-test'].includes(check));
  const hints = local.map((check) => remedyFor(check, 'local') ?? '');
  expect(hints.filter((text) => /kubectl|service account|push secret|Chains pushes/.test(text))).toEqual([]);
  expect(remedyFor('run', 'tenant')).toContain('kubectl');
});
