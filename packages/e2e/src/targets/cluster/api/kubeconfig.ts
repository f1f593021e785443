import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { HttpMethod, KubeConfig, RequestContext, type User } from '@kubernetes/client-node';
import { type ErrorDetails, reasonOf } from '@multi-image/kit/errors';
import { load } from 'js-yaml';
import type { Dispatcher } from 'undici';
import { E2eError } from '../../../errors.ts';
import { ClusterError } from './cluster-error.ts';

export interface KubeConfigOptions {
  /** A kubeconfig file, in place of KUBECONFIG, `~/.kube/config` or the pod's service account. */
  kubeconfig?: string | undefined;
  /** Of the kubeconfig's contexts; the current one by default. */
  context?: string | undefined;
}

/** What lets a request in: headers, and connections with the cluster's TLS, the login's certificate and the proxy. */
export interface Login {
  headers: Readonly<Record<string, string>>;
  /** Undefined where nothing of it is special. */
  dispatcher: Dispatcher | undefined;
}

/**
 * The login as it is now: a token can come from a file or a program, and be another one later. Throws
 * `CLUSTER_UNAUTHORIZED` where it can't be used.
 *
 * @param onSecret Hears of everything that is logged in with.
 */
export async function logIn(config: KubeConfig, onSecret: (secret: string) => void): Promise<Login> {
  const context = new RequestContext(config.getCurrentCluster()?.server ?? '', HttpMethod.GET);
  const unusable = (details: ErrorDetails): ClusterError =>
    new ClusterError('CLUSTER_UNAUTHORIZED', 'the login that the kubeconfig names can not be used', details);
  // A program that asks for a new login, a file that is gone: as good as a refusal, and as curable.
  await config.applySecurityAuthentication(context).catch((cause) => {
    throw unusable({
      expected: 'a token, certificate or program that works',
      found: reasonOf(cause).trim().slice(0, 500),
      hint: 'log in again; kubectl auth whoami tries it',
      cause,
    });
  });
  const { Authorization = '', ...headers } = context.getHeaders();
  // Whoever writes a token into a file ends it with a line; Go's client takes that off, too.
  const header = Authorization.trim();
  for (const secret of secretsIn(header)) onSecret(secret);
  if (/[^\t\x20-\x7e\x80-\xff]/.test(header)) {
    throw unusable({
      expected: 'a token in one line',
      found: 'a token with characters that no header can hold',
      hint: 'look at where the kubeconfig gets its token from',
    });
  }
  if (header !== '') headers.Authorization = header;
  return { headers, dispatcher: context.getDispatcher() };
}

function secretsIn(header: string): string[] {
  const [, scheme, value] = /^(\w+)\s+(.+?)\s*$/s.exec(header) ?? [];
  if (value === undefined) return [];
  if (scheme !== 'Basic') return [value];
  const login = Buffer.from(value, 'base64').toString();
  return [value, login.slice(login.indexOf(':') + 1)];
}

/** Finds the cluster and the login, as kubectl does. Throws `KUBECONFIG_INVALID`. */
export function loadKubeConfig({ kubeconfig, context }: KubeConfigOptions): KubeConfig {
  const config = new KubeConfig();
  const hint = 'log in with kubectl or oc, or name a file with --kubeconfig and a context with --context';
  try {
    const files = kubeconfig === undefined ? filesOf(process.env.KUBECONFIG) : [kubeconfig];
    if (files === undefined) config.loadFromDefault();
    else loadFiles(config, files);
    if (context !== undefined) config.setCurrentContext(context);
  } catch (cause) {
    const missing = kubeconfig !== undefined && !existsSync(kubeconfig);
    // What a parser says may quote the file, and the file holds credentials.
    throw new E2eError('KUBECONFIG_INVALID', 'the kubeconfig can not be read', {
      expected: 'a kubeconfig with a cluster, a user and a context',
      found: missing ? `no such file: ${kubeconfig}` : 'a file that is not one, or a program in it that fails',
      hint,
      cause,
    });
  }
  const server = config.getCurrentCluster()?.server;
  // Where it finds nothing the client goes for a proxy on this machine that nobody started.
  const isMadeUp = kubeconfig === undefined && server === 'http://localhost:8080';
  if (server === undefined || isMadeUp) {
    throw new E2eError('KUBECONFIG_INVALID', 'no cluster to talk to', {
      expected: context === undefined ? 'a current context' : `a context ${context}`,
      found: isMadeUp ? 'no kubeconfig: no KUBECONFIG, no ~/.kube/config, and no pod' : contextsOf(config, kubeconfig),
      hint,
    });
  }
  if (server.startsWith('http:')) allowPlain(config, server);
  return config;
}

function contextsOf(config: KubeConfig, kubeconfig: string | undefined): string {
  const names = config.getContexts().map(({ name }) => name);
  if (names.length > 0) return `contexts ${names.join(', ')}`;
  const { KUBECONFIG = '' } = process.env;
  if (kubeconfig !== undefined || filesOf(KUBECONFIG)?.length !== 0) return 'no context';
  return `no such file: ${KUBECONFIG} (KUBECONFIG)`;
}

/**
 * `kubectl proxy` speaks plain HTTP, on this machine alone. The client takes it only from a cluster whose TLS is not to be
 * verified; there is none.
 */
function allowPlain(config: KubeConfig, server: string): void {
  const own = config.getCurrentCluster();
  if (own?.skipTLSVerify === true) return;
  if (!/^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(URL.parse(server)?.hostname ?? '')) {
    throw new E2eError('KUBECONFIG_INVALID', 'the server is reached by plain HTTP, where anybody can read the login', {
      expected: 'a server with https://, or one on this machine, as of kubectl proxy',
      found: server.replace(/\/\/[^/]*@/, '//'),
      hint: 'correct the cluster’s server in the kubeconfig; insecure-skip-tls-verify: true beside it allows plain HTTP',
    });
  }
  config.clusters = config.clusters.map((cluster) => (cluster === own ? { ...cluster, skipTLSVerify: true } : cluster));
}

/** The files that kubectl reads: those that exist of the ones that are named, else the usual one if it does. */
function filesOf(variable: string | undefined): string[] | undefined {
  const named = (variable ?? '').split(delimiter).filter(Boolean);
  if (named.length > 0) return named.filter((file) => existsSync(file));
  const own = join(homedir(), '.kube', 'config');
  return existsSync(own) ? [own] : undefined;
}

/**
 * Merges files as kubectl does: the first that names something wins, also the current context. The client alone would
 * take the last one's context, which is another cluster, and refuses names that two files have.
 */
function loadFiles(config: KubeConfig, files: readonly string[]): void {
  const loaded = files.map((file) => {
    const one = new KubeConfig();
    one.loadFromFile(file);
    return one;
  });
  const firsts = <T extends { name: string }>(all: readonly T[]): T[] =>
    all.filter(({ name }, index) => all.findIndex((entry) => entry.name === name) === index);
  config.loadFromOptions({
    clusters: firsts(loaded.flatMap((one) => one.getClusters())),
    users: firsts(loaded.flatMap((one, index) => withTokenFiles(one.getUsers(), files[index] ?? ''))),
    contexts: firsts(loaded.flatMap((one) => one.getContexts())),
    currentContext: loaded.map((one) => one.getCurrentContext()).find(Boolean),
  });
}

/** A `tokenFile` is the login, and is read again when it may have changed, as a pod's is. The client does not know it. */
function withTokenFiles(users: readonly User[], file: string): User[] {
  const raw = load(readFileSync(file, 'utf8')) as { users?: { name?: unknown; user?: { tokenFile?: unknown } }[] };
  return users.map((user) => {
    const tokenFile = raw.users?.find(({ name }) => name === user.name)?.user?.tokenFile;
    if (typeof tokenFile !== 'string' || tokenFile === '') return user;
    const { token: _, ...others } = user;
    return { ...others, authProvider: { name: 'tokenFile', config: { tokenFile: resolve(dirname(file), tokenFile) } } };
  });
}
