import { createServer, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { close, listen } from './http-server.ts';

export interface CountingProxy {
  /** `127.0.0.1:<port>`: a registry to its clients. */
  readonly host: string;
  /** `METHOD path` of every request, in order; clear it with `length = 0`. */
  readonly requests: string[];
  /** Of the bodies of all requests and answers. */
  bytes: number;
  /** As many requests as were under way at the same time, at most. */
  peak: number;
  /** Milliseconds that every request takes longer. */
  latency: number;
  stop(): Promise<void>;
}

/** Passes every request on to a registry, and notes it. */
export async function startCountingProxy(registry: string): Promise<CountingProxy> {
  const [hostname, port] = registry.split(':');
  let underWay = 0;
  const server = createServer(async (incoming, outgoing) => {
    proxy.requests.push(`${incoming.method} ${incoming.url}`);
    proxy.peak = Math.max(proxy.peak, ++underWay);
    outgoing.once('close', () => underWay--);
    if (proxy.latency > 0) await sleep(proxy.latency);
    const { method, url: path, headers } = incoming;
    // The Host header stays the proxy's, so that the registry's Location headers lead back here.
    const upstream = request({ hostname, port, method, path, headers }, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      response.on('data', count).pipe(outgoing);
    });
    upstream.on('error', () => outgoing.destroy());
    incoming.on('data', count).pipe(upstream);
  });
  const count = (chunk: Buffer): void => {
    proxy.bytes += chunk.length;
  };
  const proxy: CountingProxy = {
    host: await listen(server),
    requests: [],
    bytes: 0,
    peak: 0,
    latency: 0,
    stop: () => close(server),
  };
  return proxy;
}
