import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ClusterTestingError } from './errors.ts';
import { DISABLED } from './node.ts';

/**
 * A containerd that only imports, in namespaces of its own: what it mounts while it unpacks is seen by nobody, and it ends
 * with this process.
 */
const IMPORT = `
  mount -t tmpfs tmpfs /run
  "$BIN/containerd" --config "$WORK/containerd.toml" >"$WORK/containerd.log" 2>&1 &
  daemon=$!
  ctr() { "$BIN/ctr" --address /run/containerd.sock --namespace k8s.io "$@"; }
  for try in {1..300}; do ctr version >/dev/null 2>&1 && break; sleep 0.1; done
  ctr images import "$ARCHIVE" >/dev/null || exit
  kill "$daemon"
  wait "$daemon"`;

export interface ImportOptions {
  /** An OCI layout as a tar, with the names that containerd is to give. */
  readonly archive: string;
  /** An empty folder to work in, on the file system of the store. */
  readonly work: string;
  readonly debian: string;
}

/**
 * Imports and unpacks images once, which takes half a minute, for all clusters to come.
 *
 * @returns The folder in which containerd keeps them.
 */
export function importImages({ archive, work, debian }: ImportOptions): string {
  const root = join(work, 'store');
  writeFileSync(
    join(work, 'containerd.toml'),
    `version = 2
root = "${root}"
state = "/run/containerd"
disabled_plugins = ${JSON.stringify([...DISABLED, 'io.containerd.grpc.v1.cri'])}
[grpc]
  # Which is there for this containerd alone; the path of a socket may have 107 bytes.
  address = "/run/containerd.sock"
`,
  );
  const env = { ...process.env, BIN: join(debian, 'usr/bin'), WORK: work, ARCHIVE: archive };
  try {
    const namespaces = ['--mount', '--pid', '--fork', '--kill-child=SIGKILL', '--mount-proc'];
    execFileSync('unshare', [...namespaces, 'bash', '-c', IMPORT], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    const found = (error as { stderr?: Buffer }).stderr?.toString().trim() || String(error);
    throw new ClusterTestingError('PART_FAILED', 'the images of pods could not be imported', { found });
  }
  return root;
}
