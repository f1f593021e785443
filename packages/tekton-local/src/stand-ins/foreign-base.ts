import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandOptions } from '@multi-image/kit/commands';
import { runCommand } from '../command.ts';
import { type Platform, platformName } from './platform.ts';
import type { PrivateStorage } from './private-storage.ts';

/** On every image whose base was left out, with the reason. */
export const NO_BASE_LABEL = 'tekton-local.without-base';

export interface ForeignBaseOptions {
  platform: Platform;
  /** The images that are to be substituted, from → to. */
  images: Readonly<Record<string, string>>;
  /** Those that the build stands on. */
  bases: readonly string[];
  /** A folder for what is made on the way. */
  temporary: string;
  storage: PrivateStorage;
  tooling: CommandOptions;
  log(line: string): void;
}

/**
 * The substitutes that are of the platform. One of another architecture is never passed off as a base: its programs
 * would be in an image that claims to run them. In its place comes an image of the platform that holds nothing, and
 * says so in a label that the built image inherits.
 */
export async function substitutesFor(options: ForeignBaseOptions): Promise<Readonly<Record<string, string>>> {
  const { images, bases, platform, log } = options;
  const wanted = platformName(platform);
  const result = { ...images };
  let empty: string | undefined;
  for (const base of bases) {
    const substitute = images[base];
    if (substitute === undefined) continue;
    const found = await platformOf(substitute, options);
    if (found === wanted) continue;
    empty ??= await makeEmptyBase(wanted, options);
    result[base] = empty;
    log(`${base} is replaced by nothing: its substitute ${substitute} is for ${found}, not for ${wanted}.`);
    log(`The image for ${wanted} has all that its Containerfile adds, and none of its base's programs: it can't run.`);
  }
  return result;
}

async function platformOf(image: string, { storage, tooling }: ForeignBaseOptions): Promise<string> {
  const format = '{{.OCIv1.OS}}/{{.OCIv1.Architecture}}';
  const args = [...storage.options, 'inspect', '--type=image', `--format=${format}`, image];
  return (await runCommand('buildah', args, tooling)).trim();
}

/** The same bytes each time, whatever the machine: digests are to be reproducible here as well. */
async function makeEmptyBase(platform: string, { temporary, storage, tooling }: ForeignBaseOptions): Promise<string> {
  const name = `localhost/tekton-local/without-base:${platform.replace('/', '-')}`;
  const folder = join(temporary, 'without-base');
  const label = `the base image for ${platform} could not be had: this image can not run`;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'Containerfile'), `FROM scratch\nLABEL ${NO_BASE_LABEL}="${label}"\n`);
  const fixed = ['--timestamp=0', '--identity-label=false', '--omit-history', '--format=oci'];
  const args = ['bud', '--quiet', '--isolation=chroot', `--platform=${platform}`, ...fixed, `--tag=${name}`, folder];
  await runCommand('buildah', [...storage.options, ...args], tooling);
  return name;
}
