import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandOptions } from '@multi-image/kit/commands';
import { plainEnvironment, runCommand } from '../command.ts';
import { TektonLocalError } from '../errors.ts';
import { type ImageReference, isLoopback, taggedName } from '../registry/reference.ts';
import { getManifest, type Manifest } from '../registry/registry-io.ts';
import { passing, withRetries } from '../registry/registry-request.ts';
import { type BaseImages, readBaseImages } from './containerfile.ts';
import { substitutesFor } from './foreign-base.ts';
import { isForeign, type Platform, platformName, thisPlatform } from './platform.ts';
import type { PrivateStorage } from './private-storage.ts';

interface Tooling {
  /** A folder for what buildah keeps on disk meanwhile. */
  temporary: string;
  storage: PrivateStorage;
  log(line: string): void;
  note(message: string): void;
  signal: AbortSignal;
}

/** What decides the image, and nothing else does. */
export interface BuildOptions extends Tooling {
  folder: string;
  containerfile: string;
  buildArguments: ReadonlyMap<string, string>;
  labels: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
  /** Seconds; every time in the image. Nothing for the time of the build. */
  epoch: number | undefined;
  /** The stage to build; empty for the last. */
  target: string;
  squash: boolean;
  omitHistory: boolean;
  /** No network during the build. */
  hermetic: boolean;
  /** Image substitution, from → to. */
  images: Readonly<Record<string, string>>;
  platform: Platform;
}

/** How buildah says that a registry answered 500. */
const ANSWER_500 = /\b500 \(?Internal Server Error\b/i;

/** The name of the image in the storage of its build. */
const NAME = 'localhost/tekton-local/build:image';

/** Builds an image with buildah, into the storage. */
export async function build(given: BuildOptions): Promise<void> {
  const text = await readFile(given.containerfile, 'utf8');
  const bases = readBaseImages(text, given.buildArguments);
  const foreign = isForeign(given.platform);
  const options = foreign ? await forPlatform(given, bases, text) : given;
  for (const image of bases.images) if (!(image in options.images)) await pull(image, options);
  const args = [
    ...options.storage.options,
    'bud',
    '--isolation=chroot',
    '--no-cache',
    // Everything is in the storage by now: pinned bases were pulled, and a substitute is never replaced by another.
    '--pull-never',
    '--http-proxy=false',
    '--identity-label=false',
    // As on the cluster, another format is a matter of pushing. buildah's own docker format also holds a random host name.
    '--format=oci',
    ...(foreign ? [`--platform=${platformName(options.platform)}`] : []),
    `--tag=${NAME}`,
    `--file=${options.containerfile}`,
    ...(options.epoch === undefined ? [] : [`--timestamp=${options.epoch}`]),
    ...(options.omitHistory ? ['--omit-history'] : []),
    ...(options.squash ? ['--squash'] : []),
    ...(options.target === '' ? [] : [`--target=${options.target}`]),
    ...[...argumentsOf(options, bases, text)].map(([key, value]) => `--build-arg=${key}=${value}`),
    ...substitutions(options.images, bases),
    ...Object.entries(options.labels).map(([key, value]) => `--label=${key}=${value}`),
    ...Object.entries({ ...baseName(options, bases), ...options.annotations }).map(
      ([key, value]) => `--annotation=${key}=${value}`,
    ),
    options.folder,
  ];
  const [program, ...prefix] = options.hermetic ? await withoutNetwork(options) : ['buildah'];
  const running = { ...tooling(options), cwd: options.folder };
  if (!foreign) await runCommand(program ?? 'buildah', [...prefix, ...args], running);
  else await runForeign(options, running, (command) => runCommand(program ?? 'buildah', [...prefix, ...args], command));
}

/** What the build stands on, of its platform. */
async function forPlatform(options: BuildOptions, bases: BaseImages, text: string): Promise<BuildOptions> {
  if (/^\s*FROM\s+--platform\b/im.test(text)) {
    throw new TektonLocalError(
      'UNSUPPORTED',
      'FROM --platform is not supported where an image is built for another platform',
      {
        expected: `stages of ${platformName(options.platform)}`,
        hint: 'build this platform on the cluster',
      },
    );
  }
  const { platform, images, temporary, storage, log } = options;
  const all = { platform, images, bases: bases.images, temporary, storage, tooling: tooling(options), log };
  return { ...options, images: await substitutesFor(all) };
}

/** Tells a RUN that this machine can't execute from any other failure. */
async function runForeign(
  options: BuildOptions,
  command: CommandOptions,
  run: (command: CommandOptions) => Promise<unknown>,
): Promise<void> {
  let step = '';
  const log = (line: string): void => {
    step = /\bSTEP \d+\/\d+: (.*)$/.exec(line)?.[1] ?? step;
    options.log(line);
  };
  try {
    await run({ ...command, onLine: log });
  } catch (cause) {
    options.signal.throwIfAborted();
    if (!/^RUN\b/i.test(step)) throw cause;
    const name = platformName(options.platform);
    throw new TektonLocalError('UNSUPPORTED', `a RUN for ${name} failed on this machine`, {
      expected: `programs of ${name} that run here: a base image that can be pulled, and an emulator (qemu-user-static)`,
      found: `${JSON.stringify(step)} on ${platformName(thisPlatform())}`,
      hint: 'build this platform on the cluster, or without RUN',
      cause,
    });
  }
}

/** Pushes the image that was built, and reads its manifest back: only bytes that hash to what buildah said are returned. */
export async function push(target: ImageReference, options: Tooling & { format: 'oci' | 'docker' }): Promise<Manifest> {
  const digestFile = join(options.temporary, 'digest');
  const tls = `--tls-verify=${!isLoopback(target.registry)}`;
  const url = taggedName(target);
  const format = `--format=${options.format === 'docker' ? 'v2s2' : 'oci'}`;
  const args = ['push', '--quiet', tls, format, `--digestfile=${digestFile}`, NAME, `docker://${url}`];
  await withRegistry(options, [...options.storage.options, ...args]);
  const expected = (await readFile(digestFile, 'utf8')).trim();
  const { registry, repository, tag = 'latest' } = target;
  const manifest = await getManifest({ registry, repository, tag }, options.signal);
  if (manifest.digest === expected) return manifest;
  throw new TektonLocalError('DIGEST_MISMATCH', `${url} is not what was pushed`, { expected, found: manifest.digest });
}

/** Build arguments that name a substituted image name its substitute, for buildah only matches literal names. */
function argumentsOf(options: BuildOptions, bases: BaseImages, text: string): Map<string, string> {
  const result = new Map(options.buildArguments);
  // Only where it is asked for: buildah warns about arguments that nothing uses.
  if (options.epoch !== undefined && /^\s*ARG\s+SOURCE_DATE_EPOCH\b/im.test(text)) {
    result.set('SOURCE_DATE_EPOCH', String(options.epoch));
  }
  for (const [argument, image] of bases.byArgument) {
    const substitute = options.images[image];
    if (substitute === undefined) continue;
    result.set(argument, substitute);
    options.log(`${argument}: ${image} is replaced by ${substitute}`);
  }
  return result;
}

function substitutions(images: Readonly<Record<string, string>>, bases: BaseImages): string[] {
  return bases.images
    .filter((image) => images[image] !== undefined)
    .map((image) => `--build-context=${image}=docker-image://${images[image]}`);
}

/**
 * The annotation with the base's name, as the Containerfile says it: buildah takes any of the names that the image has
 * on this machine, and the digest would depend on what else is there.
 */
function baseName({ target, images }: BuildOptions, bases: BaseImages): Record<string, string> {
  const base = bases.byStage.get(target === '' ? bases.lastStage : target.toLowerCase());
  return base === undefined ? {} : { 'org.opencontainers.image.base.name': images[base] ?? base };
}

async function pull(image: string, options: BuildOptions): Promise<void> {
  // A digest can't change; what only has a tag is looked for anew, as on the cluster.
  const policy = image.includes('@sha256:') ? 'missing' : 'newer';
  const platform = isForeign(options.platform) ? [`--platform=${platformName(options.platform)}`] : [];
  const registry = image.slice(0, Math.max(image.indexOf('/'), 0));
  const args = ['pull', '--quiet', `--policy=${policy}`, ...platform, `--tls-verify=${!isLoopback(registry)}`, image];
  await withRegistry(options, args);
}

/** buildah comes back by itself after some failures of a registry, but gives up at the first 500. */
async function withRegistry(options: Tooling, args: readonly string[]): Promise<void> {
  await withRetries(options.signal, async () => {
    try {
      await runCommand('buildah', args, tooling(options));
    } catch (error) {
      throw error instanceof TektonLocalError && ANSWER_500.test(error.message) ? passing(error) : error;
    }
  });
}

/**
 * buildah can't take the network away under chroot isolation, so that it is started without one. Where that isn't
 * allowed, a note says so.
 */
async function withoutNetwork(options: BuildOptions): Promise<string[]> {
  const isolated = ['unshare', '--net', '--'];
  // A user without rights of their own gets them inside buildah's own user namespace.
  const prefix = process.getuid?.() === 0 ? isolated : ['buildah', 'unshare', '--', ...isolated];
  const [program = '', ...args] = prefix;
  try {
    await runCommand(program, [...args, 'true'], { env: environment(options.temporary), signal: options.signal });
    return [...prefix, 'buildah'];
  } catch (error) {
    options.signal.throwIfAborted();
    options.note('HERMETIC is not enforced: this machine does not let a build be cut off from the network');
    if (error instanceof TektonLocalError) options.log(error.found ?? error.message);
    return ['buildah'];
  }
}

function tooling(options: Tooling): CommandOptions {
  return { env: environment(options.temporary), onLine: options.log, signal: options.signal };
}

/** buildah's environment: a folder of its own for temporary files, and nothing that would show in the image. */
export function environment(temporary: string): Record<string, string> {
  return plainEnvironment({ TMPDIR: temporary });
}
