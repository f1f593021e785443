import { DigestChainError } from './errors.ts';

/** What a proof of level `linked` consists of, and then what makes it `attested`. */
export type CheckId =
  | 'link-present'
  | 'linked-image-exists'
  | 'embeds-origin'
  | 'origin-reconstructed'
  | 'same-revision'
  | 'chain-statement'
  | 'named-in-files'
  | AttestedCheckId;

/** The checks of level `attested`; all others are of level `linked`. */
export const ATTESTED = ['signature', 'provenance', 'builder', 'source', 'built-by', 'build-args'] as const;
export type AttestedCheckId = (typeof ATTESTED)[number];

/** One step of a proof. */
export interface Check {
  readonly id: CheckId;
  /** The role of the image that it is about. */
  readonly role?: string | undefined;
  readonly status: 'passed' | 'failed' | 'skipped';
  /** What was seen; for a skipped check the reason. Text from outside: escape it for where it is shown. */
  readonly evidence: string;
  readonly expected?: string | undefined;
  readonly found?: string | undefined;
  readonly hint?: string | undefined;
}

/** What a check does: it throws, or answers with what was seen and what the next steps need. */
type Work<T> = () => Promise<{ evidence: string; value: T }> | { evidence: string; value: T };

/** The result of a step that the next ones need; `undefined` where it failed. */
export interface Step<T> {
  readonly check: Check;
  readonly value: T | undefined;
}

const NOT_A_FINDING: ReadonlySet<string> = new Set([
  'REGISTRY_UNREACHABLE',
  'REGISTRY_ERROR',
  'REGISTRY_TIMEOUT',
  'UNAUTHORIZED',
  'REDIRECT_REFUSED',
  'ABORTED',
]);

/** Whether an error says something about the images. A registry that can't be asked proves nothing, neither way. */
export function isFinding(error: unknown): error is DigestChainError {
  return error instanceof DigestChainError && !NOT_A_FINDING.has(error.code);
}

/** Runs one check; what it throws becomes a failed check, unless nothing could be checked at all. */
export async function runCheck<T>(about: Pick<Check, 'id' | 'role'>, step: Work<T>): Promise<Step<T>> {
  try {
    const { evidence, value } = await step();
    return { check: { ...about, status: 'passed', evidence }, value };
  } catch (error) {
    if (!isFinding(error)) throw error;
    const { code, message, expected, found, hint } = error;
    const evidence = `${code}: ${message}`;
    return { check: { ...about, status: 'failed', evidence, expected, found, hint }, value: undefined };
  }
}

export function skipped(about: Pick<Check, 'id' | 'role'>, reason: string): Check {
  return { ...about, status: 'skipped', evidence: reason };
}

/** A check of what another one found; skipped where that did not pass. */
export async function after<N, T>(
  needed: Step<N>,
  about: Pick<Check, 'id' | 'role'>,
  step: (found: N) => ReturnType<Work<T>>,
): Promise<Step<T>> {
  if (needed.check.status === 'passed') return runCheck(about, () => step(needed.value as N));
  return { check: skipped(about, `needs ${needed.check.id}, which failed`), value: undefined };
}
