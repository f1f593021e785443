import type { ServerResponse } from 'node:http';
import { ApiError, statusObject } from './status.ts';

/** Writes the answers to one request. */
export class KubeAnswer {
  readonly #response: ServerResponse;
  readonly #metadataOnly: boolean;
  /** Of the body; the connection is reset after as many bytes. */
  readonly #cut: number | undefined;

  constructor(response: ServerResponse, accept: string, cut: number | undefined) {
    this.#response = response;
    this.#metadataOnly = /as=PartialObjectMetadata/.test(accept);
    this.#cut = cut;
  }

  /** An object, or only its metadata where that was asked for. */
  object(code: number, object: Readonly<Record<string, unknown>>): void {
    const partial = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
    this.json(code, this.#metadataOnly ? partial : object);
  }

  list(apiVersion: string, kind: string, metadata: object, items: readonly Readonly<Record<string, unknown>>[]): void {
    if (this.#metadataOnly) {
      const partial = items.map((item) => ({
        kind: 'PartialObjectMetadata',
        apiVersion: 'meta.k8s.io/v1',
        metadata: item.metadata,
      }));
      this.json(200, { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items: partial });
      return;
    }
    // As the real one: the items of a list say neither apiVersion nor kind.
    const bare = items.map(({ apiVersion: _, kind: __, ...item }) => item);
    this.json(200, { kind: `${kind}List`, apiVersion, metadata, items: bare });
  }

  json(code: number, value: unknown, headers: Record<string, string> = {}): void {
    const body = Buffer.from(JSON.stringify(value));
    const type = { 'content-type': 'application/json', 'content-length': String(body.length) };
    this.#response.writeHead(code, { ...type, ...headers });
    if (this.#cut === undefined) this.#response.end(body);
    else this.#response.write(body.subarray(0, this.#cut), () => this.#response.destroy());
  }

  text(code: number, text: string): void {
    this.#response.writeHead(code, { 'content-type': 'text/plain' }).end(text);
  }

  status(code: number, message: string, headers: Record<string, string> = {}): void {
    const seconds = Number(headers['retry-after']);
    const details = Number.isInteger(seconds) ? { details: { retryAfterSeconds: seconds } } : {};
    this.json(code, statusObject(code, message, details), headers);
  }

  refuse(error: unknown): void {
    if (this.#response.headersSent) this.#response.destroy();
    else if (!(error instanceof ApiError)) this.status(500, `Internal error occurred: ${String(error)}`);
    else if (typeof error.body === 'string') this.text(error.code, error.body);
    else this.json(error.code, error.body);
  }

  /** The response itself, for what is written piece by piece. */
  stream(): ServerResponse {
    this.#response.writeHead(200, { 'content-type': 'application/json' });
    this.#response.flushHeaders();
    return this.#response;
  }
}
