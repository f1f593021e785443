import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, readlink, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import {
  createRegistry,
  type Digest,
  digestOf,
  EMPTY,
  EMPTY_MEDIA_TYPE,
  OCI_MANIFEST,
  parseReference,
  type Reference,
  type Registry,
} from '@multi-image/digest-chain/oci';
import { runOrThrow } from '@multi-image/kit/commands';
import { inTemporaryFolder } from '@multi-image/kit/temporary-folder';
import type { StepProgram, StepProgramContext } from '@multi-image/tekton-local';
import { E2eError } from '../../errors.ts';

/** The image of the steps that carry sources from task to task. */
const IMAGE = 'quay.io/konflux-ci/build-trusted-artifacts';

const LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar+gzip';

/**
 * What runs in place of the step image build-trusted-artifacts, which carries sources from task to task through the
 * registry: `use <uri>=<folder>...` and `create --store <reference> <result file>=<folder>...`.
 */
export function trustedArtifacts(
  options: {
    registry?: Registry | undefined;
    /** The only registry, as `host:port`, that artifacts are stored in and taken from; any where none is given. */
    only?: string | undefined;
  } = {},
): Readonly<Record<string, StepProgram>> {
  const { registry = createRegistry(), only } = options;
  const program: StepProgram = async (context) => {
    const [verb, ...rest] = context.args;
    const names = verb === 'create' ? rest.slice(1, 2) : pairs(context, rest).map(({ left }) => left);
    for (const name of names) if (only !== undefined && name !== '') refuseElsewhere(name, only);
    if (verb === 'use') await use(registry, context, rest);
    else if (verb === 'create') await create(registry, context, rest);
    else throw usage(context.args);
    return 0;
  };
  return { [IMAGE]: program };
}

function refuseElsewhere(name: string, only: string): void {
  if (name.replace(/^oci:/, '').startsWith(`${only}/`)) return;
  throw new E2eError('ARTIFACT_INVALID', 'this run has to do with its own registry alone', {
    expected: `an artifact in ${only}`,
    found: name,
  });
}

async function use(registry: Registry, context: StepProgramContext, args: readonly string[]): Promise<void> {
  for (const { left: uri, right: folder } of pairs(context, args)) {
    if (uri === '') {
      context.log(`No artifact for ${folder}: skipped.`);
      continue;
    }
    await useTrustedArtifact(registry, uri, context.hostPathToWrite(folder), context.signal);
    context.log(`Restored ${uri} to ${folder}`);
  }
}

async function create(registry: Registry, context: StepProgramContext, args: readonly string[]): Promise<void> {
  const [option, store, ...rest] = args;
  if (option !== '--store' || store === undefined) throw usage(context.args);
  const found = pairs(context, rest);
  const uris = await createTrustedArtifacts(registry, {
    store,
    folders: found.map(({ left, right }) => ({ name: basename(left), folder: context.hostPath(right) })),
    expiresAfter: context.env.IMAGE_EXPIRES_AFTER ?? '',
    signal: context.signal,
  });
  for (const [index, { left, right }] of found.entries()) {
    const file = join(context.hostPath(dirname(left)), basename(left));
    // An earlier step may have left a link there.
    await rm(file, { recursive: true, force: true });
    await writeFile(file, uris[index] ?? '', { flag: 'wx' });
    context.log(`Created ${uris[index]} from ${right}`);
  }
}

function pairs(context: StepProgramContext, args: readonly string[]): { left: string; right: string }[] {
  return args.map((argument) => {
    const equals = argument.lastIndexOf('=');
    if (equals === -1) throw usage(context.args);
    return { left: argument.slice(0, equals), right: argument.slice(equals + 1) };
  });
}

function usage(args: readonly string[]): E2eError {
  return new E2eError('ARTIFACT_INVALID', 'the arguments of build-trusted-artifacts are not understood', {
    expected: 'use <uri>=<folder>... or create --store <reference> <result file>=<folder>...',
    found: JSON.stringify(args),
  });
}

export interface CreateOptions {
  /** The artifact's place: a repository with a tag. */
  store: string;
  /** What to store: a name for each folder. */
  folders: readonly { name: string; folder: string }[];
  /** Quay's `quay.expires-after`; empty for never. */
  expiresAfter?: string;
  signal?: AbortSignal;
}

/**
 * Stores folders in the registry as one OCI artifact with a layer each, and returns a URI for each folder:
 * `oci:<repository>@<digest of the archive>`. The archive depends on names, contents and execute bits alone.
 */
export async function createTrustedArtifacts(registry: Registry, options: CreateOptions): Promise<string[]> {
  const { signal } = options;
  const store = parseReference(options.store);
  return inTemporaryFolder('trusted-artifact', async (work) => {
    const config = registry.putBlob(store, EMPTY, { signal });
    // Awaited below; a failure before that must not count as unhandled.
    config.catch(() => undefined);
    const layers = await Promise.all(
      options.folders.map(async ({ name, folder }, index) => {
        const file = join(work, `${index}.tar.gz`);
        await pack(folder, file, signal);
        const layer = { digest: await hashFile(file), size: (await stat(file)).size };
        await registry.pushBlob(store, layer, () => createReadStream(file), { signal });
        return { mediaType: LAYER_TYPE, ...layer, annotations: { 'org.opencontainers.image.title': name } };
      }),
    );
    const manifest = {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      artifactType: 'application/vnd.unknown.artifact.v1',
      config: { mediaType: EMPTY_MEDIA_TYPE, ...(await config) },
      layers,
      ...(options.expiresAfter ? { annotations: { 'quay.expires-after': options.expiresAfter } } : {}),
    };
    const bytes = new TextEncoder().encode(JSON.stringify(manifest));
    await registry.putManifest(store, store.tag ?? digestOf(bytes), { bytes, mediaType: OCI_MANIFEST }, { signal });
    return layers.map((layer) => `oci:${store.registry}/${store.repository}@${layer.digest}`);
  });
}

/**
 * Fetches a trusted artifact and unpacks it into a folder, which has to be empty or missing. Nothing is unpacked before
 * the archive has hashed to the URI's digest, and nothing stays that reaches outside the folder.
 */
export async function useTrustedArtifact(
  registry: Registry,
  uri: string,
  folder: string,
  signal?: AbortSignal,
): Promise<void> {
  const { reference, digest } = parseUri(uri);
  await mkdir(folder, { recursive: true });
  if ((await readdir(folder)).length > 0) {
    throw new E2eError('ARTIFACT_INVALID', 'a trusted artifact is only unpacked into an empty folder', {
      found: folder,
    });
  }
  const blob = await registry.headBlob(reference, digest, { signal });
  if (blob === undefined) throw new E2eError('ARTIFACT_INVALID', 'there is no such trusted artifact', { found: uri });
  await inTemporaryFolder('trusted-artifact', async (work) => {
    const file = join(work, 'artifact.tar.gz');
    await registry.readBlob(reference, blob, (content) => pipeline(content, createWriteStream(file)), { signal });
    await unpack(file, folder, signal);
  });
}

function parseUri(uri: string): { reference: Reference; digest: Digest } {
  try {
    const reference = parseReference(uri.replace(/^oci:/, ''));
    const { digest, tag } = reference;
    if (uri.startsWith('oci:') && digest !== undefined && tag === undefined) return { reference, digest };
  } catch {
    // Told below, like every other form.
  }
  throw new E2eError('ARTIFACT_INVALID', 'a trusted artifact URI is malformed', {
    expected: 'oci:<repository>@sha256:<digest>',
    found: JSON.stringify(uri),
  });
}

async function pack(folder: string, file: string, signal?: AbortSignal): Promise<void> {
  const same = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--format=gnu'];
  // The umask of whoever made the folder must not show.
  const modes = '--mode=u+rw,go+u,go-w';
  // It stays on this machine, where to compress it well takes longer than it saves.
  const what = ['--create', '--use-compress-program=gzip -n -1', ...same, modes];
  await runOrThrow('tar', [...what, '--file', file, '--directory', folder, '.'], { signal, group: true }, E2eError);
}

async function unpack(file: string, folder: string, signal?: AbortSignal): Promise<void> {
  const options = ['--no-same-owner', '--same-permissions', '--delay-directory-restore', '--warning=no-timestamp'];
  const what = ['--extract', '--gzip', ...options, '--file', file, '--directory', folder];
  try {
    const { stderr } = await runOrThrow('tar', what, { signal, group: true }, E2eError);
    // tar keeps what it extracts inside the folder and says so when it had to (absolute names, `..`).
    if (stderr !== '') throw new E2eError('UNSAFE_PATH', `the artifact is not a plain archive: ${stderr.trim()}`);
    await requireContained(folder);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Throws `UNSAFE_PATH` if anything in the folder leads out of it, or is neither file, folder nor link. A link to
 * nothing is fine as long as its target would be inside.
 */
export async function requireContained(folder: string): Promise<void> {
  const root = await realpath(folder);
  const isInside = (path: string): boolean => path === root || path.startsWith(root + sep);
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isSymbolicLink()) {
      const target = await readlink(path);
      const lexical = resolve(dirname(path), target);
      // Where the target exists, links on the way to it count as well.
      const real = await realpath(path).catch(() => lexical);
      if (isAbsolute(target) || !isInside(lexical) || !isInside(real)) {
        throw new E2eError('UNSAFE_PATH', 'a link leads out of the source', {
          expected: 'a relative target inside',
          found: `${JSON.stringify(path.slice(root.length + 1))} → ${JSON.stringify(target)}`,
        });
      }
    } else if (!entry.isFile() && !entry.isDirectory()) {
      throw new E2eError('UNSAFE_PATH', 'the source holds something that is neither file, folder nor link', {
        found: JSON.stringify(path.slice(root.length + 1)),
      });
    }
  }
}

async function hashFile(file: string): Promise<Digest> {
  const hasher = createHash('sha256');
  for await (const chunk of createReadStream(file)) hasher.update(chunk as Buffer);
  return `sha256:${hasher.digest('hex')}`;
}
