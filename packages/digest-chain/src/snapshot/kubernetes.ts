import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { join } from 'node:path';
import { reasonOf } from '../../../kit/src/errors.ts';
import { KONFLUX_GROUP } from '../../../kit/src/konflux.ts';
import { type Clock, parseRetryAfter, retry, Transient } from '../../../kit/src/retry.ts';
import { DigestChainError } from '../errors.ts';
import { at, items, textOf } from '../json/decode.ts';

/** How a pod reaches the API server of its cluster: as the service account that it runs as. */
export interface PodAccess {
  /** `https://10.0.0.1:443` */
  readonly server: string;
  readonly token: string;
  /** PEM, of who vouches for the server. */
  readonly authority: string | undefined;
  readonly namespace: string;
}

/** Where every pod has its service account (kubernetes.io, "Accessing the API from a Pod"). */
export const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Reads what a pod has; throws `CLUSTER_UNREACHABLE` where this is none. */
export async function readPodAccess(
  folder: string = SERVICE_ACCOUNT,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<PodAccess> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = environment;
  const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');
  try {
    if (host === undefined) throw new Error('KUBERNETES_SERVICE_HOST is not set');
    const [token, authority, namespace] = await Promise.all(['token', 'ca.crt', 'namespace'].map(read));
    const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
    return { server, token: token?.trim() ?? '', authority, namespace: namespace?.trim() ?? '' };
  } catch (cause) {
    throw new DigestChainError('CLUSTER_UNREACHABLE', 'this is no pod with a service account', {
      expected: `KUBERNETES_SERVICE_HOST in the environment, and token, ca.crt and namespace in ${folder}`,
      found: reasonOf(cause),
      hint: 'outside of a cluster: digest-chain snapshot … | kubectl create -f -',
      cause,
    });
  }
}

/** An object of Kubernetes; what is in it is checked where it is read. */
export type KubeObject = Readonly<Record<string, unknown>>;

/** Konflux's kinds, as paths name them. */
export type Plural = 'snapshots' | 'components';

const TIMEOUT = 30_000;
/** As much as a list of a thousand Snapshots with a hundred images each. */
const MAX_BYTES = 256 * 1024 * 1024;
const PAGE = 500;

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/**
 * A client for the few requests of a release, in the pod's own namespace. Throws `CLUSTER_FORBIDDEN` with the Role that is
 * missing, `CLUSTER_UNREACHABLE`, and `CLUSTER_ERROR` for every other answer.
 */
export class KubernetesApi {
  readonly #access: PodAccess;
  readonly #options: { readonly signal?: AbortSignal | undefined; readonly clock?: Clock | undefined };

  constructor(access: PodAccess, options: { signal?: AbortSignal | undefined; clock?: Clock | undefined } = {}) {
    this.#access = access;
    this.#options = options;
  }

  get namespace(): string {
    return this.#access.namespace;
  }

  /** An object; undefined where there is none of this name. */
  async get(plural: Plural, name: string): Promise<KubeObject | undefined> {
    const { status, body } = await this.#request('get', plural, this.#path(plural, name));
    if (status === 404) return undefined;
    return body as KubeObject;
  }

  /** All objects that a label selector matches, as they are now. */
  async list(plural: Plural, labelSelector = ''): Promise<readonly KubeObject[]> {
    const found: KubeObject[] = [];
    for (let from = ''; ; ) {
      const query = new URLSearchParams({ limit: `${PAGE}`, labelSelector, continue: from });
      const { body } = await this.#request('list', plural, `${this.#path(plural)}?${query}`);
      found.push(...(items(at(body, 'items')) as KubeObject[]));
      from = textOf(at(body, 'metadata', 'continue')) ?? '';
      if (from === '') return found;
    }
  }

  /** Creates an object; `exists` where one of its name is there. */
  async create(plural: Plural, object: object): Promise<'created' | 'exists'> {
    const { status } = await this.#request('create', plural, this.#path(plural), object);
    return status === 409 ? 'exists' : 'created';
  }

  /** Changes fields of an object (JSON merge patch, RFC 7396). */
  async patch(plural: Plural, name: string, change: object): Promise<void> {
    await this.#request('patch', plural, this.#path(plural, name), change);
  }

  #path(plural: Plural, name?: string): string {
    const place = `/apis/${KONFLUX_GROUP}/v1alpha1/namespaces/${encodeURIComponent(this.#access.namespace)}/${plural}`;
    return name === undefined ? place : `${place}/${encodeURIComponent(name)}`;
  }

  async #request(verb: keyof typeof METHODS, plural: Plural, path: string, body?: object): Promise<Answer> {
    const { signal, clock } = this.#options;
    const attempt = async (): Promise<Answer> => {
      const answer = await this.#send(METHODS[verb], path, body).catch((cause: unknown) => {
        if (signal?.aborted) throw new DigestChainError('ABORTED', 'stopped by the caller', { cause });
        throw new Transient(this.#unreachable(cause));
      });
      const { status, retryAfter } = answer;
      if (status === 429 || status >= 500) throw new Transient(this.#refused(verb, plural, answer), { retryAfter });
      return answer;
    };
    // A creation that was answered by nobody may have been done: its name is fixed, so that it is found out.
    const answer = await retry(attempt, { retries: 5, pause: 500, signal, clock });
    const { status } = answer;
    const isAnswer = status < 300 || (verb === 'create' && status === 409) || (verb === 'get' && status === 404);
    if (isAnswer) return answer;
    throw status === 403 || status === 401
      ? this.#forbidden(verb, plural, answer)
      : this.#refused(verb, plural, answer);
  }

  async #send(method: string, path: string, body?: object): Promise<Answer & { retryAfter: number | undefined }> {
    const { server, token, authority } = this.#access;
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const patch = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const { signal = new AbortController().signal } = this.#options;
    const request = server.startsWith('http://') ? plainRequest : tlsRequest;
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request(`${server}${path}`, {
        method,
        ca: authority,
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]),
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'application/json',
          'user-agent': 'digest-chain',
          ...(bytes === undefined ? {} : { 'content-type': patch, 'content-length': bytes.length }),
        },
      });
      sent.on('response', resolve).on('error', reject).end(bytes);
    });
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_BYTES) throw new Error(`an answer of more than ${MAX_BYTES} bytes`);
      chunks.push(chunk);
    }
    const retryAfter = parseRetryAfter(response.headers['retry-after']);
    return { status: response.statusCode ?? 0, body: decodeAnswer(Buffer.concat(chunks)), retryAfter };
  }

  #unreachable(cause: unknown): DigestChainError {
    const { server } = this.#access;
    return new DigestChainError('CLUSTER_UNREACHABLE', `the API server ${server} does not answer`, {
      found: reasonOf(cause),
      cause,
    });
  }

  #refused(verb: string, plural: Plural, { status, body }: Answer): DigestChainError {
    const reason = textOf(at(body, 'message')) ?? 'without a reason';
    return new DigestChainError('CLUSTER_ERROR', `the API server answered ${status} to ${verb} ${plural}`, {
      found: reason.slice(0, 1000),
    });
  }

  #forbidden(verb: string, plural: Plural, { status, body }: Answer): DigestChainError {
    const { namespace } = this.#access;
    const account = /User "system:serviceaccount:[^:"]*:([^"]*)"/.exec(textOf(at(body, 'message')) ?? '')?.[1];
    const who = account === undefined ? 'the service account of this pod' : `the service account ${account}`;
    const message = `${who} may not ${verb} ${plural} in the namespace ${namespace}`;
    return new DigestChainError('CLUSTER_FORBIDDEN', message, {
      expected: `a Role that allows ${verb} of ${plural}.${KONFLUX_GROUP}, bound to it`,
      found: `${status}: ${textOf(at(body, 'message')) ?? 'no reason given'}`,
      hint: `send this to an admin of ${namespace}: please run \`kubectl apply -f konflux/release-access.yaml\``,
    });
  }
}

const METHODS = { get: 'GET', list: 'GET', create: 'POST', patch: 'PATCH' } as const;

/** What is no JSON comes from who stands before the server. */
function decodeAnswer(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return { message: bytes.subarray(0, 200).toString() };
  }
}
