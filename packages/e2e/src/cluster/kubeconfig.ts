import { existsSync } from 'node:fs';
import { KubeConfig, type RequestContext } from '@kubernetes/client-node';
import { E2eError } from '../errors.ts';

export interface KubeConfigOptions {
  /** A kubeconfig file, in place of KUBECONFIG, `~/.kube/config` or the pod's service account. */
  kubeconfig?: string | undefined;
  /** Of the kubeconfig's contexts; the current one by default. */
  context?: string | undefined;
}

type Dispatcher = ReturnType<RequestContext['getDispatcher']>;

/** Keeps one pool of connections: the client makes a new one, with its own TLS handshake, for every request. */
class PooledKubeConfig extends KubeConfig {
  #dispatcher: Dispatcher;

  override async applySecurityAuthentication(context: RequestContext): Promise<void> {
    await super.applySecurityAuthentication(context);
    const dispatcher = context.getDispatcher();
    if (dispatcher === undefined) return;
    this.#dispatcher ??= dispatcher;
    context.setDispatcher(this.#dispatcher);
  }
}

/** Finds the cluster and the login, as kubectl does. Throws `KUBECONFIG_INVALID`. */
export function loadKubeConfig({ kubeconfig, context }: KubeConfigOptions): KubeConfig {
  const config = new PooledKubeConfig();
  const hint = 'log in with kubectl or oc, or name a file with --kubeconfig and a context with --context';
  try {
    if (kubeconfig === undefined) config.loadFromDefault();
    else config.loadFromFile(kubeconfig);
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
  if (server === undefined || (kubeconfig === undefined && server === 'http://localhost:8080')) {
    const names = config.getContexts().map(({ name }) => name);
    throw new E2eError('KUBECONFIG_INVALID', 'no cluster to talk to', {
      expected: context === undefined ? 'a current context' : `a context ${context}`,
      found: names.length === 0 ? 'no context' : `contexts ${names.join(', ')}`,
      hint,
    });
  }
  return config;
}
