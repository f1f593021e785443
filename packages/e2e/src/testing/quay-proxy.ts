import { request } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { createAuthority, readTls } from './kube/tls.ts';

/** A test's registry as `quay.io`, for a process of its own: Konflux' references have no port. */
export interface QuayProxy {
  /** For the environment of that process. */
  environment: { HTTPS_PROXY: string; NODE_EXTRA_CA_CERTS: string };
  stop(): Promise<void>;
}

/**
 * Starts a proxy that leads every tunnel to a registry, behind a certificate for `quay.io`.
 *
 * @param host Of the registry: `127.0.0.1:<port>`.
 * @param folder For keys and certificates.
 */
export async function startQuayProxy(host: string, folder: string): Promise<QuayProxy> {
  const [hostname, port] = host.split(':');
  const authority = await createAuthority(folder, ['quay.io']);
  const quay = createTlsServer(await readTls(authority), (incoming, outgoing) => {
    const { method, url: path, headers } = incoming;
    const upstream = request({ hostname, port, method, path, headers }, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(outgoing);
    });
    upstream.on('error', () => outgoing.destroy());
    incoming.pipe(upstream);
  });
  const quayPort = await listen(quay);
  const open = new Set<Socket>();
  const proxy = createServer((client) => {
    const tunnel = connect(quayPort, '127.0.0.1');
    for (const socket of [client, tunnel]) {
      open.add(socket);
      // A killed process resets its connections.
      socket.on('error', () => socket.destroy()).once('close', () => open.delete(socket));
    }
    client.once('data', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      client.pipe(tunnel).pipe(client);
    });
  });
  const proxyPort = await listen(proxy);
  return {
    environment: { HTTPS_PROXY: `http://127.0.0.1:${proxyPort}`, NODE_EXTRA_CA_CERTS: authority.ca },
    async stop() {
      for (const socket of open) socket.destroy();
      quay.closeAllConnections();
      await Promise.all([quay, proxy].map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
