import { KINDS, type Resource, text } from '../../targets/cluster/resource.ts';
import { after, type Misfortunes } from './misfortunes.ts';
import type { KubeServer } from './server.ts';
import { NAMESPACE } from './store.ts';

const UPDATE = 'image-controller.appstudio.redhat.com/update-component-image';
const FINALIZER = 'appstudio.openshift.io/image-repository';
/** As controllers are called that don't say who they are. */
const BY = { manager: 'manager' };

/** A credential that must be seen nowhere. */
export const PLANTED = 'planted-registry-password-8271';

export interface ImageControllerOptions {
  server: KubeServer;
  misfortunes: Misfortunes;
  later: (work: () => void, delay?: number) => void;
}

/** Konflux' image controller, as its imagerepository_controller.go does it. */
export class ImageController {
  readonly #options: ImageControllerOptions;

  constructor(options: ImageControllerOptions) {
    this.#options = options;
  }

  reconcileAll(): void {
    for (const repository of this.#options.server.store.all('ImageRepository')) this.#reconcile(repository);
  }

  #reconcile(repository: Resource): void {
    const { store } = this.#options.server;
    const { name, labels, annotations, finalizers } = repository.metadata as Resource['metadata'] & {
      finalizers?: string[];
    };
    if ('deletionTimestamp' in repository.metadata) {
      const { mayGo } = this.#options.misfortunes;
      this.#options.later(() => after(mayGo?.(), () => this.#letGo(name)), 0);
      return;
    }
    const component = labels?.['appstudio.redhat.com/component'];
    if (text(repository, 'status', 'state') === 'failed') return;
    if (component !== undefined && store.get('Component', component) === undefined) return;
    if (finalizers === undefined) this.#provision(repository);
    else if (component !== undefined) {
      this.#link(`build-pipeline-${component}`, `${name}-image-push`);
      if (annotations?.[UPDATE] !== 'true') return;
      store.change(
        'Component',
        component,
        ({ spec }) => {
          spec.containerImage = text(repository, 'status', 'image', 'url');
        },
        BY,
      );
      store.change('ImageRepository', name, (object) => delete object.metadata.annotations[UPDATE], BY);
    }
  }

  #provision({ metadata: { name } }: Resource): void {
    const { organisation = 'acme', repositoryError } = this.#options.misfortunes;
    const { store, secretData } = this.#options.server;
    if (repositoryError !== undefined) {
      store.change(
        'ImageRepository',
        name,
        (object) => {
          object.status = { state: 'failed', message: repositoryError };
        },
        BY,
      );
      return;
    }
    for (const secret of [`${name}-image-push`, `${name}-image-pull`]) {
      store.put({ ...KINDS.secret, metadata: { name: secret } });
      secretData.set(`${NAMESPACE}/${secret}`, { '.dockerconfigjson': Buffer.from(PLANTED).toString('base64') });
    }
    store.change(
      'ImageRepository',
      name,
      (object) => {
        const { image } = object.spec;
        const given = String(image.name).replace(/^\//, '');
        image.name = given.startsWith(`${NAMESPACE}/`) ? given : `${NAMESPACE}/${given}`;
        object.metadata.finalizers = [FINALIZER];
        object.status = { state: 'ready', image: { url: `quay.io/${organisation}/${image.name}` } };
      },
      BY,
    );
  }

  #link(account: string, secret: string): void {
    const { store } = this.#options.server;
    if (secret === this.#options.misfortunes.unlinked || store.get('ServiceAccount', account) === undefined) return;
    store.change(
      'ServiceAccount',
      account,
      (object) => {
        const secrets: { name: string }[] = object.secrets ?? [];
        if (!secrets.some(({ name }) => name === secret)) object.secrets = [...secrets, { name: secret }];
      },
      BY,
    );
  }

  #letGo(name: string): void {
    const { store } = this.#options.server;
    if (store.get('ImageRepository', name) === undefined) return;
    store.change(
      'ImageRepository',
      name,
      ({ metadata }) => {
        delete metadata.finalizers;
      },
      BY,
    );
  }
}
