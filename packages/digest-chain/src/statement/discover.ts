import { isFinding } from '../check.ts';
import { type Digest, digestOf } from '../digest.ts';
import { EMPTY_MEDIA_TYPE } from '../media-types.ts';
import type { CallOptions, Registry, Repository } from '../registry/registry.ts';
import { withSignal } from '../registry/with-call-options.ts';
import { ARTIFACT_TYPE, isStatement, readArtifact } from './artifact.ts';
import { type Chain, invalid } from './chain.ts';
import { digestsOf, MAX_STATEMENT_SIZE, parseStatement } from './statement.ts';

/** A chain statement that was found at an image: well formed and about that image. Nothing in it is proved by that. */
export interface FoundStatement {
  readonly chain: Chain;
  /** Of the manifest that attaches it; of one that is not attached, its own. */
  readonly artifact: Digest;
}

export interface Discovery {
  /** Each chain once. */
  readonly statements: readonly FoundStatement[];
  /** What was found and is no chain statement of this image; what was not read. */
  readonly rejected: readonly string[];
  /** How many more may be statements of this image; they may name another chain. */
  readonly unread: number;
  /** Whether it is not attached, but the caller's own. */
  readonly isGiven?: boolean;
}

/** More statements at one image are not read: whoever may push to a repository may attach any number. */
export const MAX_STATEMENTS: number = 8;
/** Nor are more asked for of those that are listed as statements, be they there or not. */
const MAX_LISTED = 24;
/** Nor are more looked at of those that the registry's list does not tell from statements. */
const MAX_UNSURE = 16;

/** A statement that is not attached, as if it were. Throws `STATEMENT_INVALID` where it is about other images. */
export function givenStatement(bytes: Uint8Array, image: Digest): Discovery {
  const chain = parseStatement(bytes);
  if (!digestsOf(chain).has(image)) throw invalid('its images', image, 'others');
  return { statements: [{ chain, artifact: digestOf(bytes) }], rejected: [], unread: 0, isGiven: true };
}

/** Finds the chain statements that are attached to an image. Throws only where the registry can't be asked. */
export async function discoverStatements(
  client: Registry,
  repository: Repository,
  image: Digest,
  { signal }: CallOptions = {},
): Promise<Discovery> {
  const registry = withSignal(client, signal);
  const referrers = await registry.listReferrers(repository, image);
  const sure = referrers.filter(({ artifactType }) => artifactType === ARTIFACT_TYPE);
  // A fallback tag that other tools have rewritten may list the config's media type in place of the artifactType; so does
  // cosign for its signatures.
  const unsure = referrers.filter(({ artifactType }) => artifactType === EMPTY_MEDIA_TYPE);
  const candidates = [...sure.slice(0, MAX_LISTED), ...unsure.slice(0, MAX_UNSURE)];
  let unread = sure.length + unsure.length - candidates.length;
  let read = 0;
  const statements = new Map<Digest, FoundStatement>();
  const rejected: string[] = [];
  for (const { digest, artifactType } of candidates) {
    if (read === MAX_STATEMENTS) {
      unread++;
      continue;
    }
    try {
      const manifest = await registry.getManifest(repository, digest);
      if (artifactType !== ARTIFACT_TYPE && !isStatement(manifest)) continue;
      read++;
      const descriptor = readArtifact(manifest, image);
      if (statements.has(descriptor.digest)) continue;
      const chain = parseStatement(await registry.getBlob(repository, descriptor, { limit: MAX_STATEMENT_SIZE }));
      if (!digestsOf(chain).has(image)) throw invalid('its images', image, 'others');
      statements.set(descriptor.digest, { chain, artifact: digest });
    } catch (error) {
      if (!isFinding(error)) throw error;
      rejected.push(`${digest}: ${error.code}: ${error.message}`);
    }
  }
  if (unread > 0) rejected.push(`${unread} more, not read`);
  return { statements: [...statements.values()], rejected, unread };
}
