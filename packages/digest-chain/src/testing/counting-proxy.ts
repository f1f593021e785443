import { createServer, request } from 'node:http';

export interface CountingProxy {
  /** `127.0.0.1:<port>`: a registry to its clients. */
  readonly host: string;
  /** `METHOD path` of every request, in order; clear it with `length = 0`. */
  readonly requests: string[];
  stop(): Promise<void>;
}

/** Passes every request on to a registry, and notes it. */
export async function startCountingProxy(registry: string): Promise<CountingProxy> {
  const requests: string[] = [];
  const [hostname, port] = registry.split(':');
  const server = createServer((incoming, outgoing) => {
    requests.push(`${incoming.method} ${incoming.url}`);
    const { method, url: path, headers } = incoming;
    // The Host header stays the proxy's, so that the registry's Location headers lead back here.
    const upstream = request({ hostname, port, method, path, headers }, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(outgoing);
    });
    upstream.on('error', () => outgoing.destroy());
    incoming.pipe(upstream);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    host: `127.0.0.1:${address.port}`,
    requests,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
