import { createHash, hash } from 'node:crypto';
import { createWriteStream, openAsBlob } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { TektonLocalError } from '../errors.ts';
import { type ImageReference, repositoryName } from './reference.ts';
import { endpoint, failed, type RegistryRequest, send, withRetries } from './registry-request.ts';

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
  const { bytes, headers } = await get(reference, `manifests/${name}`, MANIFEST_LIMIT, signal, { accept: ACCEPT });
  const digest = sha256(bytes);
  if (reference.digest !== undefined) requireSame(reference, reference.digest, digest);
  const mediaType = (headers.get('content-type') ?? '').split(';')[0]?.trim() ?? '';
  return { bytes, digest, mediaType };
}

/** PUT a manifest, byte for byte, under the reference's tag, else under its digest. Returns the digest. */
export async function putManifest(
  reference: ImageReference,
  manifest: { bytes: Uint8Array; mediaType: string },
  signal?: AbortSignal,
): Promise<string> {
  const digest = sha256(manifest.bytes);
  await withRetries(signal, () => {
    return request(reference, 'PUT', `manifests/${reference.tag ?? digest}`, {
      headers: { 'content-type': manifest.mediaType },
      body: manifest.bytes as Uint8Array<ArrayBuffer>,
      signal,
    });
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
  const { bytes } = await get(reference, `blobs/${digest}`, limit, signal);
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
  try {
    await withRetries(signal, async () => {
      const response = await request(reference, 'GET', `blobs/${digest}`, { signal });
      const found = await writeTo(file, response).catch((error) => {
        throw isOfFiles(error) ? error : failed(reference, `blobs/${digest}`, error);
      });
      requireSame(reference, digest, found);
    });
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
}

/** Uploads a blob from memory or from a file: one request to open the upload, one for the bytes. */
export async function putBlob(
  reference: ImageReference,
  content: { bytes: Uint8Array } | { file: string },
  digest: string,
  signal?: AbortSignal,
): Promise<void> {
  const body =
    'file' in content ? await openAsBlob(content.file) : new Blob([content.bytes as Uint8Array<ArrayBuffer>]);
  await withRetries(signal, async () => {
    const opened = await request(reference, 'POST', 'blobs/uploads/', { signal });
    await upload(reference, opened, digest, body, signal);
  });
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
  await withRetries(signal, async () => {
    const opened = await request(to, 'POST', `blobs/uploads/${query}`, { signal });
    if (opened.status === 201) return;
    const source = await request(from, 'GET', `blobs/${digest}`, { signal });
    const body = await source.blob().catch((error) => {
      throw failed(from, `blobs/${digest}`, error);
    });
    await upload(to, opened, digest, body, signal);
  });
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
  if (location === null) {
    throw new TektonLocalError('REGISTRY_FAILED', `the registry ${reference.registry} opened an upload nowhere`, {
      expected: 'a Location header in the answer to POST blobs/uploads/',
    });
  }
  const url = new URL(location, endpoint(reference, 'blobs/uploads/'));
  url.searchParams.set('digest', digest);
  await send(reference, url, 'PUT', { headers: { 'content-type': 'application/octet-stream' }, body, signal });
}

function request(reference: ImageReference, method: string, path: string, options: RegistryRequest): Promise<Response> {
  return send(reference, endpoint(reference, path), method, options);
}

/** GET what fits into memory, whole. */
function get(
  reference: ImageReference,
  path: string,
  limit: number,
  signal: AbortSignal | undefined,
  headers: Record<string, string> = {},
): Promise<{ bytes: Uint8Array; headers: Headers }> {
  return withRetries(signal, async () => {
    const response = await request(reference, 'GET', path, { headers, signal });
    const chunks: Uint8Array[] = [];
    let size = 0;
    try {
      for await (const chunk of response.body ?? []) {
        size += chunk.length;
        if (size > limit) break;
        chunks.push(chunk);
      }
    } catch (error) {
      throw failed(reference, path, error);
    }
    if (size <= limit) return { bytes: new Uint8Array(Buffer.concat(chunks)), headers: response.headers };
    throw new TektonLocalError('REGISTRY_FAILED', 'the registry sent too much', { expected: `at most ${limit} bytes` });
  });
}

/** Writes the body of an answer into a file; returns its digest. */
async function writeTo(file: string, response: Response): Promise<string> {
  const hasher = createHash('sha256');
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
  return `sha256:${hasher.digest('hex')}`;
}

/** A full disk is no failure of the registry, and asking again would not empty it. */
function isOfFiles(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && ['open', 'write', 'close'].includes(String(error.syscall));
}

function requireSame(reference: ImageReference, expected: string, found: string): void {
  if (expected === found) return;
  throw new TektonLocalError('DIGEST_MISMATCH', `${repositoryName(reference)} does not hold what its digest says`, {
    expected,
    found,
  });
}
