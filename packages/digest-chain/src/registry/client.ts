import { type Digest, digestAlgorithm, digestOf, isDigest } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import type { BlobDescriptor, RawManifest, Registry, Repository } from './registry.ts';

export interface RegistryOptions {
  signal?: AbortSignal;
  /** Milliseconds for one request, its body included. */
  timeout?: number;
}

/** Manifests over this are refused before they are read (distribution-spec: 4 MB must be accepted). Bytes. */
const MANIFEST_LIMIT = 4 * 1024 * 1024;
const BLOB_LIMIT = 8 * 1024 * 1024;

const ACCEPT = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
].join(', ');

/** A client for registries that ask for no credentials; plain HTTP on loopback, HTTPS everywhere else. */
export function createRegistry(options: RegistryOptions = {}): Registry {
  const { signal, timeout = 30_000 } = options;

  async function request(repository: Repository, path: string, init: RequestInit = {}): Promise<Response> {
    const url = path.startsWith('http') ? path : `${base(repository.registry)}/v2/${repository.repository}${path}`;
    const signals = [AbortSignal.timeout(timeout), ...(signal === undefined ? [] : [signal])];
    try {
      return await fetch(url, { ...init, redirect: 'error', signal: AbortSignal.any(signals) });
    } catch (cause) {
      throw failure(repository, cause);
    }
  }

  function failure(repository: Repository, cause: unknown): DigestChainError {
    if (signal?.aborted) return new DigestChainError('ABORTED', 'stopped', { cause });
    if (cause instanceof Error && cause.name === 'TimeoutError') {
      return new DigestChainError('REGISTRY_TIMEOUT', `${repository.registry} did not answer in time`, { cause });
    }
    const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause);
    return new DigestChainError('REGISTRY_UNREACHABLE', `${repository.registry} can't be reached`, {
      expected: `an answer from ${base(repository.registry)}`,
      found: reason,
      hint: 'check the address, and that the registry is up',
      cause,
    });
  }

  async function bodyOf(repository: Repository, response: Response, limit: number): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    try {
      for await (const chunk of response.body ?? []) {
        size += chunk.length;
        if (size > limit) {
          throw new DigestChainError('TOO_LARGE', 'the registry sent more than was agreed', {
            expected: `at most ${limit} bytes`,
            found: 'more',
          });
        }
        chunks.push(chunk);
      }
    } catch (cause) {
      throw cause instanceof DigestChainError ? cause : failure(repository, cause);
    }
    return Buffer.concat(chunks);
  }

  async function refuse(repository: Repository, response: Response, what: string): Promise<never> {
    const body = Buffer.from(await bodyOf(repository, response, 64 * 1024).catch(() => new Uint8Array())).toString();
    const where = `${repository.registry}/${repository.repository}`;
    const found = `HTTP ${response.status} ${body.trim().slice(0, 500)}`.trim();
    if (response.status === 404) throw new DigestChainError('NOT_FOUND', `${what} is not in ${where}`, { found });
    if (response.status === 401 || response.status === 403) {
      throw new DigestChainError('UNAUTHORIZED', `${where} refused access to ${what}`, { found });
    }
    throw new DigestChainError('REGISTRY_ERROR', `${where} failed on ${what}`, { found });
  }

  return {
    async getManifest(repository, reference): Promise<RawManifest> {
      const response = await request(repository, `/manifests/${reference}`, { headers: { accept: ACCEPT } });
      if (!response.ok) return refuse(repository, response, `manifest ${reference}`);
      const bytes = await bodyOf(repository, response, MANIFEST_LIMIT);
      const digest = digestOf(bytes, isDigest(reference) ? digestAlgorithm(reference) : 'sha256');
      if (isDigest(reference) && digest !== reference) throw mismatch('manifest', reference, digest);
      const mediaType = (response.headers.get('content-type') ?? '').split(';')[0]?.trim() ?? '';
      return { bytes, digest, mediaType };
    },

    async putManifest(repository, reference, { bytes, mediaType }) {
      const response = await request(repository, `/manifests/${reference}`, {
        method: 'PUT',
        headers: { 'content-type': mediaType },
        body: Buffer.from(bytes),
      });
      if (!response.ok) return refuse(repository, response, `manifest ${reference}`);
      await response.body?.cancel();
      return { digest: digestOf(bytes), subjectIndexed: response.headers.has('oci-subject') };
    },

    async getBlob(repository, { digest, size }, { limit = BLOB_LIMIT } = {}): Promise<Uint8Array> {
      if (size > limit) {
        throw new DigestChainError('TOO_LARGE', `blob ${digest} is too large`, {
          expected: `at most ${limit} bytes`,
          found: `${size} bytes`,
        });
      }
      const response = await request(repository, `/blobs/${digest}`);
      if (!response.ok) return refuse(repository, response, `blob ${digest}`);
      const bytes = await bodyOf(repository, response, size);
      const found = digestOf(bytes, digestAlgorithm(digest));
      if (found !== digest) throw mismatch('blob', digest, found);
      return bytes;
    },

    async putBlob(repository, bytes): Promise<BlobDescriptor> {
      const digest = digestOf(bytes);
      const started = await request(repository, '/blobs/uploads/', { method: 'POST' });
      if (started.status !== 202) return refuse(repository, started, 'an upload');
      const location = new URL(started.headers.get('location') ?? '', `${base(repository.registry)}/`);
      await started.body?.cancel();
      if (location.origin !== base(repository.registry)) {
        throw new DigestChainError('REDIRECT_REFUSED', 'the registry wants the upload sent to another host', {
          expected: base(repository.registry),
          found: location.origin,
        });
      }
      location.searchParams.set('digest', digest);
      const response = await request(repository, location.href, {
        method: 'PUT',
        headers: { 'content-type': 'application/octet-stream' },
        body: Buffer.from(bytes),
      });
      if (response.status !== 201) return refuse(repository, response, `blob ${digest}`);
      await response.body?.cancel();
      return { digest, size: bytes.length };
    },
  };
}

function mismatch(what: string, expected: Digest, found: Digest): DigestChainError {
  return new DigestChainError('DIGEST_MISMATCH', `the registry sent another ${what} than was asked for`, {
    expected,
    found,
  });
}

function base(registry: string): string {
  return `${isLoopback(registry) ? 'http' : 'https'}://${registry === 'docker.io' ? 'registry-1.docker.io' : registry}`;
}

/** Whether the registry is this machine: `localhost`, 127.0.0.0/8 or ::1. */
export function isLoopback(registry: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i.test(registry);
}
