import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder } from '@multi-image/kit/cache-folder';

/** Something of Go's that is built once from exact versions, and kept under the hash of what it is built from. */
export interface GoBuild {
  /** Whose cache it is in. */
  readonly program: string;
  /** What it is called there. */
  readonly name: string;
  /** The folder with go.mod, go.sum and whatever else it is built from. */
  readonly source: string;
  /** The arguments of `go`; `OUTPUT` among them is the file, or with a slash behind it the folder, that is made. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Folders of modules that are kept beside what is built: the name here, the module, the folder in it. */
  readonly files?: readonly { readonly name: string; readonly module: string; readonly folder: string }[];
}

const OUTPUT = 'OUTPUT';

/** Arguments and environment that make a program that runs in an image with nothing else, the same wherever it is built. */
export const STATIC: {
  args(linker: readonly string[], output: 'OUTPUT' | 'OUTPUT/', packages: readonly string[]): readonly string[];
  readonly env: Readonly<Record<string, string>>;
} = {
  args: (linker, output, packages) => [
    ...['build', '-mod=readonly', '-buildvcs=false', '-trimpath'],
    ...['-ldflags', ['-s', '-w', ...linker].join(' '), '-o', output, ...packages],
  ],
  env: { CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' },
};

let version: string | undefined;

/** The version of this machine's Go; empty where there is none. */
export function goVersion(): string {
  version ??= spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' }).stdout?.trim() ?? '';
  return version;
}

/** Where it is, or will be. */
export function goBuildPath({ program, name, source, args, env = {}, files = [] }: GoBuild): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(source).sort()) hash.update(file).update(readFileSync(join(source, file)));
  hash.update(JSON.stringify([args, env, files, goVersion()]));
  return cacheFolder(program, `${name}-${hash.digest('hex').slice(0, 16)}`);
}

/** The path of what was built from these sources; undefined where nobody did. */
export function goBuilt(build: GoBuild): string | undefined {
  const path = goBuildPath(build);
  return existsSync(path) ? path : undefined;
}

/**
 * Builds it, unless it is there. What is there is whole: it gets its name last. Throws where `go` fails.
 *
 * @returns Its path.
 */
export function buildGo(build: GoBuild): string {
  const path = goBuildPath(build);
  if (existsSync(path)) return path;
  mkdirSync(dirname(path), { recursive: true });
  const part = `${path}.${process.pid}`;
  const env = { ...process.env, ...build.env };
  try {
    const args = build.args.map((argument) => argument.replace(OUTPUT, part));
    execFileSync('go', args, { cwd: build.source, env, stdio: ['ignore', 'inherit', 'inherit'] });
    for (const { name, module, folder } of build.files ?? []) {
      cpSync(join(goModule(build.source, module), folder), join(part, name), { recursive: true });
    }
    renameSync(part, path);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
  return path;
}

/** The folder of a module in the version that a go.mod asks for, fetched if need be: its YAML, its examples. */
export function goModule(source: string, module: string): string {
  const list = ['list', '-mod=mod', '-m', '-f', '{{.Version}}', module];
  const version = execFileSync('go', list, { cwd: source, encoding: 'utf8' }).trim();
  // A module that is only known by its go.mod has no folder yet.
  const fetched = execFileSync('go', ['mod', 'download', '-json', `${module}@${version}`], {
    cwd: source,
    encoding: 'utf8',
  });
  return (JSON.parse(fetched) as { Dir: string }).Dir;
}
