import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRegistry, parseReference } from '@multi-image/digest-chain/oci';
import { run, runOrThrow } from '@multi-image/kit/commands';
import { reasonOf } from '@multi-image/kit/errors';
import { basesIn, type LoadedConfig } from '@multi-image/manifests';
import { buildNodeBase } from '@multi-image/tekton-local';
import { loadAll } from 'js-yaml';

/** The base made of this machine's Node, once for all runs. */
export const NODE_BASE = 'localhost/multi-image/node-base:local';

export interface BaseImage {
  /** The Node images that the Containerfiles and the tasks pin. */
  pinned: readonly string[];
  /** What to use instead: `{ pinned: local }`; empty where the pinned images themselves are used. */
  substitutes: Readonly<Record<string, string>>;
  used: string;
  note: string;
}

/**
 * The base of the images and the tasks' steps: what is pinned, where it can be pulled; else a base made of this
 * machine's Node, so that the run works without a network.
 *
 * @param checkout The root of the repository
 * @param config Whose Containerfiles and tasks they are
 */
export async function chooseBaseImage(
  checkout: string,
  config: LoadedConfig,
  signal?: AbortSignal,
): Promise<BaseImage> {
  const pinned = await findPinnedNodeImages(checkout, config);
  const usable = await Promise.all(pinned.map((image) => canHave(image, signal)));
  const reason = usable.find((entry) => entry !== undefined);
  if (reason === undefined) {
    return { pinned, substitutes: {}, used: pinned.join(', '), note: 'the pinned base image' };
  }
  const used = await buildNodeBase({ tag: NODE_BASE, signal });
  return {
    pinned,
    substitutes: Object.fromEntries(pinned.map((image) => [image, used])),
    used,
    note: `made of this machine's Node ${process.version}, because the pinned base can't be pulled (${reason})`,
  };
}

/** Pulls the image if it is not here yet. Returns why that can't be done, or nothing. */
async function canHave(image: string, signal?: AbortSignal): Promise<string | undefined> {
  const exact = withoutTag(image);
  if ((await run('podman', ['image', 'exists', exact], { signal })).exitCode === 0) return undefined;
  // Asked first, with little patience: where there is no network, a pull retries for a long time.
  try {
    const reference = parseReference(exact);
    const registry = createRegistry({ signal, timeout: 15_000, deadline: 15_000, retries: 1 });
    const found = await registry.headManifest(reference, reference.digest ?? reference.tag ?? 'latest');
    if (found === undefined) return 'its registry has no such image';
  } catch (error) {
    signal?.throwIfAborted();
    return reasonOf(error);
  }
  await runOrThrow('podman', ['pull', '--quiet', exact], { signal });
  return undefined;
}

/** `repository:tag@digest` as `repository@digest`: older podman and skopeo take one or the other. */
export function withoutTag(image: string): string {
  return image.replace(/:[^:@/]+@/, '@');
}

async function findPinnedNodeImages(checkout: string, { chain, folder }: LoadedConfig): Promise<string[]> {
  const text = (file: string): Promise<string> => readFile(join(checkout, file), 'utf8').catch(() => '');
  const tasks = join(folder, 'pipeline/tasks');
  const files = await readdir(join(checkout, tasks)).catch(() => []);
  const containerfiles = await Promise.all(chain.images.map(({ containerfile }) => text(containerfile)));
  const documents = await Promise.all(files.map(async (file) => documentsIn(await text(join(tasks, file)))));
  const images = [
    ...containerfiles.flatMap(basesIn),
    ...documents
      .flat()
      .flatMap((task) => [task?.spec?.stepTemplate, ...(task?.spec?.steps ?? [])])
      .map((step) => step?.image),
  ];
  return [...new Set(images.filter((image) => image?.includes('nodejs') === true) as string[])].sort();
}

/** Of a file that can't be read none: what is wrong with it is said where it is read to be run. */
function documentsIn(text: string): (Task | null)[] {
  try {
    return loadAll(text) as (Task | null)[];
  } catch {
    return [];
  }
}

interface Task {
  spec?: { stepTemplate?: { image?: string }; steps?: { image?: string }[] };
}
