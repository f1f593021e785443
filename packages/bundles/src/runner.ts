import {
  type Descriptor,
  type Digest,
  type DigestReference,
  decodeJson,
  digestOf,
  isIndex,
  OCI_CONFIG,
  OCI_INDEX,
  type RawManifest,
  type Registry,
  type Repository,
  requireDescriptor,
} from '@multi-image/digest-chain/oci';
import { archiveOf } from '@multi-image/kit/archive';
import { mapConcurrently } from '@multi-image/kit/concurrent';
import { RUNNER_PROGRAM } from '@multi-image/manifests';
import { type Artifact, artifactOf, LAYER, pushArtifact, type Source, sourceAnnotations } from './artifact.ts';
import { BundlesError } from './errors.ts';
import type { Program } from './program.ts';

type Json = Readonly<Record<string, unknown>>;

/** One image of the base, and the runner that is made of it. */
interface Platform {
  readonly descriptor: Json;
  readonly artifact: Artifact;
  /** Of the base, which are copied as they are. */
  readonly layers: readonly Descriptor[];
}

/**
 * Pushes the image that the tasks run in: the base, for each of its platforms, with digest-chain in one layer. Base and
 * source decide every byte. Throws `BASE_INVALID`, and what the registries do.
 */
export async function pushRunner(
  registry: Registry,
  {
    base,
    place,
    tag,
    program,
    source,
  }: {
    readonly base: DigestReference;
    readonly place: Repository;
    readonly tag: string;
    readonly program: Program;
    readonly source: Source;
  },
): Promise<Digest> {
  const root = await registry.getManifest(base, base.digest);
  const layer = programLayer(program);
  const platforms = await Promise.all(
    platformsOf(root).map(({ digest, descriptor }) => runnerOf(registry, { base, digest, descriptor, layer, source })),
  );
  const layers = new Map(platforms.flatMap((one) => one.layers.map((each) => [each.digest, each] as const)));
  await mapConcurrently([...layers.values()], (each) => registry.copyBlob(each, base, place));
  for (const { artifact } of platforms) await pushArtifact(registry, place, artifact.manifest.digest, artifact);
  const [only] = platforms;
  if (!isIndex(root.mediaType))
    return (await registry.putManifest(place, tag, (only as Platform).artifact.manifest)).digest;
  const manifests = platforms.map(({ descriptor, artifact: { manifest } }) => ({
    mediaType: manifest.mediaType,
    digest: manifest.digest,
    size: manifest.bytes.length,
    platform: descriptor.platform,
  }));
  const document = { schemaVersion: 2, mediaType: OCI_INDEX, manifests, annotations: sourceAnnotations(source) };
  const bytes = Buffer.from(JSON.stringify(document));
  return (await registry.putManifest(place, tag, { bytes, mediaType: OCI_INDEX })).digest;
}

function programLayer({ code, manifest }: Program): Uint8Array {
  const path = RUNNER_PROGRAM.replace(/^\//, '');
  const folder = path.replace(/\/[^/]+\/[^/]+$/, '');
  return archiveOf({ [path]: code, [`${folder}/package.json`]: manifest });
}

/** The images that a base names, in its order; what is no Linux image is left out. */
function platformsOf({
  bytes,
  mediaType,
  digest,
}: RawManifest): { readonly digest: Digest; readonly descriptor: Json }[] {
  if (!isIndex(mediaType)) return [{ digest, descriptor: {} }];
  const { manifests } = decodeJson(bytes) as { manifests: (Json & { platform?: Json })[] };
  const found = manifests
    .filter(({ platform }) => platform?.os === 'linux')
    .map((descriptor) => ({ digest: requireDescriptor(descriptor).digest, descriptor }));
  if (found.length > 0) return found;
  throw new BundlesError('BASE_INVALID', 'the base of the runner image has no image for Linux', {
    expected: 'a platform with os linux',
    found: `${manifests.length} others`,
  });
}

async function runnerOf(
  registry: Registry,
  {
    base,
    digest,
    descriptor,
    layer,
    source,
  }: {
    readonly base: DigestReference;
    readonly digest: Digest;
    readonly descriptor: Json;
    readonly layer: Uint8Array;
    readonly source: Source;
  },
): Promise<Platform> {
  const { bytes } = await registry.getManifest(base, digest);
  const manifest = decodeJson(bytes) as { config: Json; layers: Json[] };
  const layers = manifest.layers.map((each) => requireDescriptor(each));
  const config = decodeJson(await registry.getBlob(base, requireDescriptor(manifest.config))) as Json & {
    config?: Json & { Labels?: Json };
    rootfs: { diff_ids: string[] };
    history?: Json[];
  };
  const bytesOfConfig = Buffer.from(
    JSON.stringify({
      ...config,
      created: source.committed,
      config: {
        ...config.config,
        Entrypoint: ['node', RUNNER_PROGRAM],
        Cmd: undefined,
        User: '1001',
        Labels: { ...config.config?.Labels, ...sourceAnnotations(source) },
      },
      rootfs: { ...config.rootfs, diff_ids: [...config.rootfs.diff_ids, digestOf(layer)] },
      history: [...(config.history ?? []), { created: source.committed, created_by: 'multi-image bundles' }],
    }),
  );
  const artifact = artifactOf(
    { mediaType: OCI_CONFIG, bytes: bytesOfConfig },
    [{ mediaType: LAYER, bytes: layer }],
    sourceAnnotations(source),
    manifest.layers.map((each) => ({ ...each, mediaType: ociLayer(String(each.mediaType)) })),
  );
  return { descriptor, artifact, layers };
}

/** Docker's layers under the name that OCI has for them; the bytes are the same. */
function ociLayer(mediaType: string): string {
  return mediaType === 'application/vnd.docker.image.rootfs.diff.tar.gzip' ? `${LAYER}+gzip` : mediaType;
}
