import { mapConcurrently } from '../../../kit/src/concurrent.ts';
import { attachFindably, failedPart, isRefusal } from '../attach.ts';
import { type Descriptor, requireDescriptor } from '../descriptor.ts';
import { type Digest, digestAlgorithm, digestOf } from '../digest.ts';
import { decodeJson, items, member } from '../json/decode.ts';
import { get, scanJson } from '../json/scan.ts';
import { type Edit, splice } from '../json/splice.ts';
import { isIndex } from '../media-types.ts';
import { blobsOf } from '../read-image.ts';
import { attachmentTag, isSameRepository } from '../reference.ts';
import type { RawManifest, Registry, Repository } from '../registry/registry.ts';
import type { ImageTree } from '../seal/tree.ts';
import { subjectOf } from '../statement/artifact.ts';
import { findAttachments, type Left, type Sbom } from './find-attachments.ts';
import { rewriteSbom } from './rewrite-sbom.ts';

/** An SBOM that is now attached to the sealed image, or to one of its images. */
export interface Carried {
  /** The tag or digest by which it was found. */
  readonly from: string;
  /** The tag or digest that it has now. */
  readonly to: string;
}

export interface CarryResult {
  readonly carried: readonly Carried[];
  readonly left: readonly Left[];
}

/** An image, or index, as it was given and as it was sealed. */
interface Pair {
  readonly given: RawManifest;
  readonly sealed: RawManifest;
}

/**
 * Attaches to a sealed image, and to each image of an index, the SBOMs that were attached to what was sealed: sealing adds
 * labels and changes nothing that an SBOM lists. Where one names the image by its digest, it names the sealed one then: see
 * {@link rewriteSbom}. Never signatures and attestations: they are about a digest. What the registry refuses is noted,
 * unless it is demanded.
 */
export async function carryAttachments(
  registry: Registry,
  { given, from }: { readonly given: ImageTree; readonly from: Repository },
  { sealed, to }: { readonly sealed: ImageTree; readonly to: Repository },
  { carry: demanded = false }: { readonly carry?: boolean | undefined } = {},
): Promise<CarryResult> {
  const refused = (name: string, error: unknown): Left => {
    if (demanded || !isRefusal(error)) throw failedPart(error, 'SBOMs could not be carried', LEAVE_OUT);
    return { name, reason: `${error.code}: ${error.message}` };
  };
  const pairs = pairsOf(given, sealed);
  const results = await mapConcurrently(pairs, async (pair): Promise<(Carried | Left)[]> => {
    // Sealing again what is sealed like this changed nothing: there is nothing to carry.
    if (pair.given.digest === pair.sealed.digest && isSameRepository(from, to)) return [];
    const done: (Carried | Left)[] = [];
    // One after the other: they may be listed under the same fallback tag.
    for (const attached of await findAttachments(registry, from, pair.given.digest, refused)) {
      if ('reason' in attached) done.push(attached);
      else done.push(await attach(registry, from, to, attached, pairs, pair).catch((e) => refused(attached.name, e)));
    }
    return done;
  });
  const done = results.flat();
  return { carried: done.filter((each) => 'to' in each), left: done.filter((each) => 'reason' in each) };
}

const LEAVE_OUT = 'leave them where they are (--no-carry): the seal needs none';

function pairsOf(given: ImageTree, sealed: ImageTree): readonly Pair[] {
  const top = { given: given.manifest, sealed: sealed.manifest };
  if (!isIndex(given.manifest.mediaType)) return [top];
  const images = given.images.flatMap(({ manifest }, index): Pair[] => {
    const image = sealed.images[index];
    return image === undefined ? [] : [{ given: manifest, sealed: image.manifest }];
  });
  return [top, ...images];
}

async function attach(
  registry: Registry,
  from: Repository,
  to: Repository,
  { name: found, by, manifest: attached }: Sbom,
  pairs: readonly Pair[],
  pair: Pair,
): Promise<Carried | Left> {
  const { sealed } = pair;
  const { manifest, blobs } = await renaming(registry, from, attached, pairs, pair);
  const write = by === 'tag' ? manifest : attachedTo(manifest, sealed);
  const name = by === 'tag' ? attachmentTag(sealed.digest, 'sbom') : write.digest;
  if (by === 'tag') {
    const there = await registry.headManifest(to, name);
    if (there?.digest === manifest.digest) return { from: found, to: name };
    if (there !== undefined) return { name: found, reason: `${name} is there already, and is another one` };
  }
  const made = new Set(blobs.map((blob) => digestOf(blob)));
  const others = blobsOf(decodeJson(manifest.bytes)).filter(({ digest }) => !made.has(digest));
  await copyBlobs(registry, from, to, others);
  await mapConcurrently(blobs, (blob) => registry.putBlob(to, blob));
  if (by === 'tag') await registry.putManifest(to, name, write);
  else await attachFindably(registry, to, write, sealed.digest);
  return { from: found, to: name };
}

/** SBOMs beyond this are carried as they are. Bytes. */
const MAX_REWRITTEN = 32 * 1024 * 1024;

/** The manifest with documents that name the sealed image, and these; as it is where they name no digest of it. */
async function renaming(
  registry: Registry,
  from: Repository,
  manifest: RawManifest,
  pairs: readonly Pair[],
  pair: Pair,
): Promise<{ readonly manifest: RawManifest; readonly blobs: readonly Uint8Array[] }> {
  const renamed = ({ given, sealed }: Pair) => ({ given: given.digest, sealed: sealed.digest });
  const images = [renamed(pair), ...pairs.filter((each) => each !== pair).map(renamed)] as const;
  const [, ...layers] = blobsOf(decodeJson(manifest.bytes));
  const list = get(scanJson(manifest.bytes), 'layers');
  const edits: Edit[] = [];
  const blobs: Uint8Array[] = [];
  for (const [at, layer] of layers.entries()) {
    const place = list?.type === 'array' ? list.items[at] : undefined;
    const [digest, size] = [get(place, 'digest'), get(place, 'size')];
    const fixed = get(place, 'data') ?? get(place, 'urls');
    if (layer.size > MAX_REWRITTEN || digest === undefined || size === undefined || fixed !== undefined) continue;
    const bytes = rewriteSbom(await registry.getBlob(from, layer, { limit: MAX_REWRITTEN }), images);
    if (bytes === undefined) continue;
    blobs.push(bytes);
    edits.push({ ...digest, text: JSON.stringify(digestOf(bytes)) }, { ...size, text: `${bytes.length}` });
  }
  if (blobs.length === 0) return { manifest, blobs };
  const bytes = splice(manifest.bytes, edits);
  return { manifest: { ...manifest, bytes, digest: digestOf(bytes, digestAlgorithm(manifest.digest)) }, blobs };
}

/** The manifest with another `subject`; every other byte as it was. */
function attachedTo(manifest: RawManifest, subject: RawManifest): RawManifest {
  const place = get(scanJson(manifest.bytes), 'subject');
  if (place === undefined) throw new RangeError('it was found by its subject');
  const bytes = splice(manifest.bytes, [
    { start: place.start, end: place.end, text: JSON.stringify(subjectOf(subject)) },
  ]);
  return { ...manifest, bytes, digest: digestOf(bytes, digestAlgorithm(manifest.digest)) };
}

/**
 * Brings into another repository what an image is made of apart from what sealing writes: its layers, and whatever else an
 * index lists (attestations), as it is. One request for each blob where it can be mounted.
 */
export async function copyContent(
  registry: Registry,
  from: Repository,
  to: Repository,
  origin: ImageTree,
): Promise<void> {
  const layers = origin.images.flatMap(({ manifest }) => blobsOf(decodeJson(manifest.bytes)).slice(1));
  await copyBlobs(registry, from, to, layers);
  if (!isIndex(origin.manifest.mediaType)) return;
  const images = new Set<Digest>(origin.images.map(({ manifest }) => manifest.digest));
  const listed = items(member(decodeJson(origin.manifest.bytes), 'manifests')).map(requireDescriptor);
  const others = new Set(listed.map(({ digest }) => digest).filter((digest) => !images.has(digest)));
  for (const digest of others) {
    const manifest = await registry.getManifest(from, digest);
    await copyBlobs(registry, from, to, blobsOf(decodeJson(manifest.bytes)));
    await registry.putManifest(to, digest, manifest);
  }
}

async function copyBlobs(
  registry: Registry,
  from: Repository,
  to: Repository,
  descriptors: readonly Descriptor[],
): Promise<void> {
  if (isSameRepository(from, to)) return;
  const unique = new Map(descriptors.map((descriptor) => [descriptor.digest, descriptor]));
  const kept = [...unique.values()].filter(({ urls }) => urls === undefined);
  await mapConcurrently(kept, (descriptor) => registry.copyBlob(descriptor, from, to));
}
