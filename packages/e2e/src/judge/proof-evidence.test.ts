import { ATTESTED, type CheckId } from '@multi-image/digest-chain';
import { describe, expect, test } from 'vitest';
import { wellDone } from '../testing/observation.ts';
import { judge } from './criteria.ts';
import { levelMissed, proofLevel } from './proof-evidence.ts';

test('what two proofs say alike is said once, with the image that it is about', () => {
  const seen = wellDone();
  const signature = { id: 'signature', role: 'metadata', status: 'passed', evidence: 'signed by a key' } as const;
  seen.primary.proof = [signature];
  seen.metadata.proof = [signature, { ...signature, role: 'primary' }];
  const texts = judge(seen)
    .flatMap(({ evidence }) => evidence)
    .filter(({ check }) => check === 'proof/signature')
    .map(({ text }) => text);
  expect(texts).toEqual(['Image 2, signature: signed by a key', 'Image 1, signature: signed by a key']);
});

describe('how far the chain is proved', () => {
  const check = (id: CheckId, status: 'passed' | 'failed' | 'skipped' = 'passed') => ({ id, status, evidence: id });
  test.each([
    ['none', 'nothing was checked', []],
    ['none', 'a check failed', [check('link-present'), check('embeds-origin', 'failed')]],
    ['none', 'one could not be made', [check('link-present'), check('embeds-origin', 'skipped')]],
    ['linked', 'no statement is needed', [check('link-present'), check('chain-statement', 'skipped')]],
    ['linked', 'no key was given', [check('link-present'), ...ATTESTED.map((id) => check(id, 'skipped'))]],
    [
      'linked',
      'the arguments are unknown',
      [check('link-present'), check('signature'), check('build-args', 'skipped')],
    ],
    [
      'linked',
      'one link is not signed',
      [check('link-present'), ...ATTESTED.map((id) => check(id)), check('provenance', 'skipped')],
    ],
    ['none', 'a signature is not good', [check('link-present'), check('signature', 'failed')]],
    ['attested', 'all is signed', [check('link-present'), ...ATTESTED.map((id) => check(id))]],
  ] as const)('%s: %s', (level, _, proof) => {
    const seen = wellDone();
    seen.primary.proof = proof;
    expect(proofLevel(judge(seen))).toBe(level);
  });
});

describe('a level that was asked for and not reached is a failure of its own', () => {
  const check = (id: CheckId, status: 'passed' | 'failed' | 'skipped' = 'passed') => ({
    id,
    status,
    evidence: 'so it is',
  });
  const ids = ['link-present', 'signature', 'provenance', 'builder', 'source', 'built-by'] as const;
  const signed = ids.map((id) => check(id));
  const missed = (proof: readonly ReturnType<typeof check>[], withKey: boolean) => {
    const seen = wellDone();
    seen.primary.proof = proof;
    return levelMissed(judge(seen), withKey);
  };

  test('a key was given, and a check that needs it was skipped', () => {
    expect(missed([...signed, check('build-args', 'skipped')], true)).toEqual([
      {
        check: 'level',
        status: 'failed',
        text: 'the chain is proved at level attested',
        expected: 'attested',
        found: 'linked; skipped: build-args: so it is',
      },
    ]);
  });

  test('a key was given, and nothing was said of signatures', () => {
    expect(missed([check('link-present')], true)).toMatchObject([{ expected: 'attested', found: 'linked' }]);
  });

  test('a link could not be looked at, and nothing failed', () => {
    expect(missed([check('embeds-origin', 'skipped')], false)).toMatchObject([
      { expected: 'linked', found: expect.stringContaining('none; skipped: ') },
    ]);
  });

  test.each([
    ['what was asked for was reached', [...signed, check('build-args'), check('chain-statement', 'skipped')], true],
    ['no key was given', [check('link-present'), check('signature', 'skipped')], false],
    ['what failed says it itself', [check('link-present'), check('signature', 'failed')], true],
  ])('not where %s', (_, proof, withKey) => expect(missed(proof, withKey)).toEqual([]));
});
