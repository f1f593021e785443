import type { Progress } from '@multi-image/kit/progress';
import { E2eError } from '../../errors.ts';

/** Something that a look before a run found: a problem stands in its way, a note is only good to know. */
export interface Finding {
  readonly level: 'problem' | 'note';
  readonly what: string;
  /** What to do about it. */
  readonly hint: string;
}

export function problem(what: string, hint: string): Finding {
  return { level: 'problem', what, hint };
}

export function note(what: string, hint: string): Finding {
  return { level: 'note', what, hint };
}

/** Shows the notes; throws `PREFLIGHT_FAILED` with all problems at once. */
export function settleFindings(findings: readonly Finding[], progress: Progress): void {
  const problems = findings.filter(({ level }) => level === 'problem');
  for (const { what, hint } of findings.filter(({ level }) => level === 'note'))
    progress.line(`note: ${what} (${hint})`);
  if (problems.length === 0) return;
  const many = problems.length === 1 ? 'one thing stands' : `${problems.length} things stand`;
  throw new E2eError('PREFLIGHT_FAILED', `${many} in the way, and nothing was changed`, {
    found: problems.map(({ what, hint }) => (hint === '' ? what : `${what}\n  → ${hint}`)).join('\n'),
  });
}

/** What all of these looks found. What one of them stumbles over is a problem too, and must not hide what others found. */
export async function gatherFindings(looks: readonly Promise<readonly Finding[]>[]): Promise<Finding[]> {
  const settled = await Promise.allSettled(looks);
  return settled.flatMap((look) => (look.status === 'fulfilled' ? look.value : [problemOf(look.reason)]));
}

/** An error of a look, as what it found. Throws what is no finding: a bug, an interruption. */
export function problemOf(error: unknown): Finding {
  if (!(error instanceof E2eError) || error.code === 'INTERRUPTED') throw error;
  return problem([error.message, error.found].filter(Boolean).join(': '), error.hint ?? '');
}
