import { isCommit } from '../../../kit/src/git-commit.ts';
import { DigestChainError, quoted } from '../errors.ts';
import { at, decodeJson, items, member, textOf } from '../json/decode.ts';
import { type DigestReference, parseDigestReference } from '../reference.ts';

/** An image of a Snapshot, of a component that has a role in the chain. */
export interface SnapshotEntry {
  readonly role: string;
  readonly component: string;
  readonly image: DigestReference;
  /** The git repository that it was built from. */
  readonly url: string;
  readonly revision: string;
  /** Built elsewhere, from another repository and commit than the chain. */
  readonly external?: boolean | undefined;
}

/** Which components have which role in a chain; `undefined` for an image that is no component. */
export type Components = ReadonlyMap<string, string | undefined>;

/** A Snapshot's spec as JSON, as integration tests get it in their parameter `SNAPSHOT`. Throws `SNAPSHOT_INVALID`. */
export function parseSnapshotSpec(text: string): unknown {
  let spec: unknown;
  try {
    spec = decodeJson(Buffer.from(text));
  } catch (cause) {
    throw invalid("the Snapshot can't be read", 'its spec as JSON', quoted(text), cause);
  }
  if (!Array.isArray(member(spec, 'components'))) {
    throw invalid('the Snapshot has no components', 'spec.components', quoted(text));
  }
  return spec;
}

/**
 * The images of a chain in a Snapshot's spec. Images of other components are passed over; what is there of the chain has
 * to be named by digest, with the commit that it was built from (`SNAPSHOT_INVALID`).
 */
export function readEntries(spec: unknown, components: Components): readonly SnapshotEntry[] {
  const named = items(member(spec, 'components'));
  return [...components].flatMap(([role, component]) => {
    const found = named.filter((entry) => member(entry, 'name') === component);
    if (component === undefined || found.length === 0) return [];
    if (found.length > 1) {
      throw invalid(`the Snapshot has ${component} more than once`, 'each component once', `${found.length} times`);
    }
    return [{ role, component, ...readEntry(found[0], component) }];
  });
}

/** As {@link readEntries}, of the components of images that were built elsewhere. */
export function readExternal(spec: unknown, components: Components = new Map()): readonly SnapshotEntry[] {
  return readEntries(spec, components).map((entry) => ({ ...entry, external: true }));
}

function readEntry(entry: unknown, component: string): Pick<SnapshotEntry, 'image' | 'url' | 'revision'> {
  const text = textOf(member(entry, 'containerImage')) ?? '';
  let image: DigestReference;
  try {
    image = parseDigestReference(text);
  } catch (cause) {
    const expected = 'repository@sha256:…: what a tag names can change between the test and the release';
    throw invalid(`the Snapshot does not name the image of ${component} by digest`, expected, quoted(text), cause);
  }
  const url = textOf(at(entry, 'source', 'git', 'url')) ?? '';
  const revision = textOf(at(entry, 'source', 'git', 'revision')) ?? '';
  if (!isCommit(revision)) {
    const expected = 'source.git.revision: a commit of 40 or 64 hex digits';
    throw invalid(`the Snapshot does not say which commit ${component} was built from`, expected, quoted(revision));
  }
  return { image, url, revision };
}

function invalid(message: string, expected: string, found: string, cause?: unknown): DigestChainError {
  return new DigestChainError('SNAPSHOT_INVALID', message, { expected, found, cause });
}
