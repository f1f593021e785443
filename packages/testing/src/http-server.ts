import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** A server of this process on a free loopback port, for what a real registry never does. */
export interface TestServer {
  /** `127.0.0.1:<port>` */
  readonly host: string;
  readonly requests: ReceivedRequest[];
  stop(): Promise<void>;
}

/** A request as it came. */
export interface ReceivedRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** What to answer with; `undefined` leaves that to `respond`. */
export interface TestResponse {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array;
}

export type Handler = (
  request: ReceivedRequest,
  response: ServerResponse,
) => TestResponse | undefined | Promise<TestResponse | undefined>;

/** Starts a server that answers as `handler` says, and keeps what it was asked. */
export async function startTestServer(handler: Handler): Promise<TestServer> {
  const requests: ReceivedRequest[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of incoming) chunks.push(chunk);
      const { method = '', url = '', headers } = incoming;
      const request = { method, path: url, headers, body: Buffer.concat(chunks) };
      requests.push(request);
      const answer = await handler(request, outgoing);
      if (answer !== undefined) respond(outgoing, answer);
    } catch {
      outgoing.destroy();
    }
  });
  // A connection that a client keeps is there when it comes back, however slow the machine is.
  server.keepAliveTimeout = 0;
  return { host: await listen(server), requests, stop: () => close(server) };
}

export function respond(outgoing: ServerResponse, { status = 200, headers = {}, body = '' }: TestResponse): void {
  const bytes = Buffer.from(body as Uint8Array);
  outgoing.writeHead(status, { 'content-length': bytes.length, ...(headers as Record<string, string | string[]>) });
  outgoing.end(bytes);
}

/** Binds to a free loopback port; answers with `127.0.0.1:<port>`. */
export async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `127.0.0.1:${address.port}`;
}

export async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
