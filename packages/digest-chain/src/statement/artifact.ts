import { mapConcurrently } from '../../../kit/src/concurrent.ts';
import { attachFindably } from '../attach.ts';
import { type BlobDescriptor, type Descriptor, readDescriptor } from '../descriptor.ts';
import { type Digest, digestOf } from '../digest.ts';
import { type DigestChainError, unexpected } from '../errors.ts';
import { at, decodeJson, items, member, textOf } from '../json/decode.ts';
import { EMPTY, EMPTY_MEDIA_TYPE, IN_TOTO, OCI_MANIFEST } from '../media-types.ts';
import { repositoryName } from '../reference.ts';
import type { CallOptions, RawManifest, Registry, Repository } from '../registry/registry.ts';
import { withSignal } from '../registry/with-call-options.ts';
import { type Chain, invalid } from './chain.ts';
import { digestsOf, formatStatement, MAX_STATEMENT_SIZE, PREDICATE_TYPE } from './statement.ts';

/** The artifactType of a chain statement (image-spec, manifest.md, "artifactType"). */
export const ARTIFACT_TYPE: string = 'application/vnd.konflux.image-chain.v1+json';

/** What an artifact says that it is attached to. */
export function subjectOf(manifest: RawManifest): Descriptor {
  return { mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.bytes.length };
}

/** The manifest that attaches a statement (an uploaded blob) to a subject. The same input gives the same bytes. */
export function formatArtifact(statement: BlobDescriptor, subject: Descriptor): RawManifest {
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      artifactType: ARTIFACT_TYPE,
      config: { mediaType: EMPTY_MEDIA_TYPE, digest: digestOf(EMPTY), size: EMPTY.length },
      layers: [{ mediaType: IN_TOTO, digest: statement.digest, size: statement.size }],
      subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
      annotations: { 'in-toto.io/predicate-type': PREDICATE_TYPE },
    }),
  );
  return { bytes, mediaType: OCI_MANIFEST, digest: digestOf(bytes) };
}

/** Whether a manifest claims to attach a chain statement: other things are attached to images, too. */
export function isStatement(manifest: RawManifest): boolean {
  return textOf(member(decodeJson(manifest.bytes), 'artifactType')) === ARTIFACT_TYPE;
}

/**
 * The statement's descriptor out of a manifest that claims to attach one to `subject`. Throws `STATEMENT_INVALID`: it is
 * another artifact, is attached to another image, or has another shape.
 */
export function readArtifact(manifest: RawManifest, subject: Digest): BlobDescriptor {
  const document = decodeJson(manifest.bytes);
  expect('its artifactType', ARTIFACT_TYPE, textOf(member(document, 'artifactType')));
  expect('its subject', subject, textOf(at(document, 'subject', 'digest')));
  const layers = items(member(document, 'layers'));
  expect('how many layers it has', '1', `${layers.length}`);
  expect("its layer's media type", IN_TOTO, textOf(member(layers[0], 'mediaType')));
  const { digest, size = 0 } = readDescriptor(layers[0]) ?? {};
  if (digest !== undefined && size > 0 && size <= MAX_STATEMENT_SIZE) return { digest, size };
  const expected = `a digest, and a size of up to ${MAX_STATEMENT_SIZE} bytes`;
  throw malformed("its layer's descriptor", expected, `${digest}, ${size}`);
}

function expect(what: string, expected: string, found: string | undefined): void {
  if (found !== expected) throw malformed(what, expected, found ?? 'none');
}

function malformed(what: string, expected: string, found: string): DigestChainError {
  return unexpected('STATEMENT_INVALID', `the artifact is no chain statement by ${what}`, expected, found);
}

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
    await attachFindably(registry, repository, artifact, manifest.digest);
    return artifact.digest;
  });
}
