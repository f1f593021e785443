import { type Handler, startTestServer, type TestServer } from '@multi-image/testing/http-server';
import { afterEach } from 'vitest';
import { DigestChainError } from '../errors.ts';
import { createRegistry, type RegistryOptions } from '../registry/client.ts';
import type { Registry } from '../registry/registry.ts';

/** Servers and clients for the tests of a file; each ends with its test. */
export function useServers(): {
  serve(handler: Handler): Promise<TestServer>;
  clientOf(options?: RegistryOptions): Registry;
} {
  const servers: TestServer[] = [];
  const clients: Registry[] = [];
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });
  return {
    async serve(handler) {
      const server = await startTestServer(handler);
      servers.push(server);
      return server;
    },
    clientOf(options = {}) {
      const client = createRegistry({ environment: {}, retryPause: 1, ...options });
      clients.push(client);
      return client;
    },
  };
}

/** What a promise was rejected with, which must be this package's error. */
export async function failureOf(promise: Promise<unknown>): Promise<DigestChainError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof DigestChainError) return error;
  throw new Error('it did not fail as it should', { cause: error });
}

export async function codeOf(promise: Promise<unknown>): Promise<string> {
  return (await failureOf(promise)).code;
}
