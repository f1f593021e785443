import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Limiter, Turns } from './limiter.ts';

const { signal } = new AbortController();

it('lets so many run at a time, and the others in order', async () => {
  const limiter = new Limiter(3);
  let running = 0;
  let most = 0;
  const order: number[] = [];
  const work = async (index: number): Promise<void> => {
    most = Math.max(most, ++running);
    order.push(index);
    await sleep(1);
    running--;
  };
  await Promise.all(Array.from({ length: 20 }, (_, index) => limiter.run(() => work(index), signal)));
  expect(most).toBe(3);
  expect(order).toEqual(order.toSorted((one, other) => one - other));
});

it('gives the turn on after a failure', async () => {
  const limiter = new Limiter(1);
  await expect(limiter.run(() => Promise.reject(new Error('failed')), signal)).rejects.toThrow('failed');
  await expect(limiter.run(async () => 'next', signal)).resolves.toBe('next');
});

it('takes those out of the queue who no longer want their turn', async () => {
  const limiter = new Limiter(1);
  const controller = new AbortController();
  let free = (): void => {};
  const first = limiter.run(() => new Promise<void>((resolve) => (free = resolve)), signal);
  const gone = limiter.run(async () => 'gone', controller.signal);
  const next = limiter.run(async () => 'next', signal);
  controller.abort('enough');
  await expect(gone).rejects.toBe('enough');
  free();
  await first;
  await expect(next).resolves.toBe('next');
  await expect(limiter.run(async () => 'last', signal)).resolves.toBe('last');
});

it('takes turns at one key, also after a failure, and goes on beside others', async () => {
  const turns = new Turns();
  const seen: string[] = [];
  const { promise: open, resolve } = Promise.withResolvers<void>();
  const first = turns.run('a', async () => {
    await open;
    seen.push('first');
    throw new Error('first');
  });
  const second = turns.run('a', async () => seen.push('second'));
  await turns.run('b', async () => seen.push('beside'));
  resolve();
  await expect(first).rejects.toThrow('first');
  await second;
  await turns.run('a', async () => seen.push('third'));
  expect(seen).toEqual(['beside', 'first', 'second', 'third']);
});
