import { KINDS, list, type Resource, text } from '../../targets/cluster/api/resource.ts';
import { after, type Misfortunes } from './misfortunes.ts';
import type { KubeServer } from './server.ts';
import { NAMESPACE } from './store.ts';

const UPDATE = 'image-controller.appstudio.redhat.com/update-component-image';
const FINALIZER = 'appstudio.openshift.io/image-repository';
const PULL_ENSURED = 'image-controller.appstudio.redhat.com/namespace-pull-secret-ensured';
/** With rights to pull whatever is in the namespace. */
const NAMESPACE_PULL = 'components-namespace-pull';
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
    if (finalizers === undefined) {
      this.#provision(repository, component);
      return;
    }
    // Of one that it found missing it does nothing, until somebody takes the finalizer away.
    if (text(repository, 'status', 'state') !== 'ready') return;
    if (component !== undefined) this.#connect(repository, component, annotations?.[UPDATE] === 'true');
    this.#show(repository);
  }

  #connect({ metadata: { name }, status }: Resource, component: string, isAsked: boolean): void {
    const { store } = this.#options.server;
    for (const secret of [`${name}-image-push`, NAMESPACE_PULL]) this.#link(`build-pipeline-${component}`, secret);
    if (!isAsked) return;
    store.change(
      'Component',
      component,
      ({ spec }) => {
        spec.containerImage = text({ status }, 'status', 'image', 'url');
      },
      BY,
    );
    store.change('ImageRepository', name, (object) => delete object.metadata.annotations[UPDATE], BY);
  }

  /** Makes the repository public or private, as the object says, or the object say what the repository stays. */
  #show({ metadata: { name }, spec, status }: Resource): void {
    const { noPrivate } = this.#options.misfortunes;
    const wanted = text(spec, 'image', 'visibility');
    if (wanted === text(status, 'image', 'visibility')) return;
    this.#options.server.store.change(
      'ImageRepository',
      name,
      (object) => {
        if (noPrivate === undefined) object.status.image.visibility = wanted;
        else {
          object.spec.image.visibility = object.status.image.visibility;
          object.status.message = noPrivate;
        }
      },
      BY,
    );
  }

  #provision({ metadata: { name } }: Resource, component: string | undefined): void {
    const { organisation = 'acme', repositoryError, registryDown } = this.#options.misfortunes;
    const { store, secretData } = this.#options.server;
    // It tries again for ever, and says so in its log alone.
    if (registryDown === true) return;
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
    for (const secret of [`${name}-image-push`, `${name}-image-pull`, NAMESPACE_PULL]) {
      store.put({ ...KINDS.secret, metadata: { name: secret } });
      secretData.set(`${NAMESPACE}/${secret}`, { '.dockerconfigjson': Buffer.from(PLANTED).toString('base64') });
    }
    store.change(
      'ImageRepository',
      name,
      (object) => {
        const { image } = object.spec;
        const given = String(image.name);
        const place = given.startsWith(`${NAMESPACE}/`) ? given : `${NAMESPACE}/${given}`;
        object.metadata.finalizers = [FINALIZER];
        object.metadata.annotations[PULL_ENSURED] = 'true';
        if (component !== undefined) {
          const { uid } = store.get('Component', component)?.metadata ?? {};
          object.metadata.ownerReferences = [{ ...KINDS.component, name: component, uid }];
        }
        const url = `quay.io/${organisation}/${place}`;
        object.status = { state: 'ready', image: { url, visibility: image.visibility } };
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

  /** What the cluster itself does: what belongs to a component alone goes with it. */
  collectGarbage(owner: string | undefined): void {
    const { store } = this.#options.server;
    for (const repository of store.all('ImageRepository')) {
      const owners = list(repository, 'metadata', 'ownerReferences');
      if (owner !== undefined && owners.some((entry) => text(entry, 'uid') === owner))
        store.delete('ImageRepository', repository.metadata.name);
    }
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
