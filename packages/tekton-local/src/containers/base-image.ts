import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inTemporaryFolder } from '@multi-image/kit/temporary-folder';
import { runCommand } from '../command.ts';
import { TektonLocalError } from '../errors.ts';
import { fileStamp, memoize } from '../memo.ts';
import { copyParts, makeFolder, type Part, partsOf } from './parts.ts';

/** Holds the hash of everything that the image is made of. */
const KEY_LABEL = 'tekton-local.node-base.key';

/** Raised whenever the image would come out differently from the same files. */
const RECIPE = 2;

const CONFIGURATION = ['--env', 'PATH=/usr/local/bin:/usr/bin:/bin'];

/**
 * Makes a base image of this machine's Node: its program and the shared libraries it needs, and nothing else; for
 * machines that can't pull one. There is no shell in it. The same Node and libraries always give the same image, and
 * where `tag` is it already, nothing is built. Returns the image's name.
 *
 * Rejects with `UNSUPPORTED` where Node can't be taken along (not Linux, a library that isn't found), `TOOL_MISSING`
 * without buildah, `INTERRUPTED`.
 */
export async function buildNodeBase({ tag, signal }: { tag: string; signal?: AbortSignal }): Promise<string> {
  const [{ parts, key }, present] = await Promise.all([identify(signal), findPresent(tag, signal)]);
  if (present?.key === key) return tag;
  await inTemporaryFolder('tekton-local-base', async (work) => {
    await fillRoot(join(work, 'rootfs'), parts);
    await commit(join(work, 'rootfs'), tag, key, signal);
    // What had the tag before would stay without a name. Another name keeps it, since then this fails.
    if (present !== undefined) await runCommand('buildah', ['rmi', present.id]).catch(() => undefined);
  });
  return tag;
}

/** Makes the image out of a folder, step by step: so the container has a name, and is removed whatever happens. */
async function commit(root: string, tag: string, key: string, signal: AbortSignal | undefined): Promise<void> {
  const container = `tekton-local-base-${randomUUID()}`;
  const fixed = ['--timestamp=0', '--identity-label=false', '--omit-history'];
  try {
    await runCommand('buildah', ['from', `--name=${container}`, 'scratch'], { signal });
    await runCommand('buildah', ['copy', '--quiet', container, root, '/'], { signal });
    await runCommand('buildah', ['config', ...CONFIGURATION, `--label=${KEY_LABEL}=${key}`, container], { signal });
    await runCommand('buildah', ['commit', '--quiet', ...fixed, container, tag], { signal });
  } finally {
    // Without the signal: after an interruption this is what cleans up. There may be no container yet.
    await runCommand('buildah', ['rm', container]).catch(() => undefined);
  }
}

/** What goes into the image, and the key that stands for all of it. */
async function identify(signal: AbortSignal | undefined): Promise<{ parts: Part[]; key: string }> {
  if (process.platform !== 'linux') {
    throw new TektonLocalError('UNSUPPORTED', 'no base image can be made of the Node of this machine', {
      expected: 'Linux',
      found: process.platform,
      hint: 'use an image that can be pulled',
    });
  }
  const parts = await partsOf(process.execPath, '/usr/bin/node', signal);
  const lines = await Promise.all(parts.map(async ({ from, to }) => `${await fileStamp(from)}  ${to}`));
  // Hashing Node's 100 MB each time would cost more than all the rest.
  const key = await memoize('node-base', [String(RECIPE), ...CONFIGURATION, ...lines], () => hashParts(parts));
  return { parts, key };
}

/** The image that has the tag now, if there is one, with its key. */
async function findPresent(
  tag: string,
  signal: AbortSignal | undefined,
): Promise<{ id: string; key: string } | undefined> {
  const format = `{{.FromImageID}} {{index .OCIv1.Config.Labels ${JSON.stringify(KEY_LABEL)}}}`;
  try {
    const output = await runCommand('buildah', ['inspect', '--type=image', `--format=${format}`, tag], { signal });
    const [id = '', key = ''] = output.trim().split(' ');
    return { id, key };
  } catch (error) {
    if (error instanceof TektonLocalError && error.code === 'TOOL_FAILED') return undefined;
    throw error;
  }
}

async function hashParts(parts: readonly Part[]): Promise<string> {
  const hashes = await Promise.all(
    parts.map(async ({ from, to }) => {
      const hasher = createHash('sha256');
      for await (const chunk of createReadStream(from, { highWaterMark: 1 << 20 })) hasher.update(chunk as Buffer);
      return `${hasher.digest('hex')}  ${to}\n`;
    }),
  );
  return createHash('sha256')
    .update(`${RECIPE}\n${CONFIGURATION.join('\n')}\n${hashes.join('')}`)
    .digest('hex');
}

async function fillRoot(root: string, parts: readonly Part[]): Promise<void> {
  for (const folder of ['tmp', 'etc', 'root', 'usr/bin']) await makeFolder(join(root, folder));
  await copyParts(root, parts);
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/sbin/nologin\n');
  await writeFile(join(root, 'etc/group'), 'root:x:0:\n');
  await chmod(join(root, 'etc/passwd'), 0o644);
  await chmod(join(root, 'etc/group'), 0o644);
  await chmod(join(root, 'tmp'), 0o1777);
  await chmod(root, 0o755);
}
