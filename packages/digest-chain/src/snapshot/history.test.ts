import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type CommitHistory,
  compareCommits,
  historyAnnotations,
  historyIn,
  parseHistory,
  readHistory,
} from './history.ts';

const commit = (digit: string): string => digit.repeat(40);
const [A, B, C] = [commit('a'), commit('b'), commit('c')];
const of = (name: string, time?: number, ancestors: readonly string[] = []): CommitHistory => ({
  commit: name,
  time,
  ancestors,
});

describe('the order of commits', () => {
  it.each<[string, CommitHistory, CommitHistory, ReturnType<typeof compareCommits>]>([
    ['the same', of(A, 1), of(A, 2), 'same'],
    ['an ancestor, whatever the clocks said', of(A, 9), of(B, 1, [A]), 'older'],
    ['one that has it, of which nothing else is known', of(B, 1, [A]), of(A), 'newer'],
    ['an earlier one beside it', of(A, 1), of(B, 2), 'older'],
    ['a later one beside it', of(A, 2, [C]), of(B, 1, [C]), 'newer'],
    ['two of one second', of(A, 1), of(B, 1), undefined],
    ['one of which nothing is known', of(A, 1), of(B), undefined],
  ])('%s', (_, one, other, order) => {
    expect(compareCommits(one, other)).toBe(order);
    const reverse = { older: 'newer', newer: 'older', same: 'same' } as const;
    expect(compareCommits(other, one)).toBe(order && reverse[order]);
  });

  it('is read from what git writes, and from a Snapshot’s annotations', () => {
    const lines = [A, B, C].map((name, index) => `${name} ${1700000000 - index}`).join('\n');
    const history = parseHistory(`${lines}\n`, A);
    expect(history).toEqual(of(A, 1700000000, [B, C]));
    const annotations = historyAnnotations(history);
    expect(Object.values(annotations)).toContain('2023-11-14T22:13:20.000Z');
    expect(historyIn((name) => annotations[name], A)).toEqual(history);
    expect(historyIn(() => 'odd', A)).toEqual(of(A));
  });

  it('keeps as many ancestors as an annotation has room for', () => {
    const names = Array.from({ length: 1000 }, (_, index) => index.toString(16).padStart(40, '0'));
    const { ancestors } = parseHistory(names.map((name) => `${name} 1`).join('\n'), names[0] ?? '');
    expect(ancestors).toEqual(names.slice(1, 201));
  });

  it('is read from a file that has more lines than are kept', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'digest-chain-history-'));
    try {
      const names = Array.from({ length: 20_000 }, (_, index) => index.toString(16).padStart(40, '0'));
      const file = join(folder, 'history');
      await writeFile(file, names.map((name) => `${name} 1\n`).join(''));
      expect((await readHistory(file, names[0] ?? '')).ancestors).toEqual(names.slice(1, 201));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it.each(['', `${B} 1`, `${A} yesterday`, `${A} 1\nfatal: bad object`])('is not read from %j', (text) => {
    expect(() => parseHistory(text, A)).toThrow(expect.objectContaining({ code: 'SNAPSHOT_INVALID' }));
  });
});
