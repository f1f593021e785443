import {
  type DigestReference,
  decodeJson,
  digestOf,
  OCI_CONFIG,
  type Registry,
  readTar,
  requireDescriptor,
} from '@multi-image/digest-chain/oci';
import { archiveOf } from '@multi-image/kit/archive';
import { reasonOf } from '@multi-image/kit/errors';
import { type Artifact, artifactOf, LAYER, type Source, sourceAnnotations } from './artifact.ts';
import { BundlesError } from './errors.ts';

// Tekton's bundles (tektoncd/pipeline, docs/tekton-bundle-contracts.md, and pkg/resolution/resolver/bundle): an image with
// a layer for each object, which is an archive of one file; three annotations of the layer say what is in it.

const KIND = 'dev.tekton.image.kind';
const NAME = 'dev.tekton.image.name';
const API_VERSION = 'dev.tekton.image.apiVersion';
/** Tekton's MaximumBundleObjects. */
const MOST_OBJECTS = 20;
/** As `tkn bundle push` writes them. */
const FILE_MODE = 0o600;

/** An object of Tekton's, as a document of Kubernetes. */
export interface TektonObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly [field: string]: unknown;
}

/**
 * A bundle of these objects, in the order of their names.
 *
 * @param version What a release policy may constrain (`versions` of a trusted task rule): the bundle's own, as 0.1.
 */
export function tektonBundle(objects: readonly TektonObject[], version: string, source: Source): Artifact {
  if (objects.length > MOST_OBJECTS) throw new RangeError(`more than ${MOST_OBJECTS} objects`);
  const sorted = objects.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const layers = sorted.map((object) => ({
    mediaType: LAYER,
    bytes: archiveOf({ [object.metadata.name]: JSON.stringify(object) }, FILE_MODE),
    annotations: {
      [API_VERSION]: object.apiVersion.replace(/^.*\//, ''),
      [KIND]: object.kind.toLowerCase(),
      [NAME]: object.metadata.name,
    },
  }));
  const config = {
    created: source.committed,
    architecture: '',
    os: '',
    config: {},
    rootfs: { type: 'layers', diff_ids: layers.map(({ bytes }) => digestOf(bytes)) },
    history: layers.map(() => ({ created: source.committed, created_by: 'multi-image bundles' })),
  };
  return artifactOf({ mediaType: OCI_CONFIG, bytes: Buffer.from(JSON.stringify(config)) }, layers, {
    ...sourceAnnotations(source),
    'org.opencontainers.image.version': version,
  });
}

/**
 * Reads a bundle as Tekton's resolver does, and refuses what that refuses. Throws `BUNDLE_INVALID`, and what the registry
 * does.
 */
export async function readTektonBundle(registry: Registry, reference: DigestReference): Promise<TektonObject[]> {
  const { bytes } = await registry.getManifest(reference, reference.digest);
  const { layers } = decodeJson(bytes) as { layers?: unknown };
  if (!Array.isArray(layers) || layers.length === 0 || layers.length > MOST_OBJECTS) {
    throw invalid(`1 to ${MOST_OBJECTS} layers`, Array.isArray(layers) ? `${layers.length}` : 'none');
  }
  return Promise.all(
    layers.map(async (layer: { annotations?: Record<string, string> }, at) => {
      const annotations = layer.annotations ?? {};
      const [version, kind, name] = [API_VERSION, KIND, NAME].map((key) => annotations[key]);
      if (version === undefined || kind === undefined || name === undefined) {
        throw invalid(
          `annotations ${API_VERSION}, ${KIND} and ${NAME} of layer ${at}`,
          Object.keys(annotations).join(', '),
        );
      }
      if (kind !== kind.toLowerCase().replace(/s$/, '')) throw invalid('a kind in lower case, singular', kind);
      const object = await fileOf(await registry.getBlob(reference, requireDescriptor(layer)));
      if (object.metadata?.name === name && object.kind.toLowerCase() === kind) return object;
      throw invalid(`a ${kind} ${name}, as layer ${at} says`, `a ${object.kind} ${object.metadata?.name}`);
    }),
  );
}

/** The first file of an archive that is not compressed, as {@link tektonBundle} makes them. */
async function fileOf(archive: Uint8Array): Promise<TektonObject> {
  try {
    const reader = readTar([archive]);
    await reader.next();
    return decodeJson(await reader.read()) as TektonObject;
  } catch (cause) {
    throw invalid('layers that are archives (tar) of an object as JSON, not compressed', reasonOf(cause), cause);
  }
}

function invalid(expected: string, found: string, cause?: unknown): BundlesError {
  return new BundlesError('BUNDLE_INVALID', 'not a bundle of these tasks', { expected, found, cause });
}
