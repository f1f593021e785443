import {
  CoreV1Api,
  CustomObjectsApi,
  createConfiguration,
  type KubeConfig,
  KubernetesObjectApi,
  type RequestContext,
  type ResponseContext,
  ServerConfiguration,
  type V1APIResource,
} from '@kubernetes/client-node';
import { ForeignAnswer } from './cluster-error.ts';

/** The client's object API, with what it keeps to its heirs. */
class ObjectApi extends KubernetesObjectApi {
  find(apiVersion: string, kind: string): Promise<V1APIResource | undefined> {
    return this.resource(apiVersion, kind);
  }
}

export interface ApiClients {
  readonly objects: ObjectApi;
  readonly core: CoreV1Api;
  readonly custom: CustomObjectsApi;
}

/** The maintained client's APIs, with a time limit on every request, and without the data of Secrets. */
export function createClients(
  config: KubeConfig,
  { signal, timeout = 30_000 }: { signal?: AbortSignal; timeout?: number },
): ApiClients {
  const configuration = createConfiguration({
    baseServer: new ServerConfiguration(config.getCurrentCluster()?.server ?? '', {}),
    authMethods: { default: config },
    promiseMiddleware: [
      {
        async pre(context: RequestContext): Promise<RequestContext> {
          const limit = AbortSignal.timeout(timeout);
          context.setSignal(signal === undefined ? limit : AbortSignal.any([signal, limit]));
          // Of other Secrets only their metadata leaves the server: that they are there is all that matters.
          if (/\/secrets(\/(?!public-key(\?|$))|\?|$)/.test(context.getUrl())) {
            context.setHeaderParam('Accept', 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1');
          }
          return context;
        },
        async post(context: ResponseContext): Promise<ResponseContext> {
          const type = context.headers['content-type'] ?? 'application/json';
          // Logs are text. The client takes anything else for an object with nothing in it.
          const isForeign = context.httpStatusCode < 300 && !/json|^text\/plain/.test(type);
          if (isForeign) throw new ForeignAnswer(`${context.httpStatusCode} with ${type}`);
          return context;
        },
      },
    ],
  });
  return {
    objects: new ObjectApi(configuration),
    core: new CoreV1Api(configuration),
    custom: new CustomObjectsApi(configuration),
  };
}
