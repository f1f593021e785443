import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/**
 * Resolves to the port of 127.0.0.1 if nobody listens on it, for 0 to any that is free; rejects with Node's error otherwise.
 * Somebody may take it before it is used.
 */
export async function freePort(port: number = 0): Promise<number> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  const { port: found } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return found;
}
