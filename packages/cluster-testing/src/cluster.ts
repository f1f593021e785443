import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync, rmdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '@multi-image/kit/cache-folder';
import { findProgram } from '@multi-image/kit/find-program';
import { removeFolder } from '@multi-image/kit/remove-folder';
import { type ChainsOptions, chainsConfigOf } from './chains.ts';
import { debianPrograms } from './debian.ts';
import { ClusterTestingError } from './errors.ts';
import { buildImages } from './images.ts';
import { cgroupRoots } from './isolate.ts';
import { deadParts } from './parts.ts';
import { type Extent, inState, type Setup } from './place.ts';
import { buildPrograms, CACHE } from './programs.ts';

/** The name of a cluster's cgroup, in each hierarchy, ends with that of its first process outside. */
const CGROUP = 'multi-image-cluster-';

/** A cluster that is there. */
export interface RunningCluster {
  readonly state: string;
  readonly extent: Extent;
  /** The first process of its namespaces, as this machine numbers it; all others end with it. */
  readonly init: number;
  /** When that process began, in the kernel's ticks: another one may get its number. */
  readonly began: string;
  /** What removes all of it once that process has ended. */
  readonly keeper: number;
  readonly keeperBegan: string;
}

export interface UpOptions {
  readonly extent: Extent;
  /** How Chains writes what it says; as on Konflux by default. One that is up has to have it, where it is given. */
  readonly chains?: ChainsOptions | undefined;
  /** Told what is being done, and what is ready. */
  readonly onLine?: (line: string) => void;
}

/** The cluster of this user, for as long as it is wanted. */
export function personalState(): string {
  return cacheFolder(CACHE, 'cluster');
}

/**
 * Brings up a cluster that stays when this process ends. Where it is up already, its parts that have died are started
 * again, and nothing else is done; what one that was killed has left is removed.
 *
 * @throws ClusterTestingError `MACHINE_UNFIT` where this machine can't have one; `PART_FAILED`.
 */
export async function up(options: UpOptions): Promise<RunningCluster> {
  const state = personalState();
  const there = runningIn(state);
  if (there !== undefined) {
    if (there.extent === 'node' || options.extent === 'admission') {
      requireSameChains(state, options);
      for (const { name, end } of deadParts(state)) {
        await control(there, `start ${name}`);
        options.onLine?.(`${name} had died (${end}), and is started again`);
      }
      return there;
    }
    await down(state);
  }
  const { cluster, child } = await start(state, options);
  child.stdin?.end('keep\n');
  child.unref();
  child.stdout?.destroy();
  return cluster;
}

/** Brings up a cluster of this process's own, which ends with this process however that ends. `stop` leaves nothing. */
export async function startCluster(options: UpOptions): Promise<RunningCluster & { stop(): Promise<void> }> {
  const state = join(tmpdir(), `multi-image-cluster-${randomBytes(4).toString('hex')}`);
  const { cluster, child } = await start(state, options);
  return {
    ...cluster,
    async stop() {
      child.stdin?.end();
      await down(state);
    },
  };
}

/** The cluster that has this folder; undefined where it is down, or was killed. */
export function runningIn(state: string): RunningCluster | undefined {
  if (!existsSync(inState.cluster(state))) return undefined;
  const cluster = JSON.parse(readFileSync(inState.cluster(state), 'utf8')) as RunningCluster;
  return beginningOf(cluster.init) === cluster.began ? cluster : undefined;
}

/** Ends the cluster that has this folder, and removes all of it; nothing where there is none. */
export async function down(state: string): Promise<void> {
  const cluster = runningIn(state);
  if (cluster !== undefined) {
    process.kill(cluster.init, 'SIGKILL');
    while (beginningOf(cluster.keeper) === cluster.keeperBegan) await sleep(20);
  }
  await removeFolder(state);
  await removeCgroups();
}

/** Bytes that a cluster takes now: of memory, what its processes have for themselves; of disk, its folder and the cache. */
export function costOf({ state, init }: RunningCluster): { readonly memory: number; readonly disk: number } {
  const inside = readlinkSync(`/proc/${init}/ns/pid`);
  let memory = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (readlinkSync(`/proc/${pid}/ns/pid`) !== inside) continue;
      const [, kibibytes = '0'] = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
      memory += Number(kibibytes) * 1024;
    } catch {
      // It has ended.
    }
  }
  // Together, since they share files.
  const args = ['--summarize', '--total', '--block-size=1', state, cacheFolder(CACHE, '')];
  const told = execFileSync('du', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return { memory, disk: Number(told.trim().split('\n').at(-1)?.split('\t')[0]) };
}

/** Tells a cluster to stop or start one of its parts. */
export function control({ state }: RunningCluster, request: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(inState.control(state), () => socket.write(`${request}\n`));
    let said = '';
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    socket.on('error', reject);
    socket.on('close', () => {
      if (said === 'done\n') resolve();
      else reject(new ClusterTestingError('PART_FAILED', said.trim() || `${request}: the cluster has ended`));
    });
  });
}

/** The words before a command that make it run in the cluster's network, and otherwise on this machine. */
export function inNetwork({ init }: RunningCluster): readonly string[] {
  return ['nsenter', `--net=/proc/${init}/ns/net`, '--'];
}

/** The environment of a command that works with the cluster: its login, and kubectl. */
export function environmentOf({ state }: RunningCluster): NodeJS.ProcessEnv {
  const path = `${inState.programs(state)}:${process.env.PATH}`;
  return { ...process.env, KUBECONFIG: inState.kubeconfig(state), PATH: path };
}

async function start(state: string, options: UpOptions): Promise<{ cluster: RunningCluster; child: ChildProcess }> {
  const { extent, onLine = () => {} } = options;
  requireMachine();
  await removeFolder(state);
  await removeCgroups();
  const programs = buildPrograms(extent, (name) =>
    onLine(`building ${name} from Go modules, which takes minutes, once`),
  );
  const chainsConfig = extent === 'node' ? chainsConfigOf(options.chains ?? {}, programs.chains) : {};
  const debian = debianPrograms();
  const images = extent === 'node' ? await buildImages({ ...programs, debian, onLine }) : undefined;
  const token = randomBytes(24).toString('hex');
  const setup: Setup = { extent, state, ...programs, debian, images, token, chainsConfig };
  return launch(setup, onLine);
}

/**
 * What keeps a cluster: it makes what the cluster is in, waits for the cluster's end, and removes all of it, whatever ended
 * it. It begins with nothing made, and ends as soon as whoever started it does before it was told what to keep. Of a cluster
 * that did not come up, the logs stay.
 */
const KEEPER = `
  read -r setup || exit
  mkdir -p "$STATE/log" && printf '%s' "$setup" >"$STATE/setup.json" && mkdir "$@" || exit
  # Of version 1, and empty in a new one: no process could be put in.
  for folder in "$@"; do
    for file in cpuset.cpus cpuset.mems; do
      if [ -e "$folder/$file" ]; then cat "$(dirname "$folder")/$file" >"$folder/$file"; fi
    done
  done
  (
    for folder in "$@"; do echo $BASHPID >"$folder/cgroup.procs" || exit 1; done
    exec unshare --net --mount --pid --uts --ipc --cgroup --fork --kill-child=SIGKILL --mount-proc -- \
      bash -c '"$0" "$@" <&0 & wait $!' "$NODE" "$INSIDE" "$STATE/setup.json"
  ) 2>>"$STATE/log/cluster.log"
  for try in {1..100}; do
    find "$@" -depth -type d -exec rmdir {} + 2>/dev/null
    ls -d "$@" >/dev/null 2>&1 || break
    sleep 0.05
  done
  if [ -e "$STATE/failed" ]; then
    find "$STATE" -mindepth 1 -maxdepth 1 ! -name log -exec rm -rf --one-file-system {} +
  else
    rm -rf --one-file-system "$STATE"
  fi`;

async function launch(
  setup: Setup,
  onLine: (line: string) => void,
): Promise<{ cluster: RunningCluster; child: ChildProcess }> {
  const { state, extent } = setup;
  const name = `${CGROUP}${randomBytes(4).toString('hex')}`;
  const inside = fileURLToPath(new URL('./inside.ts', import.meta.url));
  const cgroups = cgroupRoots().map((root) => join(root, name));
  const child = spawn('bash', ['-c', KEEPER, 'bash', ...cgroups], {
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, NODE: process.execPath, INSIDE: inside, STATE: state },
  });
  child.stdin.on('error', () => {});
  child.stdin.write(`${JSON.stringify(setup)}\n`);
  const failed = (found: string): ClusterTestingError =>
    new ClusterTestingError('PART_FAILED', 'the cluster did not come up', { found, hint: join(state, 'log') });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => reject(failed('it ended without a word')));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const message = JSON.parse(line) as { ready?: string; milliseconds?: number; up?: boolean; failed?: string };
      if (message.ready !== undefined) onLine(`${message.ready} is ready after ${message.milliseconds} ms`);
      if (message.failed !== undefined) reject(failed(message.failed));
      if (message.up !== true) return;
      const keeper = child.pid ?? 0;
      const init = firstChild(firstChild(keeper));
      const cluster = {
        ...{ state, extent, init, began: beginningOf(init) ?? '' },
        ...{ keeper, keeperBegan: beginningOf(keeper) ?? '' },
      };
      writeFileSync(inState.cluster(state), JSON.stringify(cluster));
      resolve({ cluster, child });
    });
  });
}

/** Another Chains than the one that runs was asked for. */
function requireSameChains(state: string, { chains }: UpOptions): void {
  if (chains === undefined) return;
  const { chainsConfig, chains: folder } = JSON.parse(readFileSync(inState.setup(state), 'utf8')) as Setup;
  const wanted = JSON.stringify(chainsConfigOf(chains, folder));
  if (wanted === JSON.stringify(chainsConfig)) return;
  throw new ClusterTestingError('USAGE', 'the cluster that is up has a Chains that writes otherwise', {
    expected: wanted,
    found: JSON.stringify(chainsConfig),
    hint: 'pnpm cluster down',
  });
}

/** Says at once what is not there, before anything is built. */
function requireMachine(): void {
  const lacking = [
    ...(process.platform === 'linux' ? [] : ['Linux']),
    ...(process.getuid?.() === 0 ? [] : ['root']),
    ...['unshare', 'nsenter', 'ip', 'mount', 'git', 'bash'].filter((name) => findProgram([name]) === undefined),
    ...(cgroupRoots().length > 0 ? [] : ['cgroups in /sys/fs/cgroup']),
  ];
  if (lacking.length === 0) return;
  throw new ClusterTestingError('MACHINE_UNFIT', 'this machine can’t have a cluster', {
    expected: 'Linux, root, cgroups, util-linux, iproute2, git and bash',
    found: `no ${lacking.join(', no ')}`,
  });
}

/** Removes the cgroups of clusters that are not there any more: those without a process. */
async function removeCgroups(): Promise<void> {
  for (const root of cgroupRoots()) {
    for (const name of readdirSync(root).filter((one) => one.startsWith(CGROUP))) {
      removeEmpty(join(root, name));
    }
  }
}

/** From the inside out; what has a process refuses. */
function removeEmpty(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeEmpty(join(folder, entry.name));
  }
  try {
    rmdirSync(folder);
  } catch {
    // Another cluster's, which is up.
  }
}

/** When a process began; undefined where there is none (proc_pid_stat(5), field 22). */
export function beginningOf(pid: number): string | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function firstChild(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);
}
