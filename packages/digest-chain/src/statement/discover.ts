import { isFinding } from '../check.ts';
import type { Digest } from '../digest.ts';
import type { Referrer, Registry, Repository } from '../registry/registry.ts';
import { ARTIFACT_TYPE, EMPTY_MEDIA_TYPE, readArtifact } from './artifact.ts';
import { type Chain, invalid } from './chain.ts';
import { digestsOf, MAX_STATEMENT_SIZE, parseStatement } from './statement.ts';

/** A chain statement that was found at an image: well formed and about that image. Nothing in it is proved by that. */
export interface FoundStatement {
  readonly chain: Chain;
  /** Of the manifest that attaches it. */
  readonly artifact: Digest;
}

export interface Discovery {
  /** Each chain once. */
  readonly statements: readonly FoundStatement[];
  /** What was found and is no chain statement of this image; what was not read. */
  readonly rejected: readonly string[];
}

/** More statements at one image are not read: whoever may push to a repository may attach any number. */
export const MAX_STATEMENTS: number = 8;

/** Finds the chain statements that are attached to an image. Throws only where the registry can't be asked. */
export async function discoverStatements(
  registry: Registry,
  repository: Repository,
  image: Digest,
): Promise<Discovery> {
  const candidates = (await registry.listReferrers(repository, image)).filter(mayBeStatement).toSorted(surerFirst);
  const statements = new Map<Digest, FoundStatement>();
  const rejected: string[] = [];
  for (const { digest } of candidates.slice(0, MAX_STATEMENTS)) {
    try {
      const descriptor = readArtifact(await registry.getManifest(repository, digest), image);
      if (statements.has(descriptor.digest)) continue;
      const chain = parseStatement(await registry.getBlob(repository, descriptor, { limit: MAX_STATEMENT_SIZE }));
      if (!digestsOf(chain).has(image)) throw invalid('its images', image, 'others');
      statements.set(descriptor.digest, { chain, artifact: digest });
    } catch (error) {
      if (!isFinding(error)) throw error;
      rejected.push(`${digest}: ${error.code}: ${error.message}`);
    }
  }
  if (candidates.length > MAX_STATEMENTS) rejected.push(`${candidates.length - MAX_STATEMENTS} more, not read`);
  return { statements: [...statements.values()], rejected };
}

// A fallback tag that other tools have rewritten may list the config's media type in place of the artifactType.
function mayBeStatement({ artifactType }: Referrer): boolean {
  return artifactType === ARTIFACT_TYPE || artifactType === EMPTY_MEDIA_TYPE;
}

function surerFirst(a: Referrer, b: Referrer): number {
  return Number(b.artifactType === ARTIFACT_TYPE) - Number(a.artifactType === ARTIFACT_TYPE);
}
