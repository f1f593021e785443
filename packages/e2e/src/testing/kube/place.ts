import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster } from '../../targets/cluster/api/cluster.ts';
import type { ClusterOptions } from '../../targets/cluster/api/cluster-session.ts';
import { KINDS, type Resource } from '../../targets/cluster/api/resource.ts';
import { writeKubeConfig } from './login.ts';
import { KubeServer } from './server.ts';

/** An API server with a login to it. */
export interface KubePlace {
  server: KubeServer;
  address: string;
  kubeconfig: string;
  connect(options?: ClusterOptions): Cluster;
  stop(): Promise<void>;
}

export async function startKube(): Promise<KubePlace> {
  const folder = await mkdtemp(join(tmpdir(), 'e2e-cluster-'));
  const server = new KubeServer();
  const address = await server.start();
  const kubeconfig = await writeKubeConfig(join(folder, 'config'), address);
  return {
    server,
    address,
    kubeconfig,
    connect: (options = {}) => new Cluster({ kubeconfig, pauses: { first: 5, longest: 40 }, ...options }),
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A PipelineRun with nothing in it. */
export function emptyRun(name: string, more: object = {}): Resource {
  return { ...KINDS.pipelineRun, metadata: { name, labels: { app: 'a' } }, ...more };
}
