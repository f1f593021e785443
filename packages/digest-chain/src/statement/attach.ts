import { mapConcurrently } from '../../../kit/src/concurrent.ts';
import type { Digest } from '../digest.ts';
import { repositoryName } from '../reference.ts';
import type { CallOptions, RawManifest, Registry, Repository } from '../registry/registry.ts';
import { withSignal } from '../registry/with-signal.ts';
import { EMPTY, formatArtifact, subjectOf } from './artifact.ts';
import { type Chain, invalid } from './chain.ts';
import { digestsOf, formatStatement } from './statement.ts';

/** A manifest of the chain, and the repository it is in. It may be pushed later: a registry takes unknown subjects. */
export interface StatementSubject {
  readonly repository: Repository;
  readonly manifest: RawManifest;
}

/**
 * Attaches the statement of a chain to these of its images, each in its own repository. Attaching it again changes
 * nothing: same chain, same bytes. Returns the digests of the artifacts, in the order of the subjects. Throws
 * `STATEMENT_INVALID`, also for a subject that the chain does not name.
 */
export async function attachStatement(
  client: Registry,
  chain: Chain,
  subjects: readonly StatementSubject[],
  { signal }: CallOptions = {},
): Promise<readonly Digest[]> {
  const registry = withSignal(client, signal);
  const bytes = formatStatement(chain);
  const named = digestsOf(chain);
  for (const { manifest } of subjects) {
    if (!named.has(manifest.digest)) throw invalid('what it is attached to', 'an image of the chain', manifest.digest);
  }
  const repositories = new Map(subjects.map(({ repository }) => [repositoryName(repository), repository]));
  const uploaded = new Map(
    await mapConcurrently([...repositories], async ([name, repository]) => {
      await registry.putBlob(repository, EMPTY);
      return [name, await registry.putBlob(repository, bytes)] as const;
    }),
  );
  return mapConcurrently(subjects, async ({ repository, manifest }) => {
    const statement = uploaded.get(repositoryName(repository));
    if (statement === undefined) throw new RangeError('no statement');
    const artifact = formatArtifact(statement, subjectOf(manifest));
    await registry.putReferrer(repository, artifact);
    return artifact.digest;
  });
}
