import { Agent, request } from 'node:https';
import { ClusterTestingError } from './errors.ts';

/** An object of Kubernetes', as far as this package looks into it. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

/** What the API server answered. */
export interface KubeAnswer {
  readonly status: number;
  /** Of its `Warning` headers, what kubectl prints. */
  readonly warnings: readonly string[];
  readonly body: unknown;
}

/** How the API server is reached. */
export interface KubeLogin {
  /** https://host:port */
  readonly server: string;
  /** PEM of who signed its certificate. */
  readonly ca: string;
  readonly token: string;
}

interface Found {
  readonly plural: string;
  readonly namespaced: boolean;
}

/** The API server of the cluster, by plain requests: so that a test sees status, warnings and body as they came. */
export class KubeApi {
  readonly #login: KubeLogin;
  readonly #agent: Agent;
  readonly #found = new Map<string, Promise<readonly (Found & { kind: string })[]>>();

  constructor(login: KubeLogin) {
    this.#login = login;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 16, ca: login.ca });
  }

  /** Who signed the server's certificate: PEM. */
  get ca(): string {
    return this.#login.ca;
  }

  /** Ends its connections. */
  close(): void {
    this.#agent.destroy();
  }

  /** Any request; rejects where the server can't be reached. */
  request(method: string, path: string, body?: unknown, type = 'application/json'): Promise<KubeAnswer> {
    const { server, token } = this.#login;
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const asked = request(
        `${server}${path}`,
        {
          method,
          agent: this.#agent,
          headers: { authorization: `Bearer ${token}`, accept: 'application/json', 'content-type': type },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const said = Buffer.concat(chunks).toString('utf8');
            resolve({
              status: response.statusCode ?? 0,
              warnings: warningsOf(response.headers.warning),
              body: parsed(said),
            });
          });
        },
      );
      asked.on('error', (error: NodeJS.ErrnoException) => {
        // The server ended a connection that was idle, and has not seen the request.
        if (asked.reusedSocket && error.code === 'ECONNRESET') resolve(this.request(method, path, body, type));
        else reject(error);
      });
      asked.end(text);
    });
  }

  /** Like {@link request}; throws `API_REFUSED` for what is no success. */
  async ask(method: string, path: string, body?: unknown, type?: string): Promise<unknown> {
    const answer = await this.request(method, path, body, type);
    if (answer.status < 300) return answer.body;
    throw new ClusterTestingError('API_REFUSED', `${method} ${path}: ${answer.status}`, {
      expected: 'a success',
      found: messageOf(answer),
    });
  }

  /** The path of an object, or of its kind's collection in its namespace. */
  async pathOf(object: Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>, what: 'object' | 'collection' = 'object') {
    const { apiVersion, kind, metadata } = object;
    const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const { plural, namespaced } = await this.#find(root, kind);
    const place = namespaced ? `/namespaces/${metadata.namespace ?? 'default'}` : '';
    return `${root}${place}/${plural}${what === 'object' ? `/${metadata.name}` : ''}`;
  }

  /** Makes it, or makes it so (server-side apply). */
  async apply(object: KubeObject): Promise<unknown> {
    const path = `${await this.pathOf(object)}?fieldManager=cluster-testing&force=true`;
    return this.ask('PATCH', path, object, 'application/apply-patch+yaml');
  }

  /** Makes all of them, those that others need first. */
  async applyAll(objects: readonly KubeObject[]): Promise<void> {
    const first = objects.filter(({ kind }) => kind === 'Namespace' || kind === 'CustomResourceDefinition');
    await Promise.all(first.map((object) => this.apply(object)));
    await Promise.all(objects.filter((object) => !first.includes(object)).map((object) => this.apply(object)));
  }

  /**
   * Asks whether the server would take a new object: its schema with no field too many, defaulting, admission, webhooks.
   * Nothing is made.
   */
  async wouldCreate(object: KubeObject): Promise<KubeAnswer> {
    const path = await this.pathOf(object, 'collection');
    return this.request('POST', `${path}?dryRun=All&fieldValidation=Strict`, object);
  }

  async #find(root: string, kind: string): Promise<Found> {
    const known = (await (this.#found.get(root) ?? this.#discover(root))).find((one) => one.kind === kind);
    if (known !== undefined) return known;
    // It may have come since.
    const found = (await this.#discover(root)).find((one) => one.kind === kind);
    if (found !== undefined) return found;
    throw new ClusterTestingError('API_REFUSED', `the API server knows no ${kind} in ${root}`);
  }

  #discover(root: string): Promise<readonly (Found & { kind: string })[]> {
    const asked = this.request('GET', root).then(({ body }) => {
      const { resources = [] } = (body ?? {}) as {
        resources?: readonly { name: string; namespaced: boolean; kind: string }[];
      };
      // Subresources have a slash.
      return resources
        .filter(({ name }) => !name.includes('/'))
        .map(({ name, namespaced, kind }) => ({ plural: name, namespaced, kind }));
    });
    this.#found.set(root, asked);
    return asked;
  }
}

/** What a server says against something, in one line. */
export function messageOf({ body }: KubeAnswer): string {
  const { message } = (typeof body === 'object' && body !== null ? body : {}) as { message?: string };
  return message ?? String(body);
}

/** The texts of Warning headers (RFC 9111, 5.5 of RFC 7234): `299 - "text"`, joined by commas. */
function warningsOf(header: string | undefined): readonly string[] {
  return [...(header ?? '').matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) =>
    text.replaceAll(/\\(.)/g, '$1'),
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
