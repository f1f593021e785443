import { describe, expect, it } from 'vitest';
import { CodedError } from './errors.ts';
import { type Clock, parseRetryAfter, retry, systemClock, Transient } from './retry.ts';

const failure = new CodedError('REGISTRY_ERROR', 'busy');

/** A clock whose time passes by being waited for. */
function standingClock(): Clock {
  let time = 0;
  return {
    now: () => time,
    async sleep(milliseconds) {
      time += Math.ceil(milliseconds);
    },
  };
}

it('the system’s clock sleeps longer than a timer reaches', async () => {
  const sleeping = systemClock.sleep(2 ** 40, AbortSignal.timeout(20));
  await expect(sleeping).rejects.toMatchObject({ name: 'TimeoutError' });
});

const clock = standingClock();
const options = { retries: 3, pause: 40, clock };

/** Fails so many times before it succeeds. */
function failing(times: number, error: unknown): { attempt: () => Promise<string>; tries: number[] } {
  const tries: number[] = [];
  return {
    tries,
    async attempt() {
      if (tries.push(clock.now()) <= times) throw error;
      return 'done';
    },
  };
}

describe('retry', () => {
  it('tries again while the failure is passing', async () => {
    const work = failing(3, new Transient(failure));
    await expect(retry(work.attempt, options)).resolves.toBe('done');
    expect(work.tries).toHaveLength(4);
  });

  it('gives up after so many tries, with the failure itself', async () => {
    const work = failing(9, new Transient(failure));
    await expect(retry(work.attempt, options)).rejects.toBe(failure);
    expect(work.tries).toHaveLength(4);
  });

  it('does not try again what is no passing failure', async () => {
    const work = failing(1, failure);
    await expect(retry(work.attempt, options)).rejects.toBe(failure);
    expect(work.tries).toHaveLength(1);
  });

  it('doubles its pauses', async () => {
    const work = failing(3, new Transient(failure));
    await retry(work.attempt, options);
    const pauses = work.tries.slice(1).map((time, index) => time - (work.tries[index] ?? 0));
    for (const [index, pause] of pauses.entries()) expect(pause).toBeGreaterThanOrEqual(20 * 2 ** index);
  });

  it('pauses no longer than the longest', async () => {
    const work = failing(3, new Transient(failure));
    await retry(work.attempt, { ...options, longest: 50 });
    const pauses = work.tries.slice(1).map((time, index) => time - (work.tries[index] ?? 0));
    for (const pause of pauses) expect(pause).toBeLessThanOrEqual(50);
  });

  it('waits as long as it is asked to', async () => {
    const work = failing(1, new Transient(failure, { retryAfter: 500 }));
    await retry(work.attempt, options);
    expect((work.tries[1] ?? 0) - (work.tries[0] ?? 0)).toBeGreaterThanOrEqual(500);
  });

  it('begins no pause that would end after its deadline', async () => {
    const startedAt = clock.now();
    const work = failing(1, new Transient(failure, { retryAfter: 60_000 }));
    await expect(retry(work.attempt, { ...options, endsAt: startedAt + 5000 })).rejects.toBe(failure);
    expect(clock.now()).toBe(startedAt);
  });

  it('takes another connection at once for one that was stale, but not for ever', async () => {
    const stale = new Transient(failure, { stale: true });
    const some = failing(8, stale);
    await expect(retry(some.attempt, { ...options, retries: 0 })).resolves.toBe('done');
    const many = failing(1000, stale);
    await expect(retry(many.attempt, { ...options, retries: 0 })).rejects.toBe(failure);
    expect(many.tries.length).toBeLessThan(20);
  });

  it('is woken by its signal', async () => {
    const controller = new AbortController();
    const work = failing(1, new Transient(failure, { retryAfter: 60_000 }));
    const running = retry(work.attempt, { retries: 3, pause: 1, signal: controller.signal });
    controller.abort('enough');
    await expect(running).rejects.toBe('enough');
  });
});

it('reads Retry-After', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  expect(parseRetryAfter('3', now)).toBe(3000);
  expect(parseRetryAfter('Thu, 01 Jan 2026 00:00:05 GMT', now)).toBe(5000);
  expect(parseRetryAfter('Wed, 31 Dec 2025 00:00:05 GMT', now)).toBe(0);
  expect(parseRetryAfter('soon', now)).toBeUndefined();
  expect(parseRetryAfter(undefined, now)).toBeUndefined();
});
