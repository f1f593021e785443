import { describe, expect, test } from 'vitest';
import { origin, other, sealed, wellDone } from '../testing/observation.ts';
import { PRUNED } from './chain-view.ts';
import { judge } from './criteria.ts';
import { sealing } from './sealing.ts';

const without = (status: string | undefined) => {
  const seen = wellDone();
  const tasks = seen.build.tasks.flatMap((task) => {
    if (task.name !== 'build-image-1') return [task];
    return status === undefined ? [] : [{ ...task, status, results: {} }];
  });
  seen.build = { ...seen.build, tasks };
  return seen;
};

describe('where no task says what was built', () => {
  test.each([undefined, PRUNED, 'Failed'])('and nobody else does, nothing is compared (%s)', (status) => {
    const seen = without(status);
    seen.primary.origin = { reference: '', labels: {}, env: {}, problem: 'it was not built' };
    delete seen.primary.unsealed;
    const gaps = sealing(seen).filter((entry) => entry.status !== 'passed');
    expect(gaps).toMatchObject([
      { check: 'sealed-from', status: 'skipped', text: expect.stringContaining('no task of the run says') },
      { check: 'unseal', status: 'skipped' },
    ]);
    const built = judge(seen)[0]?.evidence.find(({ check }) => check === 'built');
    expect(built?.status).toBe(status === PRUNED ? 'skipped' : 'failed');
  });

  test('a seal that is missing is a failure all the same', () => {
    const seen = without(PRUNED);
    seen.primary.published = { ...seen.primary.published, labels: {} };
    expect(sealing(seen).filter(({ status }) => status === 'failed')).toMatchObject([
      { check: 'label' },
      { check: 'sealed-from', found: 'nothing' },
    ]);
  });

  test('but the registry does, the bytes are compared', () => {
    const seen = without(PRUNED);
    seen.primary.unsealed = { digest: origin, bytesEqual: false };
    expect(sealing(seen).filter(({ status }) => status === 'failed')).toMatchObject([{ check: 'unseal' }]);
  });

  test('an image that may not be changed is not compared with itself', () => {
    const seen = without(PRUNED);
    seen.primary.seal = 'referrer';
    Object.assign(seen.primary.origin, { digest: sealed });
    expect(sealing(seen)).toContainEqual(expect.objectContaining({ check: 'unchanged', status: 'skipped' }));
    const built = wellDone();
    built.primary.published = { ...built.primary.published, digest: other };
    built.primary.seal = 'referrer';
    expect(sealing(built)).toContainEqual(
      expect.objectContaining({ check: 'unchanged', expected: origin, found: other }),
    );
  });
});
