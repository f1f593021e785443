import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '@multi-image/kit/cache-folder';
import { readPins } from '@multi-image/manifests';
import { buildNodeBase } from '@multi-image/tekton-local';
import { buildLocalTaskRunner, taskRunnerStamp } from '@multi-image/testing/local-task-runner';
import { ClusterTestingError } from './errors.ts';
import { importImages } from './image-store.ts';
import { PAUSE } from './node.ts';
import { CACHE } from './programs.ts';
import { TEKTON_IMAGES } from './tekton.ts';

const repository = fileURLToPath(new URL('../../..', import.meta.url));

/** What the image that carries sources from task to task needs of this repository. */
const CARRIER = [
  'packages/kit/package.json',
  'packages/kit/src/*.ts',
  'packages/digest-chain/package.json',
  'packages/digest-chain/src/**/*.ts',
  'packages/e2e/package.json',
  'packages/e2e/src/errors.ts',
  'packages/e2e/src/targets/local/trusted-artifacts.ts',
  'packages/e2e/src/testing/trusted-artifacts-step.ts',
];

export interface ImagesOptions {
  readonly tekton: string;
  readonly debian: string;
  readonly onLine: (line: string) => void;
}

/** An image of a folder, and of another image below it. */
interface Recipe {
  /** What pods call it. */
  readonly name: string;
  /** Fills its root. */
  fill(root: string): void;
  readonly containerfile: string;
}

/**
 * Makes the images that pods run: Tekton's own, and for the pinned images of the tasks what this machine's programs give.
 * None of them can be pulled where there is no network.
 *
 * @returns The folder in which containerd has all of them, under the hash of what they are made of.
 */
export async function buildImages({ tekton, debian, onLine }: ImagesOptions): Promise<string> {
  const { images } = readPins();
  const node = await buildNodeBase({ tag: 'localhost/multi-image/node-base:local' });
  const key = createHash('sha256')
    .update([tekton, debian, idOf(node), JSON.stringify(images), taskRunnerStamp()].join('\n'))
    .update(readFileSync(fileURLToPath(import.meta.url)));
  const carried = globSync(CARRIER, { cwd: repository })
    .filter((file) => !/\.test\.ts$/.test(file))
    .sort();
  for (const file of carried) key.update(file).update(readFileSync(join(repository, file)));
  const store = cacheFolder(CACHE, `images-${key.digest('hex').slice(0, 16)}`);
  if (existsSync(store)) return store;
  onLine('making the images that pods run');
  removeUnfinished();
  const runner = await buildLocalTaskRunner();
  if ('missing' in runner) throw new ClusterTestingError('MACHINE_UNFIT', runner.missing);
  const work = `${store}.${process.pid}`;
  mkdirSync(work, { recursive: true });
  const layout = join(work, 'layout');
  const names = new Map<string, string>();
  const push = (image: string, name: string): void => {
    const short = `image-${names.size}`;
    names.set(short, name);
    buildah('push', '--quiet', '--disable-compression', image, `oci:${layout}:${short}`);
  };
  const busybox = { fill: (root: string) => fillBusybox(root, debian) };
  const recipes: readonly Recipe[] = [
    { ...busybox, name: PAUSE, containerfile: 'ENTRYPOINT ["/bin/busybox", "sleep", "2147483647"]' },
    { ...busybox, name: TEKTON_IMAGES.shell ?? '', containerfile: 'ENV PATH=/bin' },
    ...['entrypoint', 'nop', 'sidecarlogresults', 'workingdirinit'].map((name) => ({
      name: TEKTON_IMAGES[name] ?? '',
      fill: (root: string) => put(join(tekton, name), join(root, 'ko-app', name)),
      containerfile: `ENTRYPOINT ["/ko-app/${name}"]\nUSER 65532`,
    })),
  ];
  try {
    for (const { name, fill, containerfile } of recipes) {
      build(work, 'scratch', fill, containerfile, (image) => push(image, name));
    }
    push(runner.image, pinned(images['task-runner']));
    push(node, pinned(images.node));
    // On the task-runner, for its tar and gzip.
    const carrier = `USER 0
COPY --from=${node} / /
ENTRYPOINT ["/usr/local/bin/entrypoint"]`;
    const fillCarrier = (root: string): void => fillRepository(root, carried);
    build(work, runner.image, fillCarrier, carrier, (image) => push(image, pinned(images['trusted-artifacts'])));
    nameImages(layout, names);
    const archive = join(work, 'images.tar');
    execFileSync('tar', ['--create', '--file', archive, '--directory', layout, '.']);
    renameSync(importImages({ archive, work, debian }), store);
    removeOld(store);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return store;
}

/** Removes what one that was killed has left. */
function removeUnfinished(): void {
  const isDead = (pid: string): boolean => !existsSync(`/proc/${pid}`);
  for (const folder of globSync('images-*.*', { cwd: cacheFolder(CACHE, '') })) {
    if (isDead(folder.split('.').at(-1) ?? '')) rmSync(cacheFolder(CACHE, folder), { recursive: true, force: true });
  }
  const names = execFileSync('buildah', ['images', '--noheading', '--format={{.Name}}:{{.Tag}}'], { encoding: 'utf8' });
  for (const name of names.split('\n')) {
    const [, pid] = /^localhost\/multi-image\/cluster:(\d+)$/.exec(name) ?? [];
    if (pid !== undefined && isDead(pid)) buildah('rmi', '--force', name);
  }
}

/** Two are kept, for two checkouts that take turns. A cluster that has come up of another goes on with its own. */
function removeOld(store: string): void {
  const others = globSync('images-*', { cwd: dirname(store) })
    .map((name) => join(dirname(store), name))
    .filter((folder) => folder !== store && !/\.\d+$/.test(folder))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const folder of others.slice(1)) rmSync(folder, { recursive: true, force: true });
}

/** containerd knows an image with a digest by repository and digest, whatever tag stands between. */
function pinned(pin: string | undefined): string {
  return (pin ?? '').replace(/:[^:@/]+@/, '@');
}

function build(
  work: string,
  from: string,
  fill: (root: string) => void,
  containerfile: string,
  use: (image: string) => void,
): void {
  const folder = mkdtempSync(join(work, 'image-'));
  const image = `localhost/multi-image/cluster:${process.pid}`;
  mkdirSync(join(folder, 'root'), { mode: 0o755 });
  fill(join(folder, 'root'));
  writeFileSync(join(folder, 'Containerfile'), `FROM ${from}\nCOPY root /\n${containerfile}\n`);
  buildah('bud', '--quiet', '--isolation=chroot', '--pull-never', '--timestamp=0', `--tag=${image}`, folder);
  try {
    use(image);
  } finally {
    buildah('rmi', image);
  }
}

function fillBusybox(root: string, debian: string): void {
  put(join(debian, 'bin/busybox'), join(root, 'bin/busybox'));
  const applets = execFileSync(join(root, 'bin/busybox'), ['--list'], { encoding: 'utf8' }).trim().split('\n');
  for (const name of applets) if (name !== 'busybox') symlinkSync('busybox', join(root, 'bin', name));
  for (const folder of ['tmp', 'root', 'etc'])
    mkdirSync(join(root, folder), { mode: folder === 'tmp' ? 0o1777 : 0o755 });
}

/** These files of the repository, with the links by which its packages find each other. */
function fillRepository(root: string, files: readonly string[]): void {
  for (const file of files) put(join(repository, file), join(root, 'opt', file));
  const entrypoint = join(root, 'usr/local/bin/entrypoint');
  mkdirSync(dirname(entrypoint), { recursive: true });
  const program = '/opt/packages/e2e/src/testing/trusted-artifacts-step.ts';
  writeFileSync(entrypoint, `#!/bin/sh\nexec /usr/bin/node ${program} "$@"\n`, { mode: 0o755 });
  const modules = join(root, 'opt/packages/e2e/node_modules/@multi-image');
  mkdirSync(modules, { recursive: true });
  for (const name of ['kit', 'digest-chain']) symlinkSync(`../../../${name}`, join(modules, name));
}

function put(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { dereference: true });
}

/** Writes the names that containerd gives to what it imports. */
function nameImages(layout: string, names: ReadonlyMap<string, string>): void {
  const file = join(layout, 'index.json');
  const index = JSON.parse(readFileSync(file, 'utf8')) as { manifests: { annotations: Record<string, string> }[] };
  for (const manifest of index.manifests) {
    const short = manifest.annotations['org.opencontainers.image.ref.name'] ?? '';
    manifest.annotations = { 'io.containerd.image.name': names.get(short) ?? short };
  }
  writeFileSync(file, JSON.stringify(index));
}

function idOf(image: string): string {
  return execFileSync('buildah', ['inspect', '--type=image', '--format={{.FromImageID}}', image], { encoding: 'utf8' });
}

function buildah(...args: readonly string[]): void {
  execFileSync('buildah', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
