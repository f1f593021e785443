import { KINDS, type Resource, text } from '../../targets/cluster/resource.ts';
import { after, type Misfortunes } from './misfortunes.ts';
import type { KubeServer } from './server.ts';

const REQUEST = 'build.appstudio.openshift.io/request';
const STATUS = 'build.appstudio.openshift.io/status';
const FINALIZER = 'pac.component.appstudio.openshift.io/finalizer';

export interface BuildServiceOptions {
  server: KubeServer;
  misfortunes: Misfortunes;
  later: (work: () => void, delay?: number) => void;
  /** A build was asked for. */
  start: (component: string) => void;
}

/** Konflux' build service, as its component_build_controller.go does it. */
export class BuildService {
  readonly #options: BuildServiceOptions;
  /** Requests that were carried out: `component request`. */
  readonly requests: string[] = [];

  constructor(options: BuildServiceOptions) {
    this.#options = options;
  }

  reconcile(name: string): void {
    const { store } = this.#options.server;
    const component = store.get('Component', name);
    if (component === undefined) return;
    if ('deletionTimestamp' in component.metadata) {
      const { mayGo } = this.#options.misfortunes;
      this.#options.later(() => after(mayGo?.(), () => this.#letGo(name)), 0);
      return;
    }
    const account = `build-pipeline-${name}`;
    if (store.get('ServiceAccount', account) === undefined)
      store.put({ ...KINDS.serviceAccount, metadata: { name: account } });
    if (text(component, 'spec', 'containerImage') === undefined) return;
    const { [REQUEST]: request, [STATUS]: status } = component.metadata.annotations ?? {};
    const asked = request ?? (status === undefined ? 'configure-pac' : undefined);
    if (asked === undefined) return;
    // A request that can't be carried out yet stays.
    if (asked === 'trigger-pac-build' && stateOf(component) !== 'enabled') return;
    this.requests.push(`${name} ${asked}`);
    if (asked === 'trigger-pac-build') this.#trigger(name);
    else this.#configure(name);
  }

  #configure(name: string): void {
    const { configureError } = this.#options.misfortunes;
    this.#answer(name, () =>
      configureError === undefined
        ? { state: 'enabled', 'configuration-time': 'Tue, 18 Aug 2026 12:39:27 UTC' }
        : { state: 'error', 'error-id': 74, 'error-message': configureError },
    );
  }

  #trigger(name: string): void {
    const { triggerError, mayStart } = this.#options.misfortunes;
    const refused = triggerError?.component === name ? triggerError.message : undefined;
    // Where it goes well, an error of before stays in the status.
    this.#answer(name, (pac) => (refused === undefined ? pac : { ...pac, 'error-id': 50, 'error-message': refused }));
    if (refused === undefined) after(mayStart?.(name), () => this.#options.later(() => this.#options.start(name), 0));
  }

  /** Takes the request away and writes the status, in one update. */
  #answer(name: string, next: (pac: Record<string, unknown>) => Record<string, unknown>): void {
    this.#options.server.store.change('Component', name, (component) => {
      const { annotations } = component.metadata;
      const pac = next(JSON.parse(annotations[STATUS] ?? '{}').pac ?? {});
      annotations[STATUS] = JSON.stringify({ pac, message: 'done' });
      delete annotations[REQUEST];
      if (pac['error-id'] === undefined) component.metadata.finalizers = [FINALIZER];
    });
  }

  #letGo(name: string): void {
    const { store } = this.#options.server;
    if (store.get('Component', name) === undefined) return;
    store.change('Component', name, ({ metadata }) => {
      delete metadata.finalizers;
    });
  }
}

function stateOf(component: Resource): unknown {
  return JSON.parse(component.metadata.annotations?.[STATUS] ?? '{}').pac?.state;
}
