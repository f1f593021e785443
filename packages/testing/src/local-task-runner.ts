import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** What steps use of Konflux' task-runner image, as far as a machine for development has it. */
const PROGRAMS = [
  ...['bash', 'env', 'git', 'jq', 'skopeo', 'buildah', 'tar', 'gzip', 'sed', 'grep', 'awk', 'find'],
  ...['unshare', 'newuidmap', 'newgidmap'],
  ...['cat', 'chmod', 'chown', 'cp', 'cut', 'date', 'dirname', 'basename', 'head', 'id', 'ln', 'ls', 'mkdir', 'mktemp'],
  ...['mv', 'readlink', 'realpath', 'rm', 'sha256sum', 'sleep', 'sort', 'stat', 'tail', 'tee', 'touch', 'tr', 'true'],
  ...['uname', 'wc', 'whoami'],
];

/** Where podman's packages have it; a newer buildah builds nothing without it. */
const NETAVARK = ['/usr/lib/podman/netavark', '/usr/libexec/podman/netavark'];

/** As in the image: its user, its home, and which ids root may give to containers. */
const FILES: Readonly<Record<string, string>> = {
  'etc/passwd': 'root:x:0:0:root:/root:/bin/bash\ntaskuser:x:1000:0::/home/taskuser:/bin/sh\n',
  'etc/group': 'root:x:0:\n',
  'etc/subuid': 'root:1:65535\ntaskuser:1001:64535\n',
  'etc/subgid': 'root:1:65535\ntaskuser:1001:64535\n',
  'etc/containers/policy.json': '{"default":[{"type":"insecureAcceptAnything"}]}\n',
  'etc/containers/registries.conf': 'short-name-mode = "enforcing"\n',
};

const CONTAINERFILE = `FROM scratch
COPY root /
COPY --chown=1000:0 --chmod=770 home /home/taskuser
ENV PATH=/usr/local/bin:/usr/bin:/bin HOME=/home/taskuser BUILDAH_ISOLATION=chroot
USER 1000
WORKDIR /home/taskuser
`;

/** One for all tests, which stays on this machine: names that come and go on one image at the same time get lost. */
const IMAGE = 'localhost/multi-image/task-runner:local';

/** Holds the hash of what the image is made of. */
const KEY_LABEL = 'multi-image.task-runner.key';

/** Made of programs of this machine, or why it can't be. */
export type LocalTaskRunner = { readonly image: string } | { readonly missing: string };

/** Names what this machine lacks for {@link buildLocalTaskRunner}; empty where nothing is missing. */
export function lackingForTaskRunner(): string[] {
  const { missing } = locate();
  return process.platform === 'linux' ? missing : ['Linux', ...missing];
}

/**
 * Makes an image of this machine's programs and the libraries that they need, that is as good as Konflux' task-runner
 * for what is used of it: user 1000 with a home, root with subordinate ids, buildah with chroot isolation. There is no
 * Python, no oras and no cosign in it. Where it was made of the same programs already, it is not made again.
 */
export async function buildLocalTaskRunner(): Promise<LocalTaskRunner> {
  const lacking = lackingForTaskRunner();
  if (lacking.length > 0) return { missing: `this machine has no ${lacking.join(', ')}` };
  const made = [taskRunnerStamp(), CONTAINERFILE, ...Object.entries(FILES).flat()].join('\n');
  const key = createHash('sha256').update(made).digest('hex');
  const format = `--format={{.FromImageID}} {{index .OCIv1.Config.Labels ${JSON.stringify(KEY_LABEL)}}}`;
  const { stdout } = spawnSync('buildah', ['inspect', '--type=image', format, IMAGE], { encoding: 'utf8' });
  const [before = '', keyBefore] = stdout.trim().split(' ');
  if (keyBefore === key) return { image: IMAGE };
  const folder = await mkdtemp(join(tmpdir(), 'task-runner-'));
  try {
    await fillRoot(join(folder, 'root'));
    await mkdir(join(folder, 'home'));
    await writeFile(join(folder, 'Containerfile'), CONTAINERFILE);
    const fixed = ['--timestamp=0', '--identity-label=false', '--omit-history'];
    const named = [`--label=${KEY_LABEL}=${key}`, `--tag=${IMAGE}`];
    execFileSync('buildah', ['bud', '--quiet', '--isolation=chroot', ...fixed, ...named, folder], { stdio: 'pipe' });
    // What had the name before, unless something is in it yet.
    if (before !== '') spawnSync('buildah', ['rmi', before], { stdio: 'ignore' });
    return { image: IMAGE };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Changes where one of the programs that it is made of does. */
export function taskRunnerStamp(): string {
  const { paths } = locate();
  return [...paths].map(([name, path]) => `${name} ${statSync(path).size} ${statSync(path).mtimeMs}`).join('\n');
}

/** Where this machine has the programs, and what it does not have. */
function locate(): { paths: Map<string, string>; missing: string[] } {
  const script = 'for name; do printf "%s=%s\\n" "$name" "$(command -v -- "$name")"; done; git --exec-path';
  // A shell's own `true` has no path; the program has.
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  const output = spawnSync('env', ['bash', '-c', `enable -n true; ${script}`, 'bash', ...PROGRAMS], {
    encoding: 'utf8',
    env,
  });
  const lines = (output.stdout ?? '').trim().split('\n');
  const paths = new Map<string, string>();
  for (const line of lines) {
    const [name = '', path = ''] = line.split('=');
    if (path.startsWith('/')) paths.set(name, path);
  }
  const missing = PROGRAMS.filter((name) => !paths.has(name));
  const helper = join(lines.at(-1) ?? '', 'git-remote-http');
  if (spawnSync('test', ['-x', helper]).status === 0) paths.set('git-remote-http', helper);
  else missing.push('git-remote-http');
  const netavark = NETAVARK.find((path) => existsSync(path));
  if (netavark !== undefined) paths.set('netavark', netavark);
  return { paths, missing };
}

async function fillRoot(root: string): Promise<void> {
  const { paths } = locate();
  for (const path of ['usr/bin', 'usr/local/bin', 'root', 'etc/containers', 'var/lib/containers', 'var/workdir']) {
    await mkdir(join(root, path), { recursive: true });
  }
  for (const [path, content] of Object.entries(FILES)) await writeFile(join(root, path), content);
  // Scripts start with /bin/bash as well, and git finds its helpers where it was built for.
  await symlink('usr/bin', join(root, 'bin'));
  await symlink('bash', join(root, 'usr/bin/sh'));
  await mkdir(join(root, 'tmp'));
  await chmod(join(root, 'tmp'), 0o1777);
  await mkdir(join(root, 'var/tmp'));
  await chmod(join(root, 'var/tmp'), 0o1777);
  const libraries = new Set<string>();
  for (const [name, path] of paths) {
    const program = await realpath(path);
    // Who calls these two looks for them where they were.
    const isHelper = name === 'git-remote-http' || name === 'netavark';
    await copyProgram(program, join(root, isHelper ? path : join('usr/bin', name)));
    if (name === 'git-remote-http') await symlink(basename(path), join(root, `${path}s`));
    // Fails for a program without libraries, which then needs none.
    const listed = spawnSync('ldd', [program], { encoding: 'utf8' }).stdout;
    for (const [, library = ''] of listed.matchAll(/(\/\S+) \(0x/g)) libraries.add(library);
  }
  for (const library of libraries) await copyProgram(library, join(root, library));
}

async function copyProgram(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to);
  await chmod(to, 0o755);
}
