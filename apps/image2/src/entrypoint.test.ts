import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const entrypoint = fileURLToPath(new URL('entrypoint.mts', import.meta.url));
const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;
const url = `registry.example:5000/org/image1@${digest}`;

function run(env: Record<string, string>) {
  const { PATH = '' } = process.env;
  return spawnSync(process.execPath, [entrypoint], { encoding: 'utf8', env: { PATH, ...env } });
}

test('prints the digest and URL that were baked in', () => {
  const { status, stdout, stderr } = run({ IMAGE1_DIGEST: digest, IMAGE1_URL: url });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(stdout.split('\n')).toEqual([
    'Hello from Image 2!',
    'This container proves the signed/sealed image chain.',
    `Image 1 Digest: ${digest}`,
    `Image 1 URL: ${url}`,
    'This digest was baked in at build time, proving atomic build.',
    expect.stringMatching(/^Timestamp: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    '',
  ]);
});

describe('refuses to claim a link that it does not hold', () => {
  test.each([
    ['nothing baked in', {}],
    ['a digest that is cut short', { IMAGE1_DIGEST: digest.slice(0, -1), IMAGE1_URL: url }],
    ['a digest in upper case', { IMAGE1_DIGEST: digest.toUpperCase(), IMAGE1_URL: url }],
    ['a tag instead of a digest', { IMAGE1_DIGEST: 'latest', IMAGE1_URL: url }],
    ['a digest with a line break behind it', { IMAGE1_DIGEST: `${digest}\n`, IMAGE1_URL: url }],
    ['no URL', { IMAGE1_DIGEST: digest }],
    ['a URL of another digest', { IMAGE1_DIGEST: digest, IMAGE1_URL: url.replace('sha256:0', 'sha256:1') }],
    ['a URL with an escape sequence', { IMAGE1_DIGEST: digest, IMAGE1_URL: `\u001b[31m@${digest}` }],
  ])('%s', (_, env) => {
    const { status, stdout, stderr } = run(env);
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^Image 2 holds no usable link to Image 1: IMAGE1_(DIGEST|URL) should be .+, found ".*"\n/);
    expect(stderr).not.toContain('\u001b');
  });
});
