import { createServer, request } from 'node:http';
import { close, listen } from './http-server.ts';

export interface FailingRegistry {
  /** `127.0.0.1:<port>` */
  readonly host: string;
  /** What was answered with 500: `GET image manifests`. */
  readonly failed: readonly string[];
  stop(): Promise<void>;
}

/**
 * Stands before a registry, and answers 500 to the first request of each kind for the manifests and for the blobs of each
 * repository; the next one comes through. CNCF distribution 2 does that by chance, while others write the same.
 */
export async function startFailingRegistry(registry: string): Promise<FailingRegistry> {
  const failed: string[] = [];
  const server = createServer((incoming, outgoing) => {
    const { method = '', url = '', headers } = incoming;
    const [, repository, kind] = /^\/v2\/(.+)\/(manifests\/|blobs\/sha256:)/.exec(url) ?? [];
    const asked = `${method} ${repository} ${kind?.split('/')[0]}`;
    if (kind !== undefined && !failed.includes(asked)) {
      failed.push(asked);
      incoming.resume();
      const error = { code: 'UNKNOWN', message: 'unknown error', detail: {} };
      outgoing.writeHead(500, { 'content-type': 'application/json' }).end(JSON.stringify({ errors: [error] }));
      return;
    }
    const [host = '', port] = registry.split(':');
    const passed = request({ host, port, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    passed.on('error', () => outgoing.destroy());
    incoming.pipe(passed);
  });
  return {
    host: await listen(server),
    failed,
    stop: () => close(server),
  };
}
