import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NODE, NODE_NAME, SERVICES } from './place.ts';

/**
 * Makes the namespaces that this process is in a machine of their own. What programs of a node write outside of the state
 * folder is in memory, or in copies, of these namespaces: nothing of it reaches the machine around.
 */
export function isolate(state: string): void {
  // A pod's mounts are seen by the kubelet, and the other way round; unshare has cut them off from the machine's.
  run('mount', '--make-rshared', '/');
  run('hostname', NODE_NAME);
  makeNetwork();
  copyOfEtc(join(state, 'etc'));
  for (const folder of ['/run', '/var/lib', '/var/log']) run('mount', '-t', 'tmpfs', 'tmpfs', folder);
  for (const folder of ['/run/lock', '/var/lib/cni', '/var/log/pods', '/var/log/containers']) {
    mkdirSync(folder, { recursive: true });
  }
  protectKernelSettings(join(state, 'sys'));
  ownCgroups();
}

/** A bridge without ports: there are machines whose kernel has no dummy device. */
function makeNetwork(): void {
  run('ip', 'link', 'set', 'lo', 'up');
  // Without an address of its own it takes one of its ports', another with each pod that comes or goes, and pods that know
  // the one before reach nothing for half a minute.
  run('ip', 'link', 'add', 'node0', 'address', '02:00:0a:58:00:01', 'type', 'bridge');
  run('ip', 'addr', 'add', `${NODE}/16`, 'dev', 'node0');
  run('ip', 'link', 'set', 'node0', 'up');
  // The rest of the world is not there, and that is said at once.
  run('ip', 'route', 'add', 'unreachable', 'default');
  // What listens for Services may have each of their addresses.
  run('ip', 'route', 'add', 'local', SERVICES, 'dev', 'lo');
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
}

function copyOfEtc(folder: string): void {
  run('cp', '--archive', '/etc', folder);
  run('mount', '--bind', folder, '/etc');
  // Whoever asks for a name is refused at once: there is no server of names.
  for (const [file, text] of Object.entries({
    '/etc/hosts': `127.0.0.1 localhost\n${NODE} ${NODE_NAME}\n`,
    '/etc/resolv.conf': 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n',
  })) {
    run('rm', '--force', file);
    writeFileSync(file, text);
  }
}

/** The kubelet sets these for the whole kernel. It finds them set, in files that are only seen here. */
const SETTINGS: Readonly<Record<string, string>> = {
  'vm/overcommit_memory': '1',
  'vm/panic_on_oom': '0',
  'kernel/panic': '10',
  'kernel/panic_on_oops': '1',
  'kernel/keys/root_maxkeys': '1000000',
  'kernel/keys/root_maxbytes': '25000000',
};

function protectKernelSettings(folder: string): void {
  mkdirSync(folder);
  for (const [name, value] of Object.entries(SETTINGS)) {
    const real = join('/proc/sys', name);
    if (!existsSync(real)) continue;
    const own = join(folder, name.replaceAll('/', '.'));
    writeFileSync(own, `${value}\n`);
    run('mount', '--bind', own, real);
  }
}

/** The cgroups as seen from this cgroup namespace: what is made in them is made in the cluster's own. */
function ownCgroups(): void {
  const unified = existsSync('/sys/fs/cgroup/cgroup.controllers');
  const hierarchies = readFileSync('/proc/self/cgroup', 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(':')[1] ?? '');
  run('mount', '--types', 'tmpfs', 'tmpfs', '/sys/fs/cgroup');
  if (unified) {
    run('mount', '--types', 'cgroup2', 'cgroup2', '/sys/fs/cgroup');
    // Only what has no processes of its own may hand controllers on.
    mkdirSync('/sys/fs/cgroup/init', { recursive: true });
    for (const pid of readFileSync('/sys/fs/cgroup/cgroup.procs', 'utf8').trim().split('\n')) {
      writeFileSync('/sys/fs/cgroup/init/cgroup.procs', pid);
    }
    const controllers = readFileSync('/sys/fs/cgroup/cgroup.controllers', 'utf8').trim().split(' ');
    writeFileSync('/sys/fs/cgroup/cgroup.subtree_control', controllers.map((name) => `+${name}`).join(' '));
    return;
  }
  for (const controllers of hierarchies.filter((name) => name !== '')) {
    const folder = join('/sys/fs/cgroup', controllers.replace(/^name=/, ''));
    mkdirSync(folder);
    run('mount', '--types', 'cgroup', '--options', controllers, 'cgroup', folder);
  }
}

function run(program: string, ...args: readonly string[]): void {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Where this machine's cgroup hierarchies are mounted: one, or with version 1 of them one for each controller. */
export function cgroupRoots(): readonly string[] {
  const root = '/sys/fs/cgroup';
  if (existsSync(join(root, 'cgroup.controllers'))) return [root];
  return (existsSync(root) ? readdirSync(root) : [])
    .map((name) => join(root, name))
    .filter((folder) => existsSync(join(folder, 'cgroup.procs')));
}
