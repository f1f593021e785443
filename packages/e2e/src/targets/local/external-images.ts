import {
  createRegistry,
  type Digest,
  digestOf,
  isLoopback,
  OCI_CONFIG,
  OCI_MANIFEST,
  parseReference,
} from '@multi-image/digest-chain/oci';
import { runOrThrow } from '@multi-image/kit/commands';
import type { ChainPlan, PlannedExternal } from '@multi-image/manifests';
import { E2eError } from '../../errors.ts';
import { withoutTag } from './base-image.ts';

/** An image that the chain takes from elsewhere, as this run has it. */
export interface LocalExternal {
  role: string;
  /** As the config names it. */
  named: string;
  /** In the local registry: what the pipeline resolves. */
  image: string;
  digest: Digest;
  /** What it is: a stand-in, or a copy. */
  note: string;
  standIn: boolean;
}

/** Reads `--external ROLE=IMAGE`. Throws `USAGE`: for a role that the chain does not have, too. */
export function parseExternal(
  texts: readonly string[],
  { external }: Pick<ChainPlan, 'external'>,
): Map<string, string> {
  const given = new Map<string, string>();
  for (const text of texts) {
    const [, role = '', source = ''] = /^([a-z0-9-]+)=(.+)$/.exec(text) ?? [];
    if (given.has(role) || !external.some((image) => image.role === role)) {
      throw new E2eError('USAGE', '--external says what the external image of a role is here, once for a role', {
        expected: `--external ROLE=IMAGE, or oci:FOLDER, of ${external.map((image) => image.role).join(', ') || 'a chain with external images'}`,
        found: text,
      });
    }
    given.set(role, source);
  }
  return given;
}

/**
 * Puts what is built elsewhere into the run's registry, which is the only one that its pipelines reach: what the caller
 * gives, copied with its digest; or an empty image with a digest of its own, always the same for the same name. Throws
 * `TOOL_FAILED` where a copy can't be made.
 *
 * @param given by role, an image, or a layout on this disk: `oci:folder`, `oci-archive:file`
 */
export async function placeExternal(
  { external }: Pick<ChainPlan, 'external'>,
  given: ReadonlyMap<string, string>,
  localRepository: (repository: string) => string,
  signal: AbortSignal,
): Promise<readonly LocalExternal[]> {
  return Promise.all(
    external.map(async (image) => {
      const repository = localRepository(image.repository);
      const source = given.get(image.role);
      const tag = parseReference(image.image).tag ?? 'external';
      if (source === undefined) await pushStandIn(image, `${repository}:${tag}`, signal);
      else await copy(source, `${repository}:${tag}`, signal);
      const there = parseReference(`${repository}:${tag}`);
      const { digest } = await createRegistry({ signal }).getManifest(there, tag);
      return {
        role: image.role,
        named: image.image,
        image: image.image.includes('@') ? `${repository}@${digest}` : `${repository}:${tag}`,
        digest,
        note: source === undefined ? 'an empty image in its place' : `a copy of ${source}`,
        standIn: source === undefined,
      };
    }),
  );
}

async function copy(source: string, to: string, signal: AbortSignal): Promise<void> {
  const isLayout = /^oci(?:-archive)?:/.test(source);
  const from = isLayout ? source : `docker://${withoutTag(source)}`;
  const plain = !isLayout && isLoopback(source.split('/')[0] ?? '') ? ['--src-tls-verify=false'] : [];
  const options = ['--all', '--preserve-digests', '--quiet', '--dest-tls-verify=false', ...plain];
  await runOrThrow('skopeo', ['copy', ...options, from, `docker://${to}`], { signal }, E2eError);
}

/** Says which image stands in for another, for whoever finds one in an image that was built with it. */
const STAND_IN_LABEL = 'tekton-local.stand-in-for';

async function pushStandIn({ image }: PlannedExternal, to: string, signal: AbortSignal): Promise<void> {
  const registry = createRegistry({ signal });
  const place = parseReference(to);
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: { Labels: { [STAND_IN_LABEL]: image } },
      rootfs: { type: 'layers', diff_ids: [] },
    }),
  );
  await registry.putBlob(place, config);
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, digest: digestOf(config), size: config.length },
    layers: [],
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  await registry.putManifest(place, place.tag ?? digestOf(bytes), { bytes, mediaType: OCI_MANIFEST });
}
