import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandOptions } from '@multi-image/kit/commands';
import { removeFolder } from '@multi-image/kit/remove-folder';
import { runCommand } from '../command.ts';
import { TektonLocalError } from '../errors.ts';

/** A storage for images and containers that is one build's alone. */
export interface PrivateStorage {
  /** buildah's global options for it. */
  readonly options: readonly string[];
  /** Removes it with all that is in it, also what an interrupted build left. */
  remove(): Promise<void>;
}

/** The drivers that can read the images of another storage. */
const DRIVERS = ['overlay', 'vfs'];

/**
 * Makes a storage in a folder of its own, in which this machine's images can be used as well. So builds don't get in
 * each other's way, and removing it is removing a folder.
 */
export async function openPrivateStorage(folder: string, options: CommandOptions): Promise<PrivateStorage> {
  const { driver, root, driverOptions } = await findStorage(options);
  if (!DRIVERS.includes(driver)) {
    throw new TektonLocalError('UNSUPPORTED', 'images can’t be built with this storage driver', {
      expected: DRIVERS.join(' or '),
      found: JSON.stringify(driver),
      hint: 'set STORAGE_DRIVER=overlay',
    });
  }
  const place = [`--root=${join(folder, 'root')}`, `--runroot=${join(folder, 'run')}`, `--storage-driver=${driver}`];
  const all = [...driverOptions, `${driver}.imagestore=${root}`];
  const storage = [...place, ...all.map((option) => `--storage-opt=${option}`)];
  return {
    options: storage,
    async remove() {
      // Not with the caller's signal: after an interruption this is what cleans up.
      const plain = { ...(options.env === undefined ? {} : { env: options.env }) };
      if (await hasContainers(join(folder, 'root', `${driver}-containers`, 'containers.json'))) {
        await runCommand('buildah', [...storage, 'rm', '--all'], plain);
      }
      if (process.getuid?.() === 0) await removeFolder(folder);
      // Its files belong to the users that a user's containers have.
      else await runCommand('buildah', ['unshare', '--', 'rm', '-rf', '--', folder], plain);
    },
  };
}

/** Whether a build left a container: it has mounts, so that it can't be removed as files. */
async function hasContainers(list: string): Promise<boolean> {
  const text = await readFile(list, 'utf8').catch(() => '[]');
  return text.trim() !== '[]';
}

interface Storage {
  driver: string;
  root: string;
  driverOptions: string[];
}

/** Of this process: asking takes as long as a small build. */
const found = new Map<string, Promise<Storage>>();

/** This machine's storage, asked for once in each environment; without a signal, since others may wait for it as well. */
function findStorage(options: CommandOptions): Promise<Storage> {
  const key = JSON.stringify({ ...options.env, TMPDIR: undefined });
  const known = found.get(key);
  if (known !== undefined) return known;
  const asked = askForStorage(options);
  found.set(key, asked);
  asked.catch(() => found.delete(key));
  return asked;
}

async function askForStorage({ env }: CommandOptions): Promise<Storage> {
  const output = await runCommand('buildah', ['info'], env === undefined ? {} : { env });
  const { store } = JSON.parse(output) as {
    store: { GraphDriverName: string; GraphRoot: string; GraphOptions: string[] | null };
  };
  return { driver: store.GraphDriverName, root: store.GraphRoot, driverOptions: store.GraphOptions ?? [] };
}
