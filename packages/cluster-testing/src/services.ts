import { connect, createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeApi } from './kube-api.ts';

/** Milliseconds from a change of a Service to when it is heeded. */
const INTERVAL = 500;

interface Service {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly clusterIP?: string;
    readonly ports?: readonly { readonly name?: string; readonly port: number; readonly protocol?: string }[];
  };
}

interface EndpointSlice {
  readonly metadata: { readonly namespace: string; readonly labels?: Readonly<Record<string, string>> };
  readonly ports?: readonly { readonly name?: string; readonly port?: number }[] | null;
  readonly endpoints?: readonly { readonly addresses: readonly string[]; readonly conditions?: { ready?: boolean } }[];
}

interface Open {
  readonly server: Server;
  targets: readonly { host: string; port: number }[];
}

/**
 * What a kube-proxy does, without the packet filter of a kernel, which not every machine has: listens on the address of each
 * Service and hands connections on to what is behind it. TCP alone. The network has all addresses of Services as its own.
 */
export async function proxyServices(api: KubeApi): Promise<never> {
  const open = new Map<string, Open>();
  for (;;) {
    // An API server that is away says nothing about Services.
    await update(api, open).catch(() => {});
    await sleep(INTERVAL);
  }
}

async function update(api: KubeApi, open: Map<string, Open>): Promise<void> {
  const [services, slices] = await Promise.all([
    listOf<Service>(api, '/api/v1/services'),
    listOf<EndpointSlice>(api, '/apis/discovery.k8s.io/v1/endpointslices'),
  ]);
  const wanted = new Map(services.flatMap((service) => addressesOf(service, slices)));
  for (const [address, { server }] of open) {
    if (wanted.has(address)) continue;
    server.close();
    open.delete(address);
  }
  for (const [address, targets] of wanted) {
    const there = open.get(address);
    if (there !== undefined) there.targets = targets;
    else open.set(address, listenOn(address, targets));
  }
}

async function listOf<Item>(api: KubeApi, path: string): Promise<readonly Item[]> {
  const { items } = (await api.ask('GET', `${path}?resourceVersion=0`)) as { items: readonly Item[] };
  return items;
}

/** What is behind each address and port of a Service. */
function addressesOf({ metadata, spec }: Service, slices: readonly EndpointSlice[]): [string, Open['targets']][] {
  const { clusterIP = 'None', ports = [] } = spec;
  if (clusterIP === 'None' || clusterIP === '') return [];
  const own = slices.filter(
    (slice) =>
      slice.metadata.namespace === metadata.namespace &&
      slice.metadata.labels?.['kubernetes.io/service-name'] === metadata.name,
  );
  return ports
    .filter(({ protocol = 'TCP' }) => protocol === 'TCP')
    .map(({ name = '', port }) => [
      `${clusterIP}:${port}`,
      own.flatMap((slice) => {
        const target = slice.ports?.find((one) => (one.name ?? '') === name)?.port;
        const ready = (slice.endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false);
        return target === undefined
          ? []
          : ready.flatMap(({ addresses }) => addresses.map((host) => ({ host, port: target })));
      }),
    ]);
}

function listenOn(address: string, targets: Open['targets']): Open {
  const server = createServer((from) => {
    const target = opened.targets[Math.floor(Math.random() * opened.targets.length)];
    if (target === undefined) {
      from.destroy();
      return;
    }
    const to = connect(target.port, target.host);
    from.on('error', () => to.destroy()).on('close', () => to.destroy());
    to.on('error', () => from.destroy()).on('close', () => from.destroy());
    from.pipe(to).pipe(from);
  });
  const opened: Open = { server, targets };
  const [host, port] = address.split(':');
  server.on('error', () => {}).listen(Number(port), host);
  return opened;
}
