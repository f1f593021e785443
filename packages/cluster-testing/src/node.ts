import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runOrThrow } from '@multi-image/kit/commands';
import type { KubeApi } from './kube-api.ts';
import type { Part } from './parts.ts';
import { inState, NODE, NODE_NAME, POD_NETWORK, REGISTRY, type Setup } from './place.ts';

/** The name of the image that holds a pod's namespaces. */
export const PAUSE = 'cluster.local/pause:built';

/** In the cluster's own /run; the path of a socket may have 107 bytes, which a state folder's may be longer than. */
const SOCKET = '/run/containerd.sock';
const rootOf = (state: string): string => join(state, 'containerd');

/** What this containerd does without. */
export const DISABLED: readonly string[] = ['btrfs', 'zfs', 'aufs', 'devmapper'].map(
  (name) => `io.containerd.snapshotter.v1.${name}`,
);

/** What runs containers. */
export function containerd({ state, debian, images }: Setup): Part {
  if (images !== undefined) linkStore(images, rootOf(state));
  const network = join(state, 'cni');
  mkdirSync(network, { recursive: true });
  writeFileSync(
    join(network, '10-bridge.conflist'),
    JSON.stringify({
      cniVersion: '0.4.0',
      name: 'pods',
      plugins: [
        {
          type: 'bridge',
          bridge: 'node0',
          isGateway: true,
          isDefaultGateway: true,
          ipMasq: false,
          hairpinMode: true,
          ipam: {
            type: 'host-local',
            dataDir: join(state, 'addresses'),
            ranges: [[{ subnet: POD_NETWORK, rangeStart: '10.88.1.1' }]],
          },
        },
      ],
    }),
  );
  const hosts = join(state, 'hosts');
  mkdirSync(join(hosts, REGISTRY), { recursive: true });
  // Its registry speaks HTTP, which is said of no address but this machine's own.
  writeFileSync(join(hosts, REGISTRY, 'hosts.toml'), `[host."http://${REGISTRY}"]\n`);
  const config = join(state, 'containerd.toml');
  writeFileSync(
    config,
    `version = 2
root = "${rootOf(state)}"
state = "/run/containerd"
disabled_plugins = ${JSON.stringify(DISABLED)}
[grpc]
  address = "${SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE}"
  # Where a process may not make itself less likely to be killed than its parent.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "${hosts}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${join(debian, 'usr/lib/cni')}"
    conf_dir = "${network}"
`,
  );
  return {
    name: 'containerd',
    command: [join(debian, 'usr/bin/containerd'), '--config', config],
    env: {
      // Its shim finds runc, and runc its library.
      PATH: `${['usr/bin', 'usr/sbin'].map((folder) => join(debian, folder)).join(':')}:${process.env.PATH}`,
      LD_LIBRARY_PATH: ['lib', 'usr/lib'].map((folder) => join(debian, folder, 'x86_64-linux-gnu')).join(':'),
    },
    ready: async () => {
      if (!existsSync(SOCKET)) return false;
      // Its answer counts: the socket is there before anybody listens.
      await ctr({ debian }, 'version');
      return true;
    },
  };
}

/**
 * Gives a cluster the images that were imported once. Its containers change copies of their files, and containerd replaces
 * files of its own; but its tables, which are changed where they are.
 */
function linkStore(images: string, root: string): void {
  try {
    execFileSync('cp', ['--archive', '--link', `${images}/.`, root], { stdio: 'pipe' });
  } catch {
    // On another file system.
    rmSync(root, { recursive: true, force: true });
    execFileSync('cp', ['--archive', `${images}/.`, root], { stdio: 'pipe' });
  }
  for (const file of globSync('*/*.db', { cwd: root })) {
    rmSync(join(root, file));
    copyFileSync(join(images, file), join(root, file));
  }
}

/** Asks containerd for something about the images and containers of pods. */
export async function ctr({ debian }: Pick<Setup, 'debian'>, ...args: readonly string[]): Promise<void> {
  const program = join(debian, 'usr/bin/ctr');
  await runOrThrow(program, ['--address', SOCKET, '--namespace', 'k8s.io', ...args]);
}

/** What runs the pods that the scheduler gives to this node. */
export function kubelet({ state, kubernetes }: Setup, api: KubeApi): Part {
  const config = join(state, 'kubelet.yaml');
  writeFileSync(
    config,
    JSON.stringify({
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      address: NODE,
      authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
      authorization: { mode: 'AlwaysAllow' },
      cgroupDriver: 'cgroupfs',
      cgroupsPerQOS: false,
      // Pods have no cgroup of their own then, and a kubelet that looks for its limits to change them crashes.
      featureGates: { InPlacePodVerticalScaling: false },
      enforceNodeAllocatable: [],
      failCgroupV1: false,
      failSwapOn: false,
      resolvConf: '/etc/resolv.conf',
      // Nobody answers there, and pods are told so at once.
      clusterDNS: [NODE],
      clusterDomain: 'cluster.local',
      podLogsDir: '/var/log/pods',
      volumePluginDir: join(state, 'volume-plugins'),
      // There is room, or the machine has a trouble that is not the cluster's.
      evictionHard: { 'memory.available': '50Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
      // What was put on this node can't be pulled again.
      imageGCHighThresholdPercent: 100,
      imageGCLowThresholdPercent: 99,
      containerRuntimeEndpoint: `unix://${SOCKET}`,
      maxPods: 250,
      // Pods of TaskRuns are many, and short.
      nodeStatusUpdateFrequency: '4s',
      // A pod with a sidecar reads from a file that it is ready, which is written with each of these rounds.
      syncFrequency: '5s',
      registryPullQPS: 0,
      eventRecordQPS: 0,
      kubeAPIQPS: 200,
      kubeAPIBurst: 400,
    }),
  );
  return {
    name: 'kubelet',
    command: [
      join(kubernetes, 'kubernetes'),
      'kubelet',
      `--config=${config}`,
      `--kubeconfig=${inState.kubeconfig(state)}`,
      `--root-dir=${join(state, 'kubelet')}`,
      `--cert-dir=${join(state, 'kubelet-keys')}`,
      `--hostname-override=${NODE_NAME}`,
      `--node-ip=${NODE}`,
    ],
    ready: async () => {
      const { status } = (await api.ask('GET', `/api/v1/nodes/${NODE_NAME}`)) as {
        status: { conditions: readonly { type: string; status: string }[] };
      };
      return status.conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True');
    },
  };
}

/** Where the images that pods build are pushed. */
export function registry({ state, debian }: Setup): Part {
  const config = join(state, 'registry.yaml');
  writeFileSync(
    config,
    JSON.stringify({
      version: 0.1,
      log: { level: 'warn', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(state, 'registry') }, delete: { enabled: true } },
      http: { addr: REGISTRY },
    }),
  );
  return {
    name: 'registry',
    command: [join(debian, 'usr/bin/docker-registry'), 'serve', config],
    ready: async () => (await fetch(`http://${REGISTRY}/v2/`)).ok,
  };
}

/** Serves the repositories that lie in the state folder, so that a pod can clone them. */
export function gitServer({ state }: Setup): Part {
  const folder = inState.git(state);
  mkdirSync(folder, { recursive: true });
  const program = join(execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim(), 'git-daemon');
  const options = ['--reuseaddr', '--export-all', `--base-path=${folder}`, `--listen=${NODE}`, '--informative-errors'];
  return { name: 'git', command: [program, ...options], ready: async () => true };
}
