import type { Criterion, Evidence } from './criterion.ts';
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
export function proofEvidence({ id, status, text, expected, found }: ProofCheck, about = ''): Evidence {
  const evidence: Evidence = { check: `proof/${id}`, status, text: `${about && `${about}, `}${id}: ${text}` };
  return status === 'failed'
    ? { ...evidence, expected: expected ?? 'the check to pass', found: found ?? text }
    : evidence;
}

/** What the verifier's checks among the evidence come to. */
export function proofLevel(criteria: readonly Criterion[]): ProofLevel {
  const checks = criteria
    .flatMap(({ evidence }) => evidence)
    .filter(({ check }) => check.startsWith('proof'))
    .map(({ check, status }) => ({ id: check.replace('proof/', ''), status }));
  const linked = checks.filter(({ id }) => !ATTESTED.has(id));
  const attested = checks.filter(({ id }) => ATTESTED.has(id));
  if (linked.length === 0 || checks.some(({ status }) => status === 'failed')) return 'none';
  // A statement beside the labels is not needed; without one its check is skipped.
  if (linked.some(({ id, status }) => status === 'skipped' && id !== 'chain-statement')) return 'none';
  const passed = (id: string): boolean => attested.some((entry) => entry.id === id && entry.status === 'passed');
  return [...ATTESTED].every(passed) && attested.every(({ status }) => status === 'passed') ? 'attested' : 'linked';
}
