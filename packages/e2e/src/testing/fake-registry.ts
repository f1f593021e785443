import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server that is no registry of anybody's run: it only notes what it is asked. */
export interface FakeRegistry {
  /** `127.0.0.1:<port>` */
  readonly host: string;
  readonly requests: string[];
  stop(): void;
}

export async function startFakeRegistry(): Promise<FakeRegistry> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  server.on('connect', (request, socket) => {
    requests.push(`CONNECT ${request.url}`);
    socket.end();
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { host: `127.0.0.1:${port}`, requests, stop: () => void server.close() };
}
