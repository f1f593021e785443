export type Status = 'passed' | 'failed' | 'skipped';

/** One thing that was looked at for a criterion, and what was seen. */
export interface Evidence {
  /** Stable id, kebab-case. */
  check: string;
  status: Status;
  /** What was seen, as a person would say it. */
  text: string;
  /** Only where it failed. */
  expected?: string;
  found?: string;
}

/** The check of an image that nobody was to run: it is said, and takes nothing from its criterion. */
export const NOT_RUN = 'not-run';

/** A success criterion: passed only if every check of it passed; skipped if one of them could not be made. */
export interface Criterion {
  id: string;
  title: string;
  status: Status;
  evidence: readonly Evidence[];
}

export function criterion(id: string, title: string, evidence: readonly Evidence[]): Criterion {
  const has = (status: Status): boolean => evidence.some((entry) => entry.status === status && entry.check !== NOT_RUN);
  return { id, title, status: has('failed') ? 'failed' : has('skipped') ? 'skipped' : 'passed', evidence };
}

export function countOf(entries: readonly { status: Status }[], wanted: Status): number {
  return entries.filter(({ status }) => status === wanted).length;
}

/** The criteria with more evidence: what only this target could see. */
export function extend(
  criteria: readonly Criterion[],
  more: Readonly<Record<string, readonly Evidence[]>>,
): readonly Criterion[] {
  return criteria.map(({ id, title, evidence }) => criterion(id, title, [...evidence, ...(more[id] ?? [])]));
}

/** Evidence that `found` is what it should be. */
export function equal(check: string, what: string, expected: string | undefined, found: string | undefined): Evidence {
  if (expected !== undefined && expected === found) return { check, status: 'passed', text: `${what}: ${found}` };
  return {
    check,
    status: 'failed',
    text: what,
    expected: expected ?? 'a value (what it should equal was not produced either)',
    found: found ?? 'nothing',
  };
}

export function passed(check: string, text: string): Evidence {
  return { check, status: 'passed', text };
}

export function failed(check: string, text: string, expected: string, found: string): Evidence {
  return { check, status: 'failed', text, expected, found };
}

export function skipped(check: string, text: string): Evidence {
  return { check, status: 'skipped', text };
}
