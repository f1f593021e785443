import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const entrypoint = fileURLToPath(new URL('entrypoint.mts', import.meta.url));

test('prints the three lines and nothing else', () => {
  const [hello, what, timestamp, end, ...rest] = execFileSync(process.execPath, [entrypoint], {
    encoding: 'utf8',
  }).split('\n');
  expect(hello).toBe('Hello from Image 1!');
  expect(what).toBe('This is the primary container in our multi-image build.');
  expect(timestamp).toMatch(/^Timestamp: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  expect(end).toBe('');
  expect(rest).toEqual([]);
});
