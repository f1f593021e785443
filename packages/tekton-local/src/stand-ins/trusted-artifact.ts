import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand, runCommandForStreams } from '../command.ts';
import { TektonLocalError } from '../errors.ts';
import { type ImageReference, parseReference, repositoryName, requireDigest } from '../registry/reference.ts';
import { type Descriptor, getBlobToFile, OCI_MANIFEST, putBlob, putManifest, sha256 } from '../registry/registry-io.ts';
import { requireContained } from './contained.ts';

const EMPTY_CONFIG = new TextEncoder().encode('{}');
const EMPTY_TYPE = 'application/vnd.oci.empty.v1+json';
const LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar+gzip';

export interface CreateOptions {
  /** The artifact's place: a repository with a tag. */
  store: string;
  /** What to store: a name for each folder. */
  folders: readonly { name: string; folder: string }[];
  /** Seconds since the epoch; every file in the archive gets it. */
  timestamp: number;
  /** Quay's `quay.expires-after`; empty for never. */
  expiresAfter?: string;
  signal?: AbortSignal | undefined;
}

/**
 * Stores folders in the registry as one OCI artifact with a layer each, and returns a URI for each folder:
 * `oci:<repository>@<digest of the archive>`. The archive depends on names, contents and execute bits alone.
 */
export async function createTrustedArtifacts(options: CreateOptions): Promise<string[]> {
  const { signal } = options;
  const store = parseReference(options.store);
  const work = await mkdtemp(join(tmpdir(), 'tekton-local-artifact-'));
  try {
    const layers: (Descriptor & { annotations: Record<string, string> })[] = [];
    const configDigest = sha256(EMPTY_CONFIG);
    const config = putBlob(store, { bytes: EMPTY_CONFIG }, configDigest, signal);
    // Awaited below; a failure before that must not count as unhandled.
    config.catch(() => undefined);
    for (const { name, folder } of options.folders) {
      const file = join(work, `${layers.length}.tar.gz`);
      await pack(folder, file, options.timestamp, signal);
      const digest = await hashFile(file);
      await putBlob(store, { file }, digest, signal);
      const { size } = await stat(file);
      layers.push({ mediaType: LAYER_TYPE, digest, size, annotations: { 'org.opencontainers.image.title': name } });
    }
    await config;
    const manifest = {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      artifactType: 'application/vnd.unknown.artifact.v1',
      config: { mediaType: EMPTY_TYPE, digest: configDigest, size: EMPTY_CONFIG.length },
      layers,
      ...(options.expiresAfter ? { annotations: { 'quay.expires-after': options.expiresAfter } } : {}),
    };
    const bytes = new TextEncoder().encode(JSON.stringify(manifest));
    await putManifest(store, { bytes, mediaType: OCI_MANIFEST }, signal);
    return layers.map((layer) => `oci:${repositoryName(store)}@${layer.digest}`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * Fetches a trusted artifact and unpacks it into a folder, which has to be empty or missing. Nothing is unpacked before
 * the archive has hashed to the URI's digest, and nothing stays that reaches outside the folder.
 */
export async function useTrustedArtifact(uri: string, folder: string, signal?: AbortSignal): Promise<void> {
  const { reference, digest } = parseUri(uri);
  await mkdir(folder, { recursive: true });
  if ((await readdir(folder)).length > 0) {
    throw new TektonLocalError('INVALID', 'a trusted artifact is only unpacked into an empty folder', {
      found: folder,
    });
  }
  const work = await mkdtemp(join(tmpdir(), 'tekton-local-artifact-'));
  try {
    const file = join(work, 'artifact.tar.gz');
    await getBlobToFile(reference, digest, file, signal);
    await unpack(file, folder, signal);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function parseUri(uri: string): { reference: ImageReference; digest: string } {
  const reference = uri.startsWith('oci:') ? parseReference(uri.slice('oci:'.length)) : undefined;
  if (reference?.digest === undefined || reference.tag !== undefined) {
    throw new TektonLocalError('INVALID', 'a trusted artifact URI is malformed', {
      expected: 'oci:<repository>@sha256:<digest>',
      found: JSON.stringify(uri),
    });
  }
  return { reference, digest: requireDigest(reference.digest, 'the artifact') };
}

async function pack(folder: string, file: string, timestamp: number, signal?: AbortSignal): Promise<void> {
  const same = ['--sort=name', `--mtime=@${timestamp}`, '--owner=0', '--group=0', '--numeric-owner', '--format=gnu'];
  // The umask of whoever made the folder must not show.
  const modes = '--mode=u+rw,go+u,go-w';
  const args = [
    '--create',
    '--use-compress-program=gzip -n',
    ...same,
    modes,
    '--file',
    file,
    '--directory',
    folder,
    '.',
  ];
  await runCommand('tar', args, { signal });
}

async function unpack(file: string, folder: string, signal?: AbortSignal): Promise<void> {
  const options = ['--no-same-owner', '--same-permissions', '--delay-directory-restore', '--warning=no-timestamp'];
  try {
    const { stderr } = await runCommandForStreams(
      'tar',
      ['--extract', '--gzip', ...options, '--file', file, '--directory', folder],
      { signal },
    );
    // tar keeps what it extracts inside the folder and says so when it had to (absolute names, `..`).
    if (stderr !== '')
      throw new TektonLocalError('UNSAFE_PATH', `the artifact is not a plain archive: ${stderr.trim()}`);
    await requireContained(folder);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function hashFile(file: string): Promise<string> {
  const hasher = createHash('sha256');
  for await (const chunk of createReadStream(file)) hasher.update(chunk as Buffer);
  return `sha256:${hasher.digest('hex')}`;
}
