import { describe, expect, it } from 'vitest';
import { ATTESTED, type Check } from './check.ts';
import { isAtLeast, judgeProof } from './level.ts';

const check = (id: string, status: Check['status'] = 'passed') => ({ id, status });
const linked = [check('link-present'), check('embeds-origin')];
const signed = ATTESTED.map((id) => check(id));

describe('the level of a proof', () => {
  it.each([
    ['none', 'nothing was checked', [], []],
    ['none', 'no link was checked', signed, []],
    ['none', 'a link fails', [...linked, check('same-revision', 'failed'), ...signed], ['same-revision']],
    [
      'none',
      'a link can not be checked',
      [...linked, check('origin-reconstructed', 'skipped')],
      ['origin-reconstructed'],
    ],
    ['none', 'a signature fails', [...linked, check('signature', 'failed')], ['signature']],
    [
      'none',
      'what fails is why, not what was skipped for it',
      [...linked, check('provenance', 'failed'), check('build-args', 'skipped')],
      ['provenance'],
    ],
    ['linked', 'no key was given', [...linked, ...ATTESTED.map((id) => check(id, 'skipped'))], [...ATTESTED]],
    [
      'linked',
      'the build arguments are not told',
      [...linked, check('signature'), check('provenance'), check('build-args', 'skipped')],
      ['build-args'],
    ],
    ['linked', 'one link is not signed', [...linked, ...signed, check('provenance', 'skipped')], ['provenance']],
    ['linked', 'a check of signatures was not made', [...linked, ...signed.slice(1)], []],
    ['linked', 'no statement is needed', [...linked, check('chain-statement', 'skipped')], []],
    ['attested', 'all holds', [...linked, check('chain-statement', 'skipped'), ...signed], []],
  ])('is %s where %s', (level, _, checks, missing) => {
    const judged = judgeProof(checks);
    expect(judged.level).toBe(level);
    expect(judged.shortcomings.map(({ id }) => id)).toEqual(missing);
  });

  it('has all that the one before it has', () => {
    expect(isAtLeast('attested', 'linked')).toBe(true);
    expect(isAtLeast('linked', 'linked')).toBe(true);
    expect(isAtLeast('linked', 'attested')).toBe(false);
    expect(isAtLeast('none', 'linked')).toBe(false);
  });
});
