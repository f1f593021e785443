import { createHash, hash } from 'node:crypto';
import { createWriteStream, openAsBlob } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { TektonLocalError } from './errors.ts';
import { type ImageReference, isLoopback, repositoryName } from './reference.ts';

/** A manifest as the registry sent it, hashed. */
export interface Manifest {
  readonly bytes: Uint8Array;
  readonly digest: string;
  readonly mediaType: string;
}

/** The part of a descriptor that is needed to name a blob (image-spec, descriptor.md). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';

const ACCEPT = [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST].join(', ');

/** Registries have to accept manifests of this size (distribution-spec, "Pushing manifests"). */
const MANIFEST_LIMIT = 4 << 20;

/** GET a manifest by the reference's digest, else its tag. Its bytes hash to the digest, or this throws `DIGEST_MISMATCH`. */
export async function getManifest(reference: ImageReference, signal?: AbortSignal): Promise<Manifest> {
  const name = reference.digest ?? reference.tag ?? 'latest';
  const response = await request(reference, 'GET', `manifests/${name}`, { headers: { accept: ACCEPT }, signal });
  const bytes = new Uint8Array(await readLimited(response, MANIFEST_LIMIT));
  const digest = sha256(bytes);
  if (reference.digest !== undefined) requireSame(reference, reference.digest, digest);
  const mediaType = (response.headers.get('content-type') ?? '').split(';')[0]?.trim() ?? '';
  return { bytes, digest, mediaType };
}

/** PUT a manifest, byte for byte, under the reference's tag, else under its digest. Returns the digest. */
export async function putManifest(
  reference: ImageReference,
  manifest: { bytes: Uint8Array; mediaType: string },
  signal?: AbortSignal,
): Promise<string> {
  const digest = sha256(manifest.bytes);
  await request(reference, 'PUT', `manifests/${reference.tag ?? digest}`, {
    headers: { 'content-type': manifest.mediaType },
    body: manifest.bytes as Uint8Array<ArrayBuffer>,
    signal,
  });
  return digest;
}

/** GET a small blob whole, hashed. */
export async function getBlob(
  reference: ImageReference,
  digest: string,
  limit: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const response = await request(reference, 'GET', `blobs/${digest}`, { signal });
  const bytes = new Uint8Array(await readLimited(response, limit));
  requireSame(reference, digest, sha256(bytes));
  return bytes;
}

/** GET a blob into a file. The file is left only if what is in it hashes to the digest. */
export async function getBlobToFile(
  reference: ImageReference,
  digest: string,
  file: string,
  signal?: AbortSignal,
): Promise<void> {
  const response = await request(reference, 'GET', `blobs/${digest}`, { signal });
  const hasher = createHash('sha256');
  try {
    await pipeline(
      response.body === null ? Readable.from([]) : Readable.fromWeb(response.body),
      async function* (chunks: AsyncIterable<Uint8Array>) {
        for await (const chunk of chunks) {
          hasher.update(chunk);
          yield chunk;
        }
      },
      createWriteStream(file),
    );
    requireSame(reference, digest, `sha256:${hasher.digest('hex')}`);
  } catch (error) {
    await rm(file, { force: true });
    throw error instanceof TektonLocalError ? error : failed(reference, `blobs/${digest}`, error);
  }
}

/** Uploads a blob from memory or from a file: one request to open the upload, one for the bytes. */
export async function putBlob(
  reference: ImageReference,
  content: { bytes: Uint8Array } | { file: string },
  digest: string,
  signal?: AbortSignal,
): Promise<void> {
  const opened = await request(reference, 'POST', 'blobs/uploads/', { signal });
  const body =
    'file' in content ? await openAsBlob(content.file) : new Blob([content.bytes as Uint8Array<ArrayBuffer>]);
  await upload(reference, opened, digest, body, signal);
}

/** Makes a blob of one repository available in another: by mounting where the registry can, else by copying. */
export async function copyBlob(
  from: ImageReference,
  to: ImageReference,
  digest: string,
  signal?: AbortSignal,
): Promise<void> {
  const sameRegistry = from.registry === to.registry;
  const query = sameRegistry ? `?mount=${digest}&from=${encodeURIComponent(from.repository)}` : '';
  const opened = await request(to, 'POST', `blobs/uploads/${query}`, { signal });
  if (opened.status === 201) return;
  const source = await request(from, 'GET', `blobs/${digest}`, { signal });
  await upload(to, opened, digest, await source.blob(), signal);
}

/** `sha256:<hex>` of the bytes. */
export function sha256(bytes: Uint8Array): string {
  return `sha256:${hash('sha256', bytes, 'hex')}`;
}

async function upload(
  reference: ImageReference,
  opened: Response,
  digest: string,
  body: Blob,
  signal: AbortSignal | undefined,
): Promise<void> {
  const location = opened.headers.get('location');
  if (location === null) throw failed(reference, 'blobs/uploads/', new Error('the answer names no location'));
  const url = new URL(location, endpoint(reference, 'blobs/uploads/'));
  url.searchParams.set('digest', digest);
  await send(reference, url, 'PUT', { headers: { 'content-type': 'application/octet-stream' }, body, signal });
}

function endpoint(reference: ImageReference, path: string): URL {
  const scheme = isLoopback(reference.registry) ? 'http' : 'https';
  return new URL(`${scheme}://${reference.registry}/v2/${reference.repository}/${path}`);
}

interface RequestOptions {
  headers?: Record<string, string>;
  body?: Uint8Array<ArrayBuffer> | Blob;
  signal?: AbortSignal | undefined;
}

function request(reference: ImageReference, method: string, path: string, options: RequestOptions): Promise<Response> {
  return send(reference, endpoint(reference, path), method, options);
}

async function send(reference: ImageReference, url: URL, method: string, options: RequestOptions): Promise<Response> {
  const { headers, body, signal } = options;
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    throw failed(reference, `${method} ${url.pathname}`, error);
  }
  if (response.ok) return response;
  const said = (await response.text().catch(() => '')).slice(0, 300);
  throw new TektonLocalError(
    response.status === 404 ? 'NOT_FOUND' : 'REGISTRY_FAILED',
    `the registry ${reference.registry} refused ${method} ${url.pathname}`,
    {
      expected: 'a 2xx answer',
      found: `${response.status} ${JSON.stringify(said)}`,
      ...(response.status === 401 ? { hint: 'registries that ask for credentials are not supported here yet' } : {}),
    },
  );
}

async function readLimited(response: Response, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > limit) {
      throw new TektonLocalError('REGISTRY_FAILED', 'the registry sent too much', {
        expected: `at most ${limit} bytes`,
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function requireSame(reference: ImageReference, expected: string, found: string): void {
  if (expected === found) return;
  throw new TektonLocalError('DIGEST_MISMATCH', `${repositoryName(reference)} does not hold what its digest says`, {
    expected,
    found,
  });
}

function failed(reference: ImageReference, what: string, cause: unknown): TektonLocalError {
  if (cause instanceof Error && cause.name === 'AbortError') {
    return new TektonLocalError('INTERRUPTED', `${what} was stopped before it was done`, { cause });
  }
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const reason = inner instanceof Error ? inner.message : String(inner);
  return new TektonLocalError('REGISTRY_FAILED', `the registry ${reference.registry} did not answer: ${reason}`, {
    found: what,
    cause,
  });
}
