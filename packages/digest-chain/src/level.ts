import { ATTESTED, type Check } from './check.ts';

/**
 * How far a chain is proved; each level has all that the one before it has.
 * - `none`: a check failed, or what links the images could not be checked.
 * - `linked`: the images name each other by digest.
 * - `attested`: and the build system signed that it built them so.
 */
export type Level = (typeof LEVELS)[number];
export const LEVELS = ['none', 'linked', 'attested'] as const;

export interface Judgement<C> {
  readonly level: Level;
  /** What keeps the proof from the next level: the checks that failed, else those that it needs and that were skipped. */
  readonly shortcomings: readonly C[];
}

/**
 * What the checks of a proof come to, or of several proofs about one chain. What could not be checked lifts nothing: a
 * skipped check of level `attested` leaves `linked` as it is. What failed contradicts the chain, on whatever level.
 */
export function judgeProof<C extends { readonly id: string; readonly status: Check['status'] }>(
  checks: readonly C[],
): Judgement<C> {
  const failed = checks.filter(({ status }) => status === 'failed');
  const [signed, links] = [checks.filter(isAttested), checks.filter((check) => !isAttested(check))];
  // Beside labels a statement is not needed.
  const unlinked = links.filter(({ id, status }) => status === 'skipped' && id !== 'chain-statement');
  if (failed.length > 0 || unlinked.length > 0 || links.length === 0) {
    return { level: 'none', shortcomings: failed.length > 0 ? failed : unlinked };
  }
  const skipped = signed.filter(({ status }) => status === 'skipped');
  const complete = ATTESTED.every((id) => signed.some((check) => check.id === id));
  return { level: skipped.length === 0 && complete ? 'attested' : 'linked', shortcomings: skipped };
}

export function isAtLeast(level: Level, wanted: Level): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(wanted);
}

function isAttested({ id }: { readonly id: string }): boolean {
  return ATTESTED.some((attested) => attested === id);
}
