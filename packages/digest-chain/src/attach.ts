import { type Clock, systemClock } from '../../kit/src/retry.ts';
import { isFinding } from './check.ts';
import { type Digest, digestOf } from './digest.ts';
import { DigestChainError } from './errors.ts';
import type { RawManifest, Registry, Repository } from './registry/registry.ts';

/** Milliseconds between looks at a list that does not have yet what its registry says that it indexed. */
const PAUSES = [0, 250, 500, 1000, 2000];

/**
 * Attaches a manifest to its `subject` so that it can be found there again. Whatever a registry says that it indexed, it is
 * asked for its list: some say so and have none, which leaves the fallback tag; some have one that never lists anything.
 * One that takes the manifest, lists it by itself without saying so, and refuses that tag, has all that is needed. Throws
 * what the registry refuses, and `REGISTRY_ERROR` where it is nowhere listed in the end.
 */
export async function attachFindably(
  registry: Registry,
  repository: Repository,
  manifest: Pick<RawManifest, 'bytes' | 'mediaType'>,
  subject: Digest,
  clock: Clock = systemClock,
): Promise<void> {
  const digest = digestOf(manifest.bytes);
  const isListed = async (): Promise<boolean> =>
    (await registry.listReferrers(repository, subject)).some((referrer) => referrer.digest === digest);
  try {
    if ((await registry.putReferrer(repository, manifest)).listed) return;
  } catch (error) {
    if (isRefusal(error) && (await isListed().catch(() => false))) return;
    throw error;
  }
  for (const pause of PAUSES) {
    if (pause > 0) await clock.sleep(pause);
    if (await isListed().catch(unlessRefused)) return;
    // By now the client knows a registry that has no list, and uses the tag as well.
    if (pause === 0 && (await registry.putReferrer(repository, manifest)).listed) return;
  }
  throw new DigestChainError('REGISTRY_ERROR', `${repository.registry} does not list what it took`, {
    expected: `${digest} among the referrers of ${subject}`,
    found: 'a list without it, again and again',
    hint: 'ask the owner of the registry: what is attached can not be found again',
  });
}

function unlessRefused(error: unknown): false {
  if (isRefusal(error)) return false;
  throw error;
}

/** Whether a registry said no to one thing, as opposed to being away or out of order. */
export function isRefusal(error: unknown): error is DigestChainError {
  if (!(error instanceof DigestChainError)) return false;
  const status = error.http?.status;
  return status === undefined ? isFinding(error) : status < 500 && status !== 429;
}

/** An error that says which part of a command failed, and whether that part can be left out; others as they are. */
export function failedPart(error: unknown, part: string, leaveOut: string | undefined): unknown {
  if (!(error instanceof DigestChainError) || (error.http === undefined && !FROM_REGISTRY.has(error.code)))
    return error;
  const { code, message, expected, found, http, operation, side } = error;
  const hint = [error.hint, leaveOut].filter((each) => each !== undefined).join('; or ') || undefined;
  const failure = new DigestChainError(code, `${part}: ${message}`, { expected, found, hint, http, cause: error });
  return Object.assign(failure, { operation, side });
}

const FROM_REGISTRY: ReadonlySet<string> = new Set([
  'CONFLICT',
  'RESPONSE_INVALID',
  'MEDIA_TYPE_UNSUPPORTED',
  'JSON_INVALID',
  'JSON_DUPLICATE_KEY',
  'TOO_LARGE',
  'REGISTRY_ERROR',
]);
