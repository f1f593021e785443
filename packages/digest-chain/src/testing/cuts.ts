import { type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http';

/** Passes a request on to the registry up to a byte that is drawn, and cuts both connections there. */
export function cutRequest(incoming: IncomingMessage, registry: string): void {
  const [hostname, port] = registry.split(':');
  const { method, url: path, headers } = incoming;
  const length = Number(headers['content-length'] ?? 0);
  let left = Math.floor(Math.random() * (length + 1));
  const { authorization: _, ...passed } = headers;
  const upstream = request({ hostname, port, method, path, headers: passed });
  upstream.on('error', () => {});
  // Without a body the head itself did not get through.
  if (length > 0) upstream.flushHeaders();
  const end = (): void => {
    upstream.destroy();
    incoming.destroy();
  };
  incoming.on('error', () => {});
  if (left === 0) {
    end();
    return;
  }
  incoming.on('data', (chunk: Buffer) => {
    upstream.write(chunk.subarray(0, left));
    left -= chunk.length;
    if (left <= 0) end();
  });
}

/** Sends an answer up to a byte that is drawn, of its head as well, and cuts the connection there. */
export function cutAnswer(
  outgoing: ServerResponse,
  { status, headers }: { readonly status: number; readonly headers: IncomingHttpHeaders },
  body: Buffer,
): void {
  const { 'transfer-encoding': chunked, ...kept } = headers;
  if (chunked !== undefined) kept['content-length'] = `${body.length}`;
  const lines = Object.entries(kept).flatMap(([name, value]) =>
    [value ?? []].flat().map((each) => `${name}: ${each}\r\n`),
  );
  const whole = Buffer.concat([Buffer.from(`HTTP/1.1 ${status} Cut\r\n${lines.join('')}\r\n`), body]);
  const { socket } = outgoing;
  socket?.write(whole.subarray(0, Math.floor(Math.random() * whole.length)), () => socket.destroy());
}
