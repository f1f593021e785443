import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Progress } from '@multi-image/kit/progress';
import { KINDS } from '../targets/cluster/api/resource.ts';
import { runTekton, type TektonRunOptions } from '../targets/cluster/tekton/tekton-run.ts';
import { DEFAULT_TIMEOUTS } from '../targets/cluster/timeouts.ts';
import { writeKubeConfig } from './kube/login.ts';
import { KubeServer } from './kube/server.ts';
import { SimulatedTekton, type TektonMisfortunes } from './kube/tekton.ts';
import { REVISION, type TenantWorld } from './tenant.ts';
import { signChain } from './tenant-chain.ts';

/** A cluster of a test's own that has Tekton and nothing else. */
export interface TektonCluster {
  server: KubeServer;
  kubeconfig: string;
  stateFile: string;
  /** Everything that was printed. */
  output(): string;
  progress: Progress;
  run(options?: Partial<TektonRunOptions>): ReturnType<typeof runTekton>;
  stop(): Promise<void>;
}

let count = 0;

/** Nobody answers there, which is only worth a note: the cluster may reach what this machine doesn't. */
const GIT_URL = 'http://127.0.0.1:1/acme/chain';

export async function startTekton(world: TenantWorld, misfortunes: TektonMisfortunes = {}): Promise<TektonCluster> {
  const server = new KubeServer();
  for (const group of ['appstudio.redhat.com/v1alpha1', 'appstudio.redhat.com/v1beta2']) server.absent.add(group);
  const address = await server.start();
  await signChain(world.registry, world.chain, world.signer, GIT_URL);
  const place = join(world.folder, `tekton-${count++}`);
  await mkdir(place);
  const kubeconfig = await writeKubeConfig(join(place, 'kubeconfig'), address);
  const stateFile = join(place, 'state.json');
  server.store.put({ ...KINDS.serviceAccount, metadata: { name: 'default' } });
  const tekton = new SimulatedTekton(server, world.chain, REVISION, misfortunes);
  let output = '';
  const stream = { isTTY: false, write: (text: string) => (output += text) };
  const progress = new Progress(stream);
  return {
    server,
    kubeconfig,
    stateFile,
    progress,
    output: () => output,
    run: (options = {}) =>
      runTekton({
        config: world.config,
        kubeconfig,
        stateFile,
        commit: REVISION,
        gitUrl: GIT_URL,
        serviceAccount: 'default',
        standIns: false,
        plainHttp: false,
        dryRun: false,
        resume: false,
        registry: world.registry,
        timeouts: DEFAULT_TIMEOUTS,
        pauses: { first: 10, longest: 100 },
        progress,
        signal: new AbortController().signal,
        ...options,
      }),
    async stop() {
      tekton.stop();
      await server.stop();
    },
  };
}
