import { ATTESTED as ATTESTED_IDS, type Check, isAtLeast, judgeProof, type Level } from '@multi-image/digest-chain';
import { type Criterion, type Evidence, failed, type Status } from './criterion.ts';
import type { ObservedImage } from './observation.ts';

/** The verifier's checks of level attested: what the build system's signatures prove. */
export const ATTESTED: ReadonlySet<string> = new Set(ATTESTED_IDS);

/** What the verifier found, from each image that it started from; what it found twice is said once. */
export function proofChecks(
  images: readonly ObservedImage[],
  wanted: (id: string) => boolean,
  titleOf: (role: string) => string,
): Evidence[] {
  const all = images.flatMap((image) =>
    image.proof === undefined || 'problem' in image.proof
      ? []
      : image.proof
          .filter(({ id }) => wanted(id))
          .map((check) => proofEvidence(check, titleOf(check.role ?? (ATTESTED.has(check.id) ? '' : image.role)))),
  );
  const same = (a: Evidence, b: Evidence): boolean =>
    a.check === b.check && a.status === b.status && a.text === b.text && a.found === b.found;
  return all.filter((entry, index) => all.findIndex((other) => same(other, entry)) === index);
}

/** One check of the verifier as evidence: its id is kept, behind `proof/`. */
export function proofEvidence({ id, status, evidence, expected, found }: Check, about = ''): Evidence {
  const text = `${about && `${about}, `}${id}: ${evidence}`;
  return status === 'failed'
    ? failed(`proof/${id}`, text, expected ?? 'the check to pass', found ?? evidence)
    : { check: `proof/${id}`, status, text };
}

/** What the verifier's checks among the evidence come to. */
export function proofLevel(criteria: readonly Criterion[]): Level {
  return judgeProof(proofsAmong(criteria)).level;
}

/**
 * That the proof is below the level that was asked for, though no check of it failed: what is needed was skipped, and that
 * must not pass for a proof. With a key `attested` is asked for. Nothing where there is nothing to add.
 */
export function levelMissed(criteria: readonly Criterion[], withKey: boolean): readonly Evidence[] {
  const checks = proofsAmong(criteria);
  const wanted = withKey ? 'attested' : 'linked';
  const { level, shortcomings } = judgeProof(checks);
  if (checks.length === 0 || checks.some(({ status }) => status === 'failed') || isAtLeast(level, wanted)) return [];
  const [missing] = shortcomings;
  const found = missing === undefined ? level : `${level}; skipped: ${missing.text}`;
  return [failed('level', `the chain is proved at level ${wanted}`, wanted, found)];
}

function proofsAmong(criteria: readonly Criterion[]): readonly { id: string; status: Status; text: string }[] {
  return criteria
    .flatMap(({ evidence }) => evidence)
    .filter(({ check }) => check.startsWith('proof'))
    .map(({ check, status, text }) => ({ id: check.replace('proof/', ''), status, text }));
}
