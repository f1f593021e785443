import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** What the steps of `pipeline/verify-chain.yaml` use of Konflux' task-runner image. */
const PROGRAMS = ['bash', 'env', 'cat', 'date', 'jq', 'git'];

/** Where this machine has the programs; the names of those that it does not have. */
export function findPrograms(): { paths: Record<string, string>; missing: string[] } {
  const paths: Record<string, string> = {};
  const missing: string[] = [];
  for (const name of PROGRAMS) {
    try {
      paths[name] = execFileSync('sh', ['-c', 'command -v -- "$1"', 'sh', name], { encoding: 'utf8' }).trim();
    } catch {
      missing.push(name);
    }
  }
  return { paths, missing };
}

/** Makes an image of these programs and the libraries that they need: as good as task-runner, for what is used of it. */
export async function buildTaskRunner(tag: string, paths: Readonly<Record<string, string>>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'task-runner-'));
  const root = join(folder, 'root');
  const copy = async (from: string, to: string): Promise<void> => {
    await mkdir(dirname(join(root, to)), { recursive: true });
    await copyFile(from, join(root, to));
  };
  try {
    for (const [name, path] of Object.entries(paths)) {
      await copy(await realpath(path), `usr/bin/${name}`);
      const libraries = execFileSync('ldd', [path], { encoding: 'utf8' });
      for (const [, library = ''] of libraries.matchAll(/(\/\S+) \(0x/g)) await copy(library, library);
    }
    await mkdir(join(root, 'tmp'), { mode: 0o1777 });
    await writeFile(join(folder, 'Containerfile'), 'FROM scratch\nCOPY root /\nENV PATH=/usr/bin\n');
    const args = ['bud', '--quiet', '--isolation=chroot', '--timestamp=0', `--tag=${tag}`, folder];
    execFileSync('buildah', args, { stdio: 'pipe' });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
