import { createServer, type IncomingHttpHeaders, request, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { close, listen } from './http-server.ts';

/** What can go wrong with one exchange. */
export const FAULTS = [
  // The connection is cut…
  'cut before the request was passed on',
  'cut before the response',
  'cut in the response',
  'cut after the response',
  // …or another answer comes
  '401 out of nowhere',
  '429 with Retry-After',
  '500',
  // …or the answer is not what it says
  'truncated',
  'wrong bytes',
  'wrong Docker-Content-Digest',
  'longer than its Content-Length',
  'wrong Content-Type',
  'compressed',
  'slow-loris',
] as const;

export type Fault = (typeof FAULTS)[number];

/** A fault, and which requests meet it: the one with this number (from 0), or all from there on. */
export interface Injection {
  readonly fault: Fault;
  readonly at: number;
  readonly forever: boolean;
}

export interface FaultProxy {
  /** `127.0.0.1:<port>`: a registry to its clients. */
  readonly host: string;
  /** `METHOD path` of every request since the last {@link FaultProxy.inject}. */
  readonly requests: string[];
  /** Starts counting anew; from now on this happens, or nothing. */
  inject(injection?: Injection): void;
  stop(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Passes every request on to a real registry, and does harm to some. */
export async function startFaultProxy(registry: string): Promise<FaultProxy> {
  const requests: string[] = [];
  let injection: Injection | undefined;
  const server = createServer(async (incoming, outgoing) => {
    const number = requests.push(`${incoming.method} ${incoming.url}`) - 1;
    const hit = injection !== undefined && (injection.forever ? number >= injection.at : number === injection.at);
    const fault = hit ? injection?.fault : undefined;
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk);
      if (fault === 'cut before the request was passed on') return void outgoing.destroy();
      const { method = 'GET', url = '/', headers } = incoming;
      const refused = fault === undefined ? undefined : refusalOf(fault);
      if (refused !== undefined) return send(outgoing, refused);
      const answer = await forward(registry, method, url, headers, Buffer.concat(chunks));
      await harm(outgoing, answer, fault);
    } catch {
      outgoing.destroy();
    }
  });
  const host = await listen(server);
  return {
    host,
    requests,
    inject(next) {
      requests.length = 0;
      injection = next;
    },
    stop: () => close(server),
  };
}

function refusalOf(fault: Fault): Answer | undefined {
  const answer = (status: number, headers: IncomingHttpHeaders = {}): Answer => {
    return { status, headers, body: Buffer.from('{"errors":[{"code":"FAULT","message":"injected"}]}') };
  };
  if (fault === '401 out of nowhere') return answer(401, { 'www-authenticate': 'Basic realm="test"' });
  if (fault === '429 with Retry-After') return answer(429, { 'retry-after': '0' });
  return fault === '500' ? answer(500) : undefined;
}

function forward(
  registry: string,
  method: string,
  path: string,
  headers: IncomingHttpHeaders,
  body: Buffer,
): Promise<Answer> {
  const [hostname, port] = registry.split(':');
  return new Promise((resolve, reject) => {
    // The Host header stays the proxy's, so that the registry's Location headers lead back here.
    const upstream = request({ hostname, port, method, path, headers }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      resolve({ status: response.statusCode ?? 502, headers: response.headers, body: Buffer.concat(chunks) });
    });
    upstream.once('error', reject);
    upstream.end(body);
  });
}

async function harm(outgoing: ServerResponse, answer: Answer, fault: Fault | undefined): Promise<void> {
  const { status, headers, body } = answer;
  const half = body.subarray(0, Math.floor(body.length / 2));
  switch (fault) {
    case 'cut before the response':
      outgoing.destroy();
      return;
    case 'cut in the response':
      // Where there is no body the status line itself is cut.
      if (body.length === 0) outgoing.socket?.write('HTTP/1.1 2');
      else outgoing.writeHead(status, headers).write(half);
      await sleep(5);
      outgoing.destroy();
      return;
    case 'cut after the response':
      outgoing.once('finish', () => outgoing.socket?.destroy());
      send(outgoing, answer);
      return;
    case 'truncated':
      send(outgoing, { ...answer, body: half, headers: { ...headers, 'content-length': `${half.length}` } });
      return;
    case 'wrong bytes':
      send(outgoing, { ...answer, body: damaged(body) });
      return;
    case 'wrong Docker-Content-Digest':
      send(outgoing, { ...answer, headers: { ...headers, 'docker-content-digest': `sha256:${'0'.repeat(64)}` } });
      return;
    case 'longer than its Content-Length':
      outgoing.socket?.write(rawHead(status, { ...headers, 'content-length': `${half.length}` }));
      outgoing.socket?.end(body);
      return;
    case 'wrong Content-Type':
      send(outgoing, { ...answer, headers: { ...headers, 'content-type': 'text/html' } });
      return;
    case 'compressed':
      send(outgoing, { ...answer, headers: { ...headers, 'content-encoding': 'gzip' } });
      return;
    case 'slow-loris':
      await drip(outgoing, answer);
      return;
    default:
      send(outgoing, answer);
  }
}

function send(outgoing: ServerResponse, { status, headers, body }: Answer): void {
  outgoing.writeHead(status, headers).end(body);
}

/** The same length, and other content. */
function damaged(body: Buffer): Buffer {
  const copy = Buffer.from(body);
  const middle = Math.floor(copy.length / 2);
  if (copy.length > 0) copy[middle] = (copy[middle] ?? 0) ^ 1;
  return copy;
}

/** A byte now and then, of the head too: as long as the client lets it. */
async function drip(outgoing: ServerResponse, { status, headers, body }: Answer): Promise<void> {
  const bytes = Buffer.concat([Buffer.from(rawHead(status, headers)), body]);
  for (const byte of bytes) {
    if (outgoing.destroyed || outgoing.socket?.destroyed !== false) return;
    outgoing.socket.write(Buffer.of(byte));
    await sleep(25);
  }
  outgoing.destroy();
}

function rawHead(status: number, headers: IncomingHttpHeaders): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Injected\r\n${lines.join('')}\r\n`;
}
