import type { IncomingMessage } from 'node:http';
import { isCodedError } from '../../../kit/src/errors.ts';
import { Transient } from '../../../kit/src/retry.ts';
import { DigestChainError } from '../errors.ts';
import { redacted } from './reach.ts';

/** Longer bodies that nobody needs are cut off instead. Bytes. */
const DISCARD_LIMIT = 64 * 1024;

/** How a response is ended from the side of the one who reads it. */
export interface ResponseControl {
  /** Called once when the body was read or given up. */
  readonly release: () => void;
  /** What an error in the middle of the body means. */
  readonly explain: (error: unknown) => unknown;
  /** Called for each piece that came. */
  readonly progress: () => void;
  readonly method: string;
}

/** The head of an answer, and its body still on the wire: it must be read, streamed or discarded. */
export class HttpResponse {
  readonly method: string;
  readonly status: number;
  readonly url: URL;
  readonly #incoming: IncomingMessage;
  readonly #control: ResponseControl;

  constructor(incoming: IncomingMessage, url: URL, control: ResponseControl) {
    this.method = control.method;
    this.status = incoming.statusCode ?? 0;
    this.url = url;
    this.#incoming = incoming;
    this.#control = control;
  }

  /** A header that comes once or not at all. */
  header(name: string): string | undefined {
    const value = this.#incoming.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  /** The Content-Length, where there is one. */
  get length(): number | undefined {
    const value = this.header('content-length');
    return value === undefined ? undefined : Number(value);
  }

  /** The body, whole. Throws `TOO_LARGE` before more than `limit` bytes were read. */
  async read(limit: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.stream(limit)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  /**
   * The body in pieces as they come. Throws `TOO_LARGE`; `REGISTRY_UNREACHABLE` where it ends before its Content-Length
   * (which another try may mend); `RESPONSE_INVALID` for a compressed one: none was asked for.
   */
  async *stream(limit: number): AsyncGenerator<Buffer, void> {
    let size = 0;
    try {
      this.#checkEncoding();
      if ((this.length ?? 0) > limit) throw this.#tooLarge(limit, `${this.length}`);
      for await (const chunk of this.#incoming as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > limit) throw this.#tooLarge(limit, 'more');
        this.#control.progress();
        yield chunk;
      }
    } catch (error) {
      const reason = this.#control.explain(error);
      throw isCut(reason) ? this.#cut(size) : reason;
    } finally {
      this.close();
    }
  }

  /** Lets go of a body that nobody needs; a short one is read, so that its connection can be used again. */
  async discard(): Promise<void> {
    if (this.#incoming.destroyed) return;
    try {
      if (this.method === 'HEAD' || (this.length ?? 0) <= DISCARD_LIMIT) {
        let size = 0;
        for await (const chunk of this.#incoming as AsyncIterable<Buffer>) {
          size += chunk.length;
          if (size > DISCARD_LIMIT) break;
        }
      }
    } catch {
      // What was cut off was not needed.
    } finally {
      this.close();
    }
  }

  /** Ends the exchange. A body that was read to its end leaves its connection for the next request; others close it. */
  close(): void {
    this.#incoming.destroy();
    this.#control.release();
  }

  #cut(size: number): Transient {
    return new Transient(
      new DigestChainError('REGISTRY_UNREACHABLE', `${this.url.host} ended its answer too early`, {
        expected: this.length === undefined ? 'a whole answer' : `${this.length} bytes (Content-Length)`,
        found: `${size} bytes from ${redacted(this.url)}`,
      }),
    );
  }

  #checkEncoding(): void {
    const encoding = this.header('content-encoding')?.trim().toLowerCase() ?? '';
    if (encoding === '' || encoding === 'identity') return;
    throw new DigestChainError('RESPONSE_INVALID', `${this.url.host} sent a compressed answer that was not asked for`, {
      expected: `the bytes of ${redacted(this.url)} as they are (Accept-Encoding: identity)`,
      found: `Content-Encoding: ${JSON.stringify(encoding.slice(0, 80))}`,
      hint: 'a proxy in between may do that: let it leave the registry alone',
    });
  }

  #tooLarge(limit: number, found: string): DigestChainError {
    return new DigestChainError('TOO_LARGE', `${this.url.host} sent more than it may`, {
      expected: `at most ${limit} bytes from ${redacted(this.url)}`,
      found: `${found} bytes`,
    });
  }
}

function isCut(reason: unknown): boolean {
  return reason instanceof Transient && isCodedError(reason.failure) && reason.failure.code === 'REGISTRY_UNREACHABLE';
}
