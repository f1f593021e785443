import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { TWO } from '../testing/chains.ts';
import { ask } from './ask.ts';

const FORK = { ...TWO, namespace: 'your-tenant-namespace', registry: 'quay.io/your-org' };
const ENTER = '\r';
const ERASE = '\u0015';

/** Types each answer when its question is there: `keys` by a part of what has to be on the screen first. */
async function typed(keys: readonly (readonly [shown: string, keys: string])[], remote?: string) {
  const input = new PassThrough();
  const output = new PassThrough();
  let screen = '';
  const left = [...keys];
  output.on('data', (chunk) => {
    screen += stripVTControlCharacters(String(chunk));
    const [next] = left;
    if (next === undefined || !screen.includes(next[0])) return;
    left.shift();
    screen = '';
    setImmediate(() => {
      // One key at a time, as a terminal sends them.
      for (const key of next[1]) input.write(key);
    });
  });
  const answers = await ask(FORK, remote, { input, output });
  return { answers, left: left.map(([shown]) => shown) };
}

test('keeps an answer that is wrong, says why, and goes on when it is mended', async () => {
  const { answers, left } = await typed(
    [
      ['The Konflux Application', ENTER],
      ['Its name for people', ENTER],
      ['Your tenant namespace', `Mine${ENTER}`],
      ['expected a Kubernetes name', `${ERASE}mine${ENTER}`],
      ['The git repository', ENTER],
      ['The branch', ENTER],
      ['Where the images go', `quay.io/me${ENTER}`],
      // As doctor has it.
      ['expected quay.io/me/mine', `/mine${ENTER}`],
      ['What the labels', ENTER],
      ['The Konflux Component of the image "primary"', `${ERASE}metadata-scanner${ENTER}`],
      ['expected', `${ERASE}operator${ENTER}`],
      ['The repository of the image "primary"', ENTER],
      ['The Konflux Component of the image "metadata"', ENTER],
      ['The repository of the image "metadata"', ENTER],
    ],
    'https://git.example/me/fork',
  );
  expect(left).toEqual([]);
  expect(answers).toEqual({
    application: 'chain',
    namespace: 'mine',
    'git.url': 'https://git.example/me/fork',
    registry: 'quay.io/me/mine',
    'images.0.component': 'operator',
    'images.0.repository': 'primary',
    'images.1.component': 'metadata-scanner',
    'images.1.repository': 'metadata',
  });
});

test('a placeholder is no answer, and Ctrl-C leaves with none', async () => {
  const { answers, left } = await typed([
    ['git has no remote origin', ENTER],
    ['Its name for people', ENTER],
    ['Your tenant namespace', `your-tenant${ENTER}`],
    ['this is the placeholder', '\u0003'],
  ]);
  expect(left).toEqual([]);
  expect(answers).toBeUndefined();
});
