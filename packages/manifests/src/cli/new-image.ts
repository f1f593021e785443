import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LabelNames } from '@multi-image/digest-chain/oci';
import { EXIT } from '@multi-image/kit/command-line';
import { argumentPrefix } from '../chain/names.ts';
import { checkConfig } from '../config/check.ts';
import { addImage } from '../config/edit.ts';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import { ManifestsError } from '../errors.ts';
import { writeFiles } from '../files/write.ts';
import { readOptions } from './options.ts';
import { print } from './terminal.ts';

const help = `Usage: multi-image-manifests new-image ROLE --base IMAGE [options]

Adds an image to the chain: a Containerfile that takes the digests of what it embeds, and an entry
in konflux.config.ts. Overwrites nothing. docs/your-images.md says what to put into it.

  --base IMAGE       what it is built on, with its digest: repository:tag@sha256:…
  --embeds ROLE      an image whose digest it holds; can be repeated
  --component NAME   hands it to Konflux under this name (default: the role)
  --repository NAME  of the image, below the registry (default: the role)
  --folder PATH      of the Containerfile, from the root of the repository (default: images/ROLE)
  --prefetch TYPE    what is fetched before the build, which has no network: npm, gomod, pip, …;
                     its lock file is in the folder
  --config FILE      the config (default: konflux.config.ts)
  --help             this text

Examples:
  multi-image-manifests new-image bundle --embeds operator --base quay.io/org/base:1@sha256:…
`;

export async function runNewImage(args: readonly string[]): Promise<number> {
  const [role = '', ...rest] = args[0]?.startsWith('-') ? ['', ...args] : args;
  const options = readOptions({ name: 'new-image', help }, rest, {
    base: { type: 'string' },
    embeds: { type: 'string', multiple: true, default: [] },
    component: { type: 'string' },
    repository: { type: 'string' },
    folder: { type: 'string' },
    prefetch: { type: 'string' },
    config: { type: 'string', default: 'konflux.config.ts' },
  });
  if (options === undefined) return EXIT.done;
  if (role === '' || options.base === undefined) {
    const hint = 'pnpm run new-image --help; nothing was written';
    throw new ManifestsError('USAGE', 'new-image needs a role and a base', { expected: 'ROLE --base IMAGE', hint });
  }
  if (!/@sha256:[0-9a-f]{64}$/.test(options.base)) {
    throw new ManifestsError('USAGE', 'the base has no digest, and a tag gives other bytes tomorrow', {
      expected: 'repository:tag@sha256:…',
      found: options.base,
      hint: `skopeo inspect --format '{{.Digest}}' docker://${options.base} prints it; nothing was written`,
    });
  }
  const path = resolve(options.config);
  const config = await loadConfig(path);
  const folder = options.folder ?? `images/${role}`;
  const containerfile = `${folder}/Containerfile`;
  const target = join(config.root, containerfile);
  if (existsSync(target)) {
    throw new ManifestsError('TARGET_EDITED', `${containerfile} is there already`, { hint: 'nothing was written' });
  }
  const fields: Record<string, unknown> = {
    role,
    name: role,
    embeds: options.embeds.length > 0 ? options.embeds : undefined,
    component: options.component ?? role,
    repository: options.repository ?? role,
    containerfile,
    prefetch: options.prefetch === undefined ? undefined : [{ type: options.prefetch, path: folder }],
  };
  const { issues } = checkConfig({ ...config.given, images: [...config.given.images, fields] });
  if (issues.length > 0) {
    const message = issues.map(({ path: at, expected, found }) => `${at}: expected ${expected}; found ${found}`);
    throw new ManifestsError('CONFIG_INVALID', message.join('\n'), { hint: 'nothing was written' });
  }
  writeFiles([
    { path: target, text: containerfileOf(config, options.base, options.embeds) },
    { path, text: addImage(readFileSync(path, 'utf8'), fields) },
  ]);
  print(`${containerfile}\nkonflux.config.ts: images: ${role}`);
  print('next: put your program into the Containerfile, then pnpm render, pnpm run doctor, pnpm e2e');
  return EXIT.done;
}

function containerfileOf({ chain }: LoadedConfig, base: string, embeds: readonly string[]): string {
  const names = new LabelNames(chain.labelPrefix);
  const links = embeds.flatMap((role) => {
    const prefix = chain.images.find((image) => image.role === role)?.argumentPrefix ?? argumentPrefix(role);
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
