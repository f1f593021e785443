import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { mapConcurrently } from './concurrent.ts';

describe('mapConcurrently', () => {
  it('keeps the order and the limit', async () => {
    let running = 0;
    let most = 0;
    const results = await mapConcurrently(
      [30, 5, 20, 1, 10],
      async (milliseconds, index) => {
        most = Math.max(most, ++running);
        await sleep(milliseconds);
        running--;
        return index;
      },
      2,
    );
    expect(results).toEqual([0, 1, 2, 3, 4]);
    expect(most).toBe(2);
  });

  it('fails with the first error and starts no more', async () => {
    const started: number[] = [];
    const all = mapConcurrently(
      [0, 1, 2, 3, 4, 5],
      async (item) => {
        started.push(item);
        await sleep(1);
        if (item === 1) throw new Error('one');
      },
      2,
    );
    await expect(all).rejects.toThrow('one');
    await sleep(20);
    expect(started.length).toBeLessThanOrEqual(4);
  });
});
