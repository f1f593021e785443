import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LabelNames } from '@multi-image/digest-chain/oci';
import { EXIT } from '@multi-image/kit/command-line';
import { argumentPrefix } from '../chain/names.ts';
import type { ChainPlan } from '../chain/plan.ts';
import { checkConfig } from '../config/check.ts';
import { addImages } from '../config/edit.ts';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import { isPinned, pinnedBaseOf, readContainerfile } from '../containerfile/read.ts';
import { ManifestsError } from '../errors.ts';
import { findRenderedDrift } from '../files/rendered.ts';
import { writeFiles } from '../files/write.ts';
import { readOptions } from './options.ts';
import { runRender } from './render.ts';
import { print } from './terminal.ts';

const help = `Usage: multi-image-manifests new-image ROLE[:EMBEDDED,…]… [options]

Adds images to the chain: for each a Containerfile that takes the digests of what it embeds, and an
entry in konflux.config.ts; then renders. Overwrites no file that a person wrote, and deletes none.
docs/your-images.md says what to put into a Containerfile.

  --base IMAGE       what they are built on, with its digest: repository:tag@sha256:…
                     (default: what the first image of the config is built on)
  --embeds ROLE      an image whose digest it holds, as after the colon; can be repeated, for one image
  --replace          take the images that the config has now out of it, and delete what was rendered for
                     them; their own folders stay
  --component NAME   hands it to Konflux under this name (default: the role, of the first image and of those
                     that embed others); for one image
  --repository NAME  of the image, below the registry (default: the role); for one image
  --folder PATH      of the Containerfile, from the root of the repository (default: images/ROLE); for one
  --prefetch TYPE    what is fetched before the build, which has no network: npm, gomod, pip, …;
                     its lock file is in the folder
  --config FILE      the config (default: konflux.config.ts)
  --help             this text

Examples:
  multi-image-manifests new-image operator bundle:operator --replace
  multi-image-manifests new-image catalog:bundle --base quay.io/org/base:1@sha256:…
`;

interface Wanted {
  readonly role: string;
  readonly embeds: readonly string[];
}

export async function runNewImage(args: readonly string[]): Promise<number> {
  const split = args.findIndex((arg) => arg.startsWith('-'));
  const specs = split < 0 ? args : args.slice(0, split);
  const options = readOptions({ name: 'new-image', help }, split < 0 ? [] : args.slice(split), {
    base: { type: 'string' },
    embeds: { type: 'string', multiple: true, default: [] },
    replace: { type: 'boolean', default: false },
    component: { type: 'string' },
    repository: { type: 'string' },
    folder: { type: 'string' },
    prefetch: { type: 'string' },
    config: { type: 'string', default: 'konflux.config.ts' },
  });
  if (options === undefined) return EXIT.done;
  const wanted = specs.map((spec) => readSpec(spec, options.embeds));
  const single = (['embeds', 'component', 'repository', 'folder'] as const).filter((name) => options[name]?.length);
  if (wanted.length === 0 || (wanted.length > 1 && single.length > 0)) {
    throw new ManifestsError('USAGE', 'new-image needs the roles of the images', {
      expected: wanted.length === 0 ? 'ROLE[:EMBEDDED,…]…' : `one role with ${single.map((name) => `--${name}`)}`,
      found: specs.length === 0 ? 'none' : specs.join(' '),
      hint: 'pnpm run new-image --help; nothing was written',
    });
  }
  const path = resolve(options.config);
  const config = await loadConfig(path);
  const base = options.base ?? baseOfChain(config);
  checkBase(base);
  if (options.replace) refuseDrift(config);
  const first = options.replace ? wanted[0]?.role : undefined;
  const images = wanted.map(({ role, embeds }) => {
    const folder = options.folder ?? `images/${role}`;
    return {
      role,
      name: role,
      embeds: embeds.length > 0 ? embeds : undefined,
      component: options.component ?? componentOf(role, embeds, first === role),
      repository: options.repository ?? role,
      containerfile: `${folder}/Containerfile`,
      prefetch: options.prefetch === undefined ? undefined : [{ type: options.prefetch, path: folder }],
    };
  });
  const there = images.map(({ containerfile }) => containerfile).filter((file) => existsSync(join(config.root, file)));
  if (there.length > 0) {
    throw new ManifestsError('TARGET_EDITED', `${there.join(', ')} is there already`, { hint: 'nothing was written' });
  }
  const { issues } = checkConfig({
    ...config.given,
    images: [...(options.replace ? [] : config.given.images), ...images],
  });
  if (issues.length > 0) {
    const message = issues.map(({ path: at, expected, found }) => `${at}: expected ${expected}; found ${found}`);
    throw new ManifestsError('CONFIG_INVALID', message.join('\n'), { hint: 'nothing was written' });
  }
  writeFiles([
    ...images.map(({ containerfile, embeds = [] }) => ({
      path: join(config.root, containerfile),
      text: containerfileOf(config, options.replace ? [] : config.chain.images, base, embeds),
    })),
    { path, text: addImages(readFileSync(path, 'utf8'), images, { replace: options.replace }) },
  ]);
  for (const { role, containerfile } of images) print(`${containerfile}\nkonflux.config.ts: images: ${role}`);
  // Nothing that a person wrote is forced away: there was no drift.
  await runRender(['--config', path, ...(options.replace ? ['--force'] : [])]);
  const one = images.length === 1 ? 'Containerfile' : 'Containerfiles';
  print(`next: put what the images hold into the ${one}, then pnpm run doctor, pnpm e2e`);
  return EXIT.done;
}

function readSpec(spec: string, embeds: readonly string[]): Wanted {
  const [role = '', names] = spec.split(/:(.*)/s);
  return { role, embeds: [...(names?.split(',') ?? []), ...embeds] };
}

/** A component runs the pipeline, or finds its image by what the image embeds. */
function componentOf(role: string, embeds: readonly string[], isFirst: boolean): string | undefined {
  return isFirst || embeds.length > 0 ? role : undefined;
}

/** What the chain's first image is built on. */
function baseOfChain({ chain, root }: LoadedConfig): string {
  const [first] = chain.images;
  const base = first && pinnedBaseOf(readContainerfile(readFileSync(join(root, first.containerfile), 'utf8')));
  if (base !== undefined) return base;
  throw new ManifestsError('USAGE', 'new-image needs a base', {
    expected: '--base repository:tag@sha256:…',
    found: `${first?.containerfile} has none with a digest to take over`,
    hint: 'pnpm run new-image --help; nothing was written',
  });
}

function checkBase(base: string): void {
  if (isPinned(base)) return;
  throw new ManifestsError('USAGE', 'the base has no digest, and a tag gives other bytes tomorrow', {
    expected: 'repository:tag@sha256:…',
    found: base,
    hint: `skopeo inspect --format '{{.Digest}}' docker://${base} prints it; nothing was written`,
  });
}

/** What is deleted and overwritten has to be what was rendered, and nothing else. */
function refuseDrift(config: LoadedConfig): void {
  const [drift] = findRenderedDrift(config);
  if (drift === undefined) return;
  throw new ManifestsError('DRIFT', `${drift.path}:${drift.line} is not as konflux.config.ts says`, {
    expected: drift.expected,
    found: drift.found,
    hint: 'pnpm render first, and commit what it writes; nothing was written',
  });
}

function containerfileOf(
  { chain }: LoadedConfig,
  kept: ChainPlan['images'],
  base: string,
  embeds: readonly string[],
): string {
  const names = new LabelNames(chain.labelPrefix);
  const links = embeds.flatMap((role) => {
    const prefix = kept.find((image) => image.role === role)?.argumentPrefix ?? argumentPrefix(role);
    return [
      '',
      `# The image "${role}" as it was built. The verifier wants both, the environment and the labels, and equal.`,
      `ARG ${prefix}_DIGEST`,
      `ARG ${prefix}_URL`,
      `ENV ${prefix}_DIGEST="\${${prefix}_DIGEST}" \\`,
      `    ${prefix}_URL="\${${prefix}_URL}"`,
      `LABEL ${names.digestOf(role)}="\${${prefix}_DIGEST}" \\`,
      `      ${names.urlOf(role)}="\${${prefix}_URL}"`,
    ];
  });
  return [
    '# Built from the repository’s root, without network (hermetic).',
    `FROM ${base}`,
    ...links,
    '',
    '# Your program: COPY and RUN as ever. With --chmod the umask of whoever cloned can’t change the digest.',
    '# COPY --chmod=0555 images/… /…',
    'USER 1001',
    '# ENTRYPOINT ["/…"]',
    '',
  ].join('\n');
}
