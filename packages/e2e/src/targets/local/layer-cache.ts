import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import {
  type BlobDescriptor,
  decodeJson,
  parseDigest,
  parseReference,
  type Reference,
  type Registry,
  readDescriptor,
} from '@multi-image/digest-chain/oci';

/** Bytes from which a layer takes longer to compress than to keep. */
const LARGE = 4 << 20;
/** Bytes of all that is kept. */
const LIMIT = 512 << 20;

/**
 * The large layers of the last run, as they were pushed, for the registry of the next one: what buildah finds there, it
 * neither compresses nor pushes again, and to compress the base is a fifth of what a whole run computes. It looks where it
 * pushed the same layer before, by the registry's name, so a registry on another port is of no use. This saves time and
 * nothing else: layers are named by their digest, which the registry checks, and whatever is wrong with one removes it.
 */
export class LayerCache {
  readonly #registry: Registry;
  readonly #folder: string;

  /** @param folder Has nothing else in it; need not exist. */
  constructor(registry: Registry, folder: string) {
    this.#registry = registry;
    this.#folder = folder;
  }

  /** Puts what is kept into a repository. Never rejects. */
  async bring(repository: string, signal?: AbortSignal): Promise<void> {
    const names = await readdir(this.#folder).catch(() => []);
    await Promise.all(names.map((name) => this.#push(repository, name, signal)));
  }

  async #push(repository: string, name: string, signal: AbortSignal | undefined): Promise<void> {
    const file = join(this.#folder, name);
    try {
      const layer = { digest: parseDigest(`sha256:${name}`), size: (await stat(file)).size };
      await this.#registry.pushBlob(parseReference(repository), layer, () => createReadStream(file), { signal });
    } catch {
      if (signal?.aborted !== true) await rm(file, { force: true }).catch(() => undefined);
    }
  }

  /**
   * Keeps the large layers of these images (`repository@digest`), the lowest first, and removes what was kept before and is
   * in none of them; without any, as where nothing was built, all stays. Never rejects.
   */
  async keep(images: readonly Reference[], signal?: AbortSignal): Promise<void> {
    const wanted = new Set<string>();
    let size = 0;
    for (const from of images) {
      for (const layer of await this.#layersOf(from, signal)) {
        const [algorithm, name = ''] = layer.digest.split(':');
        if (algorithm !== 'sha256' || layer.size < LARGE || wanted.has(name) || size + layer.size > LIMIT) continue;
        if (!(await this.#fetch(from, layer, name, signal))) continue;
        size += layer.size;
        wanted.add(name);
      }
    }
    if (wanted.size === 0) return;
    for (const name of await readdir(this.#folder).catch(() => [])) {
      if (!wanted.has(name)) await rm(join(this.#folder, name), { force: true }).catch(() => undefined);
    }
  }

  async #layersOf(image: Reference, signal: AbortSignal | undefined): Promise<readonly BlobDescriptor[]> {
    try {
      const manifest = decodeJson((await this.#registry.getManifest(image, image.digest ?? '', { signal })).bytes);
      const { layers = [] } = manifest as { layers?: unknown };
      return Array.isArray(layers) ? layers.map(readDescriptor).filter((layer) => layer !== undefined) : [];
    } catch {
      return [];
    }
  }

  /** Whether the layer is in the folder afterwards. */
  async #fetch(from: Reference, layer: BlobDescriptor, name: string, signal?: AbortSignal): Promise<boolean> {
    const file = join(this.#folder, name);
    const draft = join(this.#folder, `${name}.${randomUUID()}`);
    try {
      if ((await stat(file).catch(() => undefined))?.size === layer.size) return true;
      await mkdir(this.#folder, { recursive: true });
      const write = (content: AsyncIterable<Uint8Array>) => pipeline(content, createWriteStream(draft));
      await this.#registry.readBlob(from, layer, write, { signal });
      await rename(draft, file);
      return true;
    } catch {
      await rm(draft, { force: true }).catch(() => undefined);
      return false;
    }
  }
}
