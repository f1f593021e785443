import { mapConcurrently } from '../../../kit/src/concurrent.ts';
import { KONFLUX, KONFLUX_API } from '../../../kit/src/konflux.ts';
import { isGitUrl } from '../attestation/git-source.ts';
import { type Digest, digestHex, digestOf } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import { assertVerified } from '../extract.ts';
import { readImage } from '../read-image.ts';
import { parseReference, type Reference } from '../reference.ts';
import type { CallOptions, Registry } from '../registry/registry.ts';
import { sourceOf } from '../statement/publish.ts';
import { type VerifyOptions, verify } from '../verify.ts';
import type { ProvedImage } from './prove.ts';
import type { Components } from './read.ts';

export interface SnapshotOptions extends VerifyOptions {
  /** The Konflux application. */
  readonly application: string;
  /** The component of each role of the chain; `undefined` for an image that is no component. */
  readonly components: ReadonlyMap<string, string | undefined>;
  readonly namespace?: string | undefined;
  /** The repository that is named as the source, where `source` does not say it. */
  readonly gitUrl?: string | undefined;
}

/**
 * What Konflux tests and releases together. It has no label `test.appstudio.openshift.io/type`: an override Snapshot would
 * make its images the promoted ones of their components, tested or not, and in whichever order it came (docs/konflux.md).
 */
export interface Snapshot {
  readonly apiVersion: 'appstudio.redhat.com/v1alpha1';
  readonly kind: 'Snapshot';
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string | undefined;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>> | undefined;
  };
  readonly spec: { readonly application: string; readonly components: readonly SnapshotComponent[] };
}

export interface SnapshotComponent {
  readonly name: string;
  readonly containerImage: string;
  readonly source: { readonly git: GitSource };
}

/** What an image was built from. */
export interface GitSource {
  readonly url: string;
  readonly revision: string;
}

/**
 * Makes a Snapshot of a chain, from the registry's bytes, if its proof holds: every component by the digest that was just
 * proved, with the commit that all were built from. The same chain gives the same name, so that it is created once. Throws
 * `VERIFICATION_FAILED`, `USAGE` where an image has no component, or a component no image, and `SNAPSHOT_INVALID` where
 * nobody knows what an image from elsewhere was built from.
 */
export async function snapshotOf(client: Registry, reference: Reference, options: SnapshotOptions): Promise<Snapshot> {
  const { application, components, namespace, source, gitUrl = source } = options;
  const proof = await verify(client, reference, options);
  assertVerified(proof, options);
  const { images, revision } = proof;
  if (revision === undefined) throw new RangeError('a proof that holds names a commit');
  if (gitUrl === undefined || !isGitUrl(gitUrl)) {
    throw new DigestChainError('USAGE', 'the repository that the images were built from is not known', {
      expected: 'its URL: with a key --source, which is proved; without one --git-url',
    });
  }
  const roles = images.map(({ role }) => role);
  const without = roles.find((role) => !components.has(role));
  const strange = [...components.keys()].find((role) => !roles.includes(role));
  if (without !== undefined || strange !== undefined) {
    throw new DigestChainError('USAGE', 'the components are not those of the chain', {
      expected: `one for each role: ${roles.join(', ')}`,
      found: [...components.keys()].join(', ') || 'none',
      hint: 'an image that is no component is given as <role>=-; nothing fills in what a Snapshot leaves out',
    });
  }
  const git = { url: gitUrl, revision };
  return {
    apiVersion: KONFLUX_API,
    kind: 'Snapshot',
    metadata: {
      name: snapshotName(application, revision, images),
      namespace,
      labels: { [KONFLUX.application]: application },
    },
    spec: { application, components: await componentsOf(client, images, { ...options, git }) },
  };
}

/** The images that are components, by the digests that were proved; those that were built elsewhere with their own source. */
export async function componentsOf(
  client: Registry,
  images: readonly ProvedImage[],
  options: CallOptions & {
    readonly components: Components;
    readonly git: GitSource;
    /** What is known already of an image that was built elsewhere; by default its labels say it. */
    readonly sourceOf?: ((component: string, digest: Digest) => GitSource | undefined) | undefined;
  },
): Promise<readonly SnapshotComponent[]> {
  const named = await mapConcurrently(images, async (image) => {
    const name = options.components.get(image.role);
    if (name === undefined) return [];
    const known = (): GitSource | undefined => options.sourceOf?.(name, image.digest);
    const git = image.external ? (known() ?? (await externalSource(client, image, options))) : options.git;
    return [{ name, containerImage: `${image.place}@${image.digest}`, source: { git } }];
  });
  return named.flat();
}

/** What an image that was built elsewhere says of itself: a Snapshot names a source for each component. */
async function externalSource(
  client: Registry,
  { role, place, digest }: ProvedImage,
  { signal }: CallOptions,
): Promise<GitSource> {
  const { images } = await readImage(client, { ...parseReference(place), digest }, { signal });
  const { url, commit } = sourceOf(images) ?? {};
  if (url !== undefined && commit !== undefined) return { url, revision: commit };
  throw new DigestChainError('SNAPSHOT_INVALID', `what the external image (${role}) was built from is not known`, {
    expected:
      'its labels org.opencontainers.image.source and org.opencontainers.image.revision, or vcs-url and vcs-ref',
    found: `${url ?? 'no repository'} at ${commit ?? 'no commit'}`,
    hint: `leave its component out of the Snapshot: by hand --component ${role}=-, else without \`component\` in the config`,
  });
}

/** At most 63 characters, as Konflux wants it, and the same for the same chain, whichever image one starts from. */
export function snapshotName(application: string, revision: string, images: readonly ProvedImage[]): string {
  const digests = images.map(({ digest }) => digest).toSorted();
  const hex = digestHex(digestOf(Buffer.from(digests.join('\n'))));
  return `${application.slice(0, 36).replace(/-+$/, '')}-${revision.slice(0, 12)}-${hex.slice(0, 12)}`;
}
