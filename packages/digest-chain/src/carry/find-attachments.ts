import { isRefusal } from '../attach.ts';
import { isFinding } from '../check.ts';
import type { Digest } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import { at, decodeJson, member, textOf } from '../json/decode.ts';
import { EMPTY_MEDIA_TYPE, isIndex } from '../media-types.ts';
import { blobsOf } from '../read-image.ts';
import { attachmentTag, repositoryName } from '../reference.ts';
import type { RawManifest, Referrer, Registry, Repository } from '../registry/registry.ts';
import { ARTIFACT_TYPE } from '../statement/artifact.ts';

/** A list of what is in an image (SBOM): it says nothing about a digest, so it holds for the sealed image as well. */
export interface Sbom {
  /** The tag, or the digest of the referrer, that it was found by. */
  readonly name: string;
  readonly by: 'tag' | 'referrer';
  readonly manifest: RawManifest;
}

/** Something that is attached and stays where it is. Text from outside: escape it for where it is shown. */
export interface Left {
  readonly name: string;
  readonly reason: string;
}

/** More SBOMs at one image are not read: whoever may push to a repository may attach any number. */
const MAX_SBOMS = 32;

// CycloneDX, SPDX and Syft's own, as cosign, oras and BuildKit name them.
const SBOM_TYPE =
  /^(?:application\/vnd\.cyclonedx|application\/spdx|text\/spdx|spdx|application\/vnd\.syft)(?:\+(?:json|xml))?(?:;|$)/;

/** What to make of something that the registry refused; throws where that ends it all. */
export type Refused = (name: string, error: unknown) => Left;

/** Finds what is attached to an image, by tags and by referrers; signatures are looked for only to be named. */
export async function findAttachments(
  registry: Registry,
  place: Repository,
  image: Digest,
  refused: Refused,
): Promise<readonly (Sbom | Left)[]> {
  const tag = attachmentTag(image, 'sbom');
  const all = await Promise.all([
    found(tag, () => taggedSbom(registry, place, tag), refused),
    findReferrers(registry, place, image, refused),
    nameSigned(registry, place, attachmentTag(image, 'sig'), 'a signature', refused),
    nameSigned(registry, place, attachmentTag(image, 'att'), 'an attestation', refused),
  ]);
  return all.flat();
}

/**
 * Where the document itself is that is attached to an image by tag: `repository@sha256:…` of its blob, which Konflux's build
 * tasks call `SBOM_BLOB_URL`. Undefined where there is none that is known, or nobody may read it.
 */
export async function sbomBlobUrl(registry: Registry, place: Repository, image: Digest): Promise<string | undefined> {
  try {
    const { manifest } = await taggedSbom(registry, place, attachmentTag(image, 'sbom'));
    const [, document] = blobsOf(decodeJson(manifest.bytes));
    return document && `${repositoryName(place)}@${document.digest}`;
  } catch (error) {
    if (isFinding(error) || isRefusal(error)) return undefined;
    throw error;
  }
}

async function found(
  name: string,
  read: () => Promise<Sbom | undefined>,
  refused: Refused,
): Promise<readonly (Sbom | Left)[]> {
  try {
    const sbom = await read();
    return sbom === undefined ? [] : [sbom];
  } catch (error) {
    if (!isFinding(error)) return [refused(name, error)];
    return error.code === 'NOT_FOUND' ? [] : [{ name, reason: `${error.code}: ${error.message}` }];
  }
}

async function taggedSbom(registry: Registry, place: Repository, name: string): Promise<Sbom> {
  const manifest = await registry.getManifest(place, name);
  const [, ...layers] = isIndex(manifest.mediaType) ? [] : blobsOf(decodeJson(manifest.bytes));
  const other = layers.find(({ mediaType }) => !SBOM_TYPE.test(mediaType));
  if (layers.length > 0 && other === undefined) return { name, by: 'tag', manifest };
  throw noSbom(other?.mediaType ?? 'nothing');
}

async function findReferrers(
  registry: Registry,
  place: Repository,
  image: Digest,
  refused: Refused,
): Promise<readonly (Sbom | Left)[]> {
  const referrers = await registry.listReferrers(place, image).catch((error) => refused('referrers', error));
  if ('reason' in referrers) return [referrers];
  // The chain statement of an earlier seal is replaced by one about this one.
  const listed = referrers.filter(({ artifactType }) => artifactType !== ARTIFACT_TYPE);
  const sboms = listed.filter(mayBeSbom);
  const read = await Promise.all(
    sboms
      .slice(0, MAX_SBOMS)
      .map(({ digest }) => found(digest, () => referringSbom(registry, place, image, digest), refused)),
  );
  return [
    ...read.flat(),
    ...sboms.slice(MAX_SBOMS).map(({ digest }) => ({ name: digest, reason: `more than ${MAX_SBOMS} SBOMs` })),
    ...listed
      .filter((referrer) => !mayBeSbom(referrer))
      .map(({ digest, artifactType = 'an unknown type' }) => {
        return { name: digest, reason: `${artifactType}: may be about the digest as it was` };
      }),
  ];
}

/** Some registries list the config's media type in place of the artifactType: then the manifest tells. */
function mayBeSbom({ artifactType }: Referrer): boolean {
  return artifactType !== undefined && (artifactType === EMPTY_MEDIA_TYPE || SBOM_TYPE.test(artifactType));
}

/** Undefined for a chain statement, whatever it was listed as. */
async function referringSbom(
  registry: Registry,
  place: Repository,
  image: Digest,
  digest: Digest,
): Promise<Sbom | undefined> {
  const manifest = await registry.getManifest(place, digest);
  const document = decodeJson(manifest.bytes);
  const [config, ...layers] = blobsOf(document);
  if (textOf(at(document, 'subject', 'digest')) !== image) throw noSbom('something that is attached to another image');
  const type = textOf(member(document, 'artifactType')) ?? config?.mediaType ?? '';
  if (type === ARTIFACT_TYPE) return undefined;
  const signed = layers.find(({ mediaType }) => SIGNED_TYPE.test(mediaType));
  if (SBOM_TYPE.test(type) && signed === undefined) return { name: digest, by: 'referrer', manifest };
  throw noSbom(signed?.mediaType ?? type);
}

// What cosign and sigstore sign is about one digest, however the manifest around it calls itself.
const SIGNED_TYPE = /cosign|sigstore|dsse|in-toto/;

async function nameSigned(
  registry: Registry,
  place: Repository,
  name: string,
  what: string,
  refused: Refused,
): Promise<readonly Left[]> {
  const there = await registry.headManifest(place, name).catch((error) => refused(name, error));
  if (there !== undefined && 'reason' in there) return [there];
  return there === undefined ? [] : [{ name, reason: `${what}, which is about the digest as it was` }];
}

function noSbom(found: string): DigestChainError {
  return new DigestChainError('MEDIA_TYPE_UNSUPPORTED', 'not an SBOM that is known', {
    expected: 'CycloneDX, SPDX or Syft',
    found,
  });
}
