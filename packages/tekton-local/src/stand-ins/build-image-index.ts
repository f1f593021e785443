import { TektonLocalError } from '../errors.ts';
import { type ImageReference, parseReference, repositoryName, requireTag, taggedName } from '../registry/reference.ts';
import {
  copyBlob,
  type Descriptor,
  DOCKER_LIST,
  DOCKER_MANIFEST,
  getBlob,
  getManifest,
  type Manifest,
  OCI_INDEX,
  OCI_MANIFEST,
  putManifest,
} from '../registry/registry-io.ts';
import type { StandIn, StandInContext } from '../stand-in.ts';
import { list, strings, text } from './param.ts';

/** Far more than any image's config; a registry that sends more is not believed. */
const CONFIG_LIMIT = 4 << 20;

interface IndexEntry extends Descriptor {
  platform: Record<string, string>;
}

/** `build-image-index`: one index over images that are in the registry already. No SBOM is made. */
export const buildImageIndex: StandIn = {
  task: 'build-image-index',
  params: {
    IMAGE: { type: 'string' },
    IMAGES: { type: 'array' },
    ...strings({
      ALWAYS_BUILD_INDEX: 'true',
      BUILDAH_FORMAT: 'oci',
      SBOM_SKIP_VALIDATION: 'false',
      STORAGE_DRIVER: 'vfs',
      TLSVERIFY: 'true',
      caTrustConfigMapKey: 'ca-bundle.crt',
      caTrustConfigMapName: 'trusted-ca',
    }),
  },
  results: ['IMAGE_DIGEST', 'IMAGE_URL', 'IMAGES', 'IMAGE_REF', 'SBOM_BLOB_URL'],
  async run(context) {
    const target = parseReference(text(context, 'IMAGE'));
    const images = list(context, 'IMAGES').map(withDigest);
    if (text(context, 'ALWAYS_BUILD_INDEX') !== 'true') return passThrough(context, images);
    const entries = await Promise.all(images.map((image) => describe(image, target, context)));
    const docker = text(context, 'BUILDAH_FORMAT') === 'docker';
    const mediaType = docker ? DOCKER_LIST : OCI_INDEX;
    const bytes = new TextEncoder().encode(JSON.stringify({ schemaVersion: 2, mediaType, manifests: entries }));
    const { registry, repository, tag = 'latest' } = target;
    const digest = await putManifest({ registry, repository, tag }, { bytes, mediaType }, context.signal);
    const own = { registry, repository, tag: requireTag(context.taskRunName) };
    await putManifest(own, { bytes, mediaType }, context.signal);
    context.log(`Pushed the index ${taggedName(target)}@${digest} over ${entries.length} images`);
    context.log('No SBOM is made locally: SBOM_BLOB_URL is empty.');
    return {
      IMAGE_DIGEST: digest,
      IMAGE_URL: taggedName(target),
      IMAGE_REF: `${repositoryName(target)}@${digest}`,
      IMAGES: entries.map((entry) => `${repositoryName(target)}@${entry.digest}`).join(','),
      SBOM_BLOB_URL: '',
    };
  },
};

type PinnedReference = ImageReference & { digest: string };

/** One image, handed on as it is: nothing is made, so nothing is pushed. */
function passThrough(context: StandInContext, images: readonly PinnedReference[]): Record<string, string> {
  const [image, ...others] = images;
  if (image === undefined || others.length > 0) {
    throw new TektonLocalError('INVALID', 'without an index there is exactly one image', {
      expected: 'one entry in IMAGES, or ALWAYS_BUILD_INDEX "true"',
      found: String(images.length),
    });
  }
  context.log('No index is built: the one image is handed on.');
  const reference = `${repositoryName(image)}@${image.digest}`;
  return {
    IMAGE_DIGEST: image.digest,
    IMAGE_URL: image.tag === undefined ? repositoryName(image) : taggedName(image),
    IMAGE_REF: reference,
    IMAGES: reference,
    SBOM_BLOB_URL: '',
  };
}

/** The image's descriptor with its platform; an image of another repository is copied into the index's first. */
async function describe(image: PinnedReference, target: ImageReference, context: StandInContext): Promise<IndexEntry> {
  const manifest = await getManifest(image, context.signal);
  if (manifest.mediaType !== OCI_MANIFEST && manifest.mediaType !== DOCKER_MANIFEST) {
    throw new TektonLocalError('UNSUPPORTED', `${image.repository}@${image.digest} is not an image manifest`, {
      expected: `${OCI_MANIFEST} or ${DOCKER_MANIFEST}`,
      found: JSON.stringify(manifest.mediaType),
    });
  }
  const { config, layers } = parseManifest(manifest);
  const bytes = await getBlob(image, config, CONFIG_LIMIT, context.signal);
  if (repositoryName(image) !== repositoryName(target)) {
    await Promise.all([config, ...layers].map((digest) => copyBlob(image, target, digest, context.signal)));
    const { registry, repository } = target;
    await putManifest({ registry, repository, digest: manifest.digest }, manifest, context.signal);
  }
  const { mediaType, digest } = manifest;
  return { mediaType, digest, size: manifest.bytes.length, platform: platformOf(bytes) };
}

function parseManifest(manifest: Manifest): { config: string; layers: string[] } {
  const parsed: unknown = JSON.parse(new TextDecoder().decode(manifest.bytes));
  if (isRecord(parsed) && isRecord(parsed.config) && typeof parsed.config.digest === 'string') {
    const layers = Array.isArray(parsed.layers) ? parsed.layers : [];
    return {
      config: parsed.config.digest,
      layers: layers.flatMap((layer: unknown) =>
        isRecord(layer) && typeof layer.digest === 'string' ? [layer.digest] : [],
      ),
    };
  }
  throw new TektonLocalError('INVALID', `the manifest ${manifest.digest} names no config`);
}

function platformOf(config: Uint8Array): Record<string, string> {
  const parsed: unknown = JSON.parse(new TextDecoder().decode(config));
  const platform: Record<string, string> = {};
  if (isRecord(parsed)) {
    for (const key of ['architecture', 'os', 'variant']) {
      const value = parsed[key];
      if (typeof value === 'string' && value !== '') platform[key] = value;
    }
  }
  return platform;
}

function withDigest(text: string): PinnedReference {
  const reference = parseReference(text);
  const { digest } = reference;
  if (digest !== undefined) return { ...reference, digest };
  throw new TektonLocalError('INVALID', 'an entry of IMAGES has no digest', { found: JSON.stringify(text) });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
