import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { KubernetesApi, type Registry, releaseChain } from '@multi-image/digest-chain';
import { Progress } from '@multi-image/kit/progress';
import { loadConfig, render } from '@multi-image/manifests';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { createSigner, type Signer } from '@multi-image/testing/signer';
import type { ClusterRunOptions } from '../targets/cluster/cluster-run.ts';
import { runTenant } from '../targets/cluster/tenant/tenant-run.ts';
import { DEFAULT_TIMEOUTS } from '../targets/cluster/timeouts.ts';
import { KonfluxControllers, type Misfortunes } from './kube/konflux.ts';
import { writeKubeConfig } from './kube/login.ts';
import { SOURCE } from './kube/objects.ts';
import { KubeServer } from './kube/server.ts';
import { NAMESPACE } from './kube/store.ts';
import { type PublishedChain, publishChain, quayAt, signChain } from './tenant-chain.ts';

export const REVISION = 'c0ffee'.padEnd(40, '0');

/** What all tests of tenant runs share: a registry with a published, signed chain, and a repository with its config. */
export interface TenantWorld {
  folder: string;
  config: string;
  registry: Registry;
  /** Of the registry, as it is really reached. */
  registryHost: string;
  signer: Signer;
  chain: PublishedChain;
  stop(): Promise<void>;
}

export async function buildWorld(): Promise<TenantWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'e2e-tenant-'));
  const server: TestRegistry = await startTestRegistry();
  const registry = quayAt(server.host);
  const signer = createSigner();
  const chain = await publishChain(registry, 'quay.io/acme/my-tenant/chain', REVISION);
  await signChain(registry, chain, signer);
  const config = await writeRepository(join(folder, 'repository'), 'my-tenant');
  return {
    folder,
    config,
    registry,
    registryHost: server.host,
    signer,
    chain,
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A fork: its config, with other fields than usual, Containerfiles, and everything rendered. */
export async function writeRepository(root: string, namespace: string, others: object = {}): Promise<string> {
  const images = [
    { role: 'primary', component: 'app', repository: 'chain-image1', containerfile: 'image1/Containerfile' },
    {
      role: 'metadata',
      embeds: ['primary'],
      component: 'scanner',
      repository: 'chain-image2',
      containerfile: 'image2/Containerfile',
    },
  ];
  const value = {
    application: 'chain',
    namespace,
    git: { url: 'https://github.com/acme/chain' },
    registry: `quay.io/acme/${namespace}`,
    images,
    ...others,
  };
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  };
  for (const { containerfile } of value.images) await write(containerfile, 'FROM scratch\n');
  await write('konflux.config.mjs', `export default ${JSON.stringify(value)};\n`);
  const config = join(root, 'konflux.config.mjs');
  const { chain, pins, folder } = await loadConfig(config);
  for (const { path, text } of render(chain, pins, folder)) await write(path, text);
  return config;
}

/** A cluster of a test's own, with a tenant in it. */
export interface Tenant {
  server: KubeServer;
  konflux: KonfluxControllers;
  address: string;
  kubeconfig: string;
  stateFile: string;
  /** Everything that was printed. */
  output(): string;
  run(options?: Partial<ClusterRunOptions>): ReturnType<typeof runTenant>;
  stop(): Promise<void>;
}

let count = 0;

export async function startTenant(world: TenantWorld, misfortunes: Misfortunes = {}): Promise<Tenant> {
  const server = new KubeServer();
  const address = await server.start();
  const place = join(world.folder, `tenant-${count++}`);
  await mkdir(place);
  const kubeconfig = await writeKubeConfig(join(place, 'kubeconfig'), address);
  const stateFile = join(place, 'state.json');
  server.secretData.set('tekton-pipelines/public-key', {
    'cosign.pub': Buffer.from(world.signer.pem).toString('base64'),
  });
  const api = new KubernetesApi({ server: address, token: 'test-token', authority: undefined, namespace: NAMESPACE });
  const konflux = new KonfluxControllers(server, world.chain, REVISION, misfortunes, () =>
    releaseChain(world.registry, api, {
      application: 'chain',
      chain: 'app',
      components: new Map([
        ['primary', 'app'],
        ['metadata', 'scanner'],
      ]),
      gitUrl: SOURCE,
      history: { commit: REVISION, time: undefined, ancestors: [] },
    }),
  );
  let output = '';
  const stream = { isTTY: false, write: (text: string) => (output += text) };
  return {
    server,
    konflux,
    address,
    kubeconfig,
    stateFile,
    output: () => output,
    run: (options = {}) =>
      runTenant({
        config: world.config,
        kubeconfig,
        stateFile,
        registry: world.registry,
        timeouts: DEFAULT_TIMEOUTS,
        pauses: { first: 10, longest: 100 },
        progress: new Progress(stream),
        signal: new AbortController().signal,
        ...options,
      }),
    async stop() {
      konflux.stop();
      await server.stop();
    },
  };
}
