import { LONGEST_TIMER, systemClock } from '../../kit/src/retry.ts';
import { ATTESTED } from './check.ts';
import type { Digest } from './digest.ts';
import { DigestChainError } from './errors.ts';
import { findTasksSigned } from './extract/signed-by-tasks.ts';
import { LabelNames } from './label-names.ts';
import { isAtLeast, judgeProof } from './level.ts';
import { formatReference, nameOf, type Reference } from './reference.ts';
import type { Registry } from './registry/registry.ts';
import { withSignal } from './registry/with-call-options.ts';
import type { Link } from './seal/config.ts';
import { type Verification, type VerifyOptions, verifyManifest, wantedLevel } from './verify.ts';

export interface ExtractOptions extends Omit<VerifyOptions, 'at' | 'deadline'> {
  /** Which of the linked images is wanted. */
  readonly role: string;
  /**
   * With keys, what has to be there: `signed` is what the build system wrote of the tasks that made the images, seconds
   * after each, `attested` (the default) what it wrote of their whole run, after that has ended: see `findTasksSigned`.
   */
  readonly until?: 'signed' | 'attested' | undefined;
  /**
   * How long to wait for the image to be published, and with keys for what is signed about it, in milliseconds; without
   * it all must be there.
   */
  readonly deadline?: number | undefined;
  /** Called before each pause. */
  readonly onWait?: ((progress: { readonly waited: number; readonly reason: string }) => void) | undefined;
}

export interface ExtractResult {
  /** Where the linked image is: `repo:tag`. */
  readonly url: string;
  readonly digest: Digest;
  readonly verification: Verification;
}

/**
 * Waits for a sealed image, verifies it (four requests once it is there) and answers with the linked image of a role.
 * Throws `WAIT_DEADLINE`, `VERIFICATION_FAILED` with the first check that failed, what a signature lacks where only
 * `until: signed` is asked for (`SIGNATURE_MISSING`, `PROVENANCE_MISSING`, `PROVENANCE_MISMATCH`), `LINK_MISSING` where there is no link
 * of this role.
 *
 * ```ts
 * const image = parseReference('quay.io/org/image1:v1');
 * const { url, digest } = await extract(createRegistry(), image, { role: 'metadata', deadline: 60_000 });
 * ```
 */
export async function extract(client: Registry, reference: Reference, options: ExtractOptions): Promise<ExtractResult> {
  const names = new LabelNames(options.prefix);
  const registry = withSignal(client, options.signal);
  const { keys = [], identities = [], until = 'attested', role } = options;
  const byTasks = wantedLevel(options) === 'attested' && until === 'signed';
  // Labels need no second witness here: every request is one that a waiting pipeline pays for.
  // The deadline is that of waiting: what it proves afterwards has the usual time.
  const signers = byTasks ? { keys: [], identities: [] } : { keys, identities };
  const demands = { ...options, ...signers, deadline: undefined, statement: options.statement ?? false };
  return waitFor(reference, options, async (over) => {
    const manifest = await registry
      .getManifest(reference, nameOf(reference), { signal: over })
      .catch((error) => later(MAY_COME, error));
    const verification = await verifyManifest(registry, reference, manifest, names, demands);
    if (judgeProof(verification.checks).shortcomings.every(({ id }) => ATTESTED.some((signed) => signed === id))) {
      if (byTasks) {
        const found = findTasksSigned(registry, reference, verification, { ...options, keys, identities });
        await found.catch((error) => later(SIGNED_LATER, error));
      } else if (!isAtLeast(verification.level, wantedLevel(options))) {
        throw new NotYet(shortcoming(verification));
      }
    }
    assertVerified(verification, demands);
    const link = linkOf(verification, role);
    return { url: link.url, digest: link.digest, verification };
  });
}

/**
 * Throws `VERIFICATION_FAILED` with the first check that keeps the proof from what was asked for: with keys level
 * `attested`, else `linked`.
 */
export function assertVerified(
  verification: Verification,
  options: Pick<VerifyOptions, 'keys' | 'identities'> = {},
): void {
  if (!isAtLeast(verification.level, wantedLevel(options))) throw shortcoming(verification);
}

function shortcoming(verification: Verification): DigestChainError {
  const [missing] = judgeProof(verification.checks).shortcomings;
  const { id = 'level', role, evidence = verification.level, expected, found, hint } = missing ?? {};
  const about = role === undefined ? id : `${id} (${role})`;
  const message = `${verification.image.reference}: ${about}: ${evidence}`;
  return new DigestChainError('VERIFICATION_FAILED', message, { expected, found, hint });
}

function linkOf(verification: Verification, role: string): Link {
  const link = verification.links.find((candidate) => candidate.role === role);
  if (link !== undefined) return link;
  throw new DigestChainError('LINK_MISSING', 'the image has no link of this role', {
    expected: role,
    found: verification.links.map((candidate) => candidate.role).join(', '),
  });
}

// While waiting, a registry that is briefly away is no reason to give up.
const MAY_COME: ReadonlySet<string> = new Set([
  'NOT_FOUND',
  'REGISTRY_UNREACHABLE',
  'REGISTRY_ERROR',
  'REGISTRY_TIMEOUT',
]);

// What the build system signs comes after what it signs; what it signed of another run, with the same bytes, may be there before.
const SIGNED_LATER: ReadonlySet<string> = new Set(['SIGNATURE_MISSING', 'PROVENANCE_MISSING', 'PROVENANCE_MISMATCH']);

// What a proof lacks that only signatures can be missing for.
const UNSIGNED: ReadonlySet<string> = new Set([...SIGNED_LATER, 'VERIFICATION_FAILED']);

/** What is not there, and may come: the reason to wait. */
class NotYet extends Error {
  readonly reason: DigestChainError;

  constructor(reason: DigestChainError) {
    super(reason.message);
    this.reason = reason;
  }
}

function later(codes: ReadonlySet<string>, error: unknown): never {
  throw error instanceof DigestChainError && codes.has(error.code) ? new NotYet(error) : error;
}

/** Repeats a step until it has what it needs. The tag is read each time: whoever may push can have written it first. */
async function waitFor<T>(
  reference: Reference,
  { deadline, onWait, signal }: ExtractOptions,
  step: (over: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  const start = performance.now();
  // Ends the request that is under way, too: a registry that hangs must not hold its client longer than was asked for.
  const over = deadline === undefined ? undefined : AbortSignal.timeout(Math.min(deadline, LONGEST_TIMER));
  for (let tries = 1; ; tries++) {
    try {
      return await step(over);
    } catch (error) {
      const last = error instanceof NotYet ? error.reason : error;
      if (deadline === undefined || !(last instanceof DigestChainError)) throw last;
      const waited = performance.now() - start;
      const isOver = over?.aborted && !signal?.aborted;
      if (isOver && (error instanceof NotYet || last.code === 'ABORTED')) throw overdue(reference, waited, tries, last);
      if (!(error instanceof NotYet)) throw last;
      const reason = `${last.code}: ${last.message}`;
      if (waited >= deadline) throw overdue(reference, waited, tries, last);
      onWait?.({ waited, reason });
      await systemClock.sleep(Math.min(pause(waited), deadline - waited), signal).catch((cause) => {
        throw new DigestChainError('ABORTED', 'stopped while waiting', { cause });
      });
    }
  }
}

/** A tenth of the time already waited, between a quarter of a second and 15 seconds, not in step with other waiters. */
function pause(waited: number): number {
  return Math.min(Math.max(waited / 10, 250), 15_000) * (0.8 + 0.4 * Math.random());
}

function overdue(reference: Reference, waited: number, tries: number, last: DigestChainError): DigestChainError {
  const name = formatReference(reference);
  return new DigestChainError(
    'WAIT_DEADLINE',
    `waited ${(waited / 1000).toFixed(1)} s for ${name}, which did not come${UNSIGNED.has(last.code) ? ', or is not signed' : ''}`,
    {
      expected: `${name} to be published within the deadline`,
      found: `after ${tries} tries: ${last.code}: ${last.message}`,
      hint: 'see whether the pipeline that builds and seals this image has failed, or give it a longer deadline',
      cause: last,
    },
  );
}
