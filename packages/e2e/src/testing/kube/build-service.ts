import { KINDS, type Resource, text } from '../../targets/cluster/api/resource.ts';
import { after, type Misfortunes } from './misfortunes.ts';
import type { KubeServer } from './server.ts';
import type { Writable } from './store.ts';

const REQUEST = 'build.appstudio.openshift.io/request';
const STATUS = 'build.appstudio.openshift.io/status';
const FINALIZER = 'pac.component.appstudio.openshift.io/finalizer';

const WAITING =
  'waiting for spec.containerImage to be set by ImageRepository with annotation image-controller.appstudio.redhat.com/update-component-image';

type Pac = Record<string, unknown>;
/** What its annotation says. */
type Said = { pac?: Pac; message?: string };

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
    if (text(component, 'spec', 'containerImage') === undefined) {
      this.#say(name, (said) => ({ ...said, message: WAITING }));
      return;
    }
    const { [REQUEST]: request, [STATUS]: status } = component.metadata.annotations ?? {};
    const isNew = stateOf(component) === undefined && (messageOf(status) ?? WAITING) === WAITING;
    const asked = request ?? (isNew ? 'configure-pac' : undefined);
    if (asked === undefined) return;
    // A request that can't be carried out yet stays.
    if (asked === 'trigger-pac-build' && stateOf(component) !== 'enabled') return;
    this.requests.push(`${name} ${asked}`);
    if (asked === 'trigger-pac-build') this.#trigger(name);
    else this.#configure(name);
  }

  #configure(name: string): void {
    const { configureError } = this.#options.misfortunes;
    const pac: Pac =
      configureError === undefined
        ? { state: 'enabled', 'configuration-time': 'Tue, 18 Aug 2026 12:39:27 UTC' }
        : { state: 'error', 'error-id': 74, 'error-message': configureError };
    this.#answer(name, () => ({ pac, message: 'done' }));
  }

  #trigger(name: string): void {
    const { triggerError, mayStart, noIncoming } = this.#options.misfortunes;
    // It tries again for ever, and the request stays.
    if (noIncoming === true) return;
    const { message, isOfPipeline = false } = triggerError?.component === name ? triggerError : {};
    // Where it goes well, what was said before stays in the status.
    this.#answer(name, ({ pac, ...said }) => {
      if (message === undefined) return { pac, ...said };
      // What is wrong with the build pipeline, it says of no method of building.
      if (isOfPipeline) return { pac, message };
      return { pac: { ...pac, 'error-id': 50, 'error-message': message }, ...said };
    });
    if (message === undefined) after(mayStart?.(name), () => this.#options.later(() => this.#options.start(name), 0));
  }

  /** Takes the request away and writes the status, in one update. */
  #answer(name: string, next: (said: Said) => Said): void {
    this.#say(name, next, (metadata, { pac }) => {
      delete metadata.annotations[REQUEST];
      if (pac?.state === 'enabled' && pac['error-id'] === undefined) metadata.finalizers = [FINALIZER];
    });
  }

  #say(
    name: string,
    next: (said: Said) => Said,
    more: (metadata: Writable['metadata'], said: Said) => void = () => {},
  ) {
    this.#options.server.store.change('Component', name, ({ metadata }) => {
      const said = next(JSON.parse(metadata.annotations[STATUS] ?? '{}'));
      metadata.annotations[STATUS] = JSON.stringify(said);
      more(metadata, said);
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

function messageOf(status: string | undefined): unknown {
  return JSON.parse(status ?? '{}').message;
}

function stateOf(component: Resource): unknown {
  return JSON.parse(component.metadata.annotations?.[STATUS] ?? '{}').pac?.state;
}
