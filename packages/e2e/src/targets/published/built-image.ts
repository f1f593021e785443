import { type Digest, type Link, type Registry, type Repository, unseal } from '@multi-image/digest-chain';

/** What an image says of its chain by its own bytes. */
export interface BuiltImage {
  /** What others embed: the digest before it was sealed, or its own. */
  readonly origin: Digest;
  /** By the labels of its seal: the images that embed it. */
  readonly links: readonly Link[];
  /** By the labels of its build: the images that it embeds, as they were built, with what it calls them and their place. */
  readonly embeds: readonly { readonly role: string; readonly digest: string; readonly url: string | undefined }[];
}

/** Reads an image by its digest. What can't be read says nothing: the proof has what was wrong with it. */
export async function readBuilt(
  registry: Registry,
  place: Repository,
  digest: Digest,
  prefix: string,
): Promise<BuiltImage> {
  const there = { registry: place.registry, repository: place.repository };
  try {
    const { origin, seal } = await unseal(registry, { ...there, digest }, { prefix });
    const embeds = embedsOf(
      origin.images.map(({ config }) => config),
      prefix,
    );
    return { origin: origin.manifest.digest, links: seal.links, embeds };
  } catch {
    // Not sealed, or its seal does not lead back: then it is what it is.
  }
  const configs = await readConfigs(registry, there, digest).catch(() => []);
  return { origin: digest, links: [], embeds: embedsOf(configs, prefix) };
}

async function readConfigs(registry: Registry, place: Repository, digest: Digest): Promise<readonly Uint8Array[]> {
  const { manifests, config } = parse((await registry.getManifest(place, digest)).bytes);
  if (!Array.isArray(manifests)) return [await registry.getBlob(place, config)];
  const images = manifests.filter(({ platform }) => platform?.os !== 'unknown');
  const configs = await Promise.all(images.map((image) => readConfigs(registry, place, image.digest)));
  return configs.flat();
}

/** What all images of an index say alike. */
function embedsOf(configs: readonly Uint8Array[], prefix: string): BuiltImage['embeds'] {
  const [first, ...others] = configs.map((config) => new Map(Object.entries(parse(config).config?.Labels ?? {})));
  return [...(first ?? [])].flatMap(([key, digest]) => {
    const role = key.startsWith(`${prefix}.`)
      ? /^([a-z0-9-]+)-image\.digest$/.exec(key.slice(prefix.length + 1))
      : null;
    if (role?.[1] === undefined || typeof digest !== 'string') return [];
    if (others.some((labels) => labels.get(key) !== digest)) return [];
    const url = first?.get(`${prefix}.${role[1]}-image.url`);
    return [{ role: role[1], digest, url: typeof url === 'string' ? url : undefined }];
  });
}

function parse(bytes: Uint8Array) {
  return JSON.parse(Buffer.from(bytes).toString());
}
