import { type Criterion, type Evidence, failed, type Status } from './criterion.ts';
import type { ObservedImage, ProofCheck } from './observation.ts';

/** How far a chain is proved: not at all, by its images' bytes, or by the build system's signatures as well. */
export type ProofLevel = 'none' | 'linked' | 'attested';

/** The verifier's checks of level attested: what the build system's signatures prove. */
export const ATTESTED: ReadonlySet<string> = new Set(['signature', 'provenance', 'build-args']);

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
export function proofEvidence({ id, status, evidence: text, expected, found }: ProofCheck, about = ''): Evidence {
  const evidence: Evidence = { check: `proof/${id}`, status, text: `${about && `${about}, `}${id}: ${text}` };
  return status === 'failed'
    ? { ...evidence, expected: expected ?? 'the check to pass', found: found ?? text }
    : evidence;
}

/** What the verifier's checks among the evidence come to. */
export function proofLevel(criteria: readonly Criterion[]): ProofLevel {
  const checks = proofsAmong(criteria);
  const attested = checks.filter(({ id }) => ATTESTED.has(id));
  if (checks.length === attested.length || checks.some(({ status }) => status === 'failed')) return 'none';
  if (checks.some(({ id, status }) => status === 'skipped' && isNeeded(id, 'linked'))) return 'none';
  const passed = (id: string): boolean => attested.some((entry) => entry.id === id && entry.status === 'passed');
  return [...ATTESTED].every(passed) && attested.every(({ status }) => status === 'passed') ? 'attested' : 'linked';
}

/**
 * That the proof is below the level that was asked for, though no check of it failed: what is needed was skipped, and that
 * must not pass for a proof. With a key `attested` is asked for. Nothing where there is nothing to add.
 */
export function levelMissed(criteria: readonly Criterion[], withKey: boolean): readonly Evidence[] {
  const checks = proofsAmong(criteria);
  const wanted = withKey ? 'attested' : 'linked';
  const level = proofLevel(criteria);
  if (checks.length === 0 || checks.some(({ status }) => status === 'failed')) return [];
  if (level === wanted || level === 'attested') return [];
  const missing = checks.find(({ id, status }) => status === 'skipped' && isNeeded(id, wanted));
  const found = missing === undefined ? level : `${level}; skipped: ${missing.text}`;
  return [failed('level', `the chain is proved at level ${wanted}`, wanted, found)];
}

function proofsAmong(criteria: readonly Criterion[]): readonly { id: string; status: Status; text: string }[] {
  return criteria
    .flatMap(({ evidence }) => evidence)
    .filter(({ check }) => check.startsWith('proof'))
    .map(({ check, status, text }) => ({ id: check.replace('proof/', ''), status, text }));
}

/** A statement beside the labels is not needed; without one its check is skipped. */
function isNeeded(id: string, level: 'linked' | 'attested'): boolean {
  return ATTESTED.has(id) ? level === 'attested' : id !== 'chain-statement';
}
