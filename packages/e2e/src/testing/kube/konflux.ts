import { KINDS } from '../../targets/cluster/api/resource.ts';
import type { PublishedChain } from '../tenant-chain.ts';
import { BuildService } from './build-service.ts';
import { ImageController } from './image-controller.ts';
import { after, type Misfortunes } from './misfortunes.ts';
import { APPLICATION, condition, endedTask, pipelineRun, resultsOf, snapshot } from './objects.ts';
import { ReleaseService } from './release-service.ts';
import type { KubeServer } from './server.ts';
import type { Writable } from './store.ts';

export { PLANTED } from './image-controller.ts';
export type { Misfortunes } from './misfortunes.ts';

/** The scenario that is required of every Snapshot, and the one that makes the chain's. */
export const SCENARIO = 'verify-app';
const MAKER = 'release-app';

/** The controllers of a Konflux tenant, as far as a run sees them: objects are as they write them. */
export class KonfluxControllers {
  readonly #server: KubeServer;
  readonly #chain: PublishedChain;
  readonly #revision: string;
  readonly #misfortunes: Misfortunes;
  readonly #makeChain: () => Promise<unknown>;
  readonly #stop: () => void;
  readonly #timers = new Set<NodeJS.Timeout>();
  #stopped = false;
  readonly #builds: BuildService;
  readonly #releases: ReleaseService;

  /** @param makeChain What the scenario runs that makes the chain's Snapshot. */
  constructor(
    server: KubeServer,
    chain: PublishedChain,
    revision: string,
    misfortunes: Misfortunes = {},
    makeChain: () => Promise<unknown> = async () => {},
  ) {
    this.#makeChain = makeChain;
    this.#server = server;
    this.#chain = chain;
    this.#revision = revision;
    this.#misfortunes = misfortunes;
    const later = (work: () => void, delay?: number): void => this.#later(work, delay);
    this.#builds = new BuildService({ server, misfortunes, later, start: (component) => this.#start(component) });
    this.#releases = new ReleaseService(server, misfortunes.release ?? {}, later);
    const images = new ImageController({ server, misfortunes, later });
    this.#stop = server.store.onEvent(({ type, object: { kind, metadata } }) => {
      if (type !== 'DELETED' && kind === 'Component') later(() => this.#builds.reconcile(metadata.name));
      if (type === 'DELETED' && kind === 'Component') later(() => images.collectGarbage(metadata.uid));
      if (/^(?:Component|ImageRepository|ServiceAccount)$/.test(kind)) later(() => images.reconcileAll());
    });
  }

  /** Requests that were carried out: `component request`. */
  get requests(): readonly string[] {
    return this.#builds.requests;
  }

  stop(): void {
    this.#stopped = true;
    this.#stop();
    for (const timer of this.#timers) clearTimeout(timer);
  }

  /** A push to the branch: both runs start. */
  push(): void {
    for (const component of ['app', 'scanner']) this.#start(component);
  }

  #later(work: () => void, delay: number = this.#misfortunes.pace ?? 5): void {
    if (this.#stopped) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, delay);
    this.#timers.add(timer);
  }

  #start(component: string): void {
    const name = `${component}-on-push-${Math.random().toString(36).slice(2, 7)}`;
    this.#server.store.put(pipelineRun(name, component, this.#revision));
    const tasks =
      component === 'app'
        ? ['clone-repository', 'build-image-1', 'build-image-2', 'label-image-1', 'clair-scan', 'apply-tags']
        : ['clone-repository', 'extract-image-2', 'clair-scan'];
    const { runReason, long } = this.#misfortunes;
    for (let index = 1; index <= (long?.tasks ?? 0); index++) tasks.splice(-1, 0, `check-${index}`);
    const isEarly = runReason?.component === component && runReason.early === true;
    this.#later(() => (isEarly ? this.#end(name, component, false, '') : this.#runTasks(name, component, tasks)));
  }

  #runTasks(run: string, component: string, [task, ...rest]: readonly string[]): void {
    const { store } = this.#server;
    const { onStep } = this.#misfortunes;
    if (task === undefined) {
      this.#end(run, component, true, '');
      return;
    }
    const name = `${run}-${task}`;
    const labels = {
      ...store.get('PipelineRun', run)?.metadata.labels,
      'tekton.dev/pipelineRun': run,
      'tekton.dev/pipelineTask': task,
    };
    store.put({
      ...KINDS.taskRun,
      metadata: { name, labels },
      status: { podName: `${name}-pod`, startTime: now(), conditions: condition('Unknown', 'Running') },
    });
    after(onStep?.(component, task), () => this.#runTask(run, component, [task, ...rest]));
  }

  #runTask(run: string, component: string, [task = '', ...rest]: readonly string[]): void {
    const { store } = this.#server;
    const name = `${run}-${task}`;
    const { retriedTask, failingTask } = this.#misfortunes;
    const isRetried = retriedTask?.component === component && retriedTask.task === task;
    for (let attempt = 1; isRetried && attempt <= retriedTask.times; attempt++) this.#retry(name, attempt);
    const { changes = 0, size = 0 } = this.#misfortunes.long ?? {};
    const pace = this.#misfortunes.pace ?? 5;
    for (let at = 1; at <= changes; at++) {
      this.#later(() => {
        store.change('TaskRun', name, (object) => {
          object.status.taskSpec = { description: `${at} `.padEnd(size, 'x') };
        });
      }, at * pace);
    }
    this.#later(
      () => {
        const fails = failingTask?.component === component && failingTask.task === task ? failingTask : undefined;
        if (fails?.log !== undefined) this.#server.logs.set(`${name}-pod/step-build`, fails.log);
        store.change('TaskRun', name, (object) => {
          object.status = { ...object.status, ...endedTask(resultsOf(this.#chain, this.#revision, task), fails) };
        });
        if (fails === undefined) this.#runTasks(run, component, rest);
        else
          this.#end(
            run,
            component,
            false,
            `Tasks Completed: 2 (Failed: 1, Cancelled 0), Skipped: ${rest.length}`,
            rest,
          );
      },
      (changes + 1) * pace,
    );
  }

  /** One attempt failed: it becomes history, and the TaskRun begins anew with another pod. */
  #retry(name: string, attempt: number): void {
    this.#server.store.change('TaskRun', name, (object) => {
      const { retriesStatus = [], ...failed } = object.status;
      const end = endedTask({}, { component: '', task: '', log: '' });
      object.status = {
        retriesStatus: [...retriesStatus, { ...failed, ...end }],
        podName: `${name}-pod-retry${attempt}`,
        startTime: failed.startTime,
        conditions: condition('Unknown', 'ToBeRetried', '"step-build" exited with code 1'),
      };
    });
  }

  #end(run: string, component: string, good: boolean, message: string, skipped: readonly string[] = []): void {
    const { runReason, chains } = this.#misfortunes;
    const reason = runReason?.component === component ? runReason.reason : undefined;
    const succeeded = good && reason === undefined;
    this.#server.store.change('PipelineRun', run, (object) => {
      const results = resultsOf(this.#chain, this.#revision, component === 'app' ? 'label-image-1' : 'extract-image-2');
      object.status = {
        ...object.status,
        completionTime: now(),
        skippedTasks: skipped.map((name) => ({ name, reason: 'PipelineRun was stopping' })),
        ...(succeeded ? { results: Object.entries(results).map(([name, value]) => ({ name, value })) } : {}),
        conditions: condition(
          succeeded ? 'True' : 'False',
          reason ?? (good ? 'Succeeded' : 'Failed'),
          runReason?.message ?? message,
        ),
      };
    });
    if (this.#misfortunes.pruned === component) {
      this.#prune(run, component);
      return;
    }
    if (!succeeded || chains === 'silent') return;
    this.#later(() => {
      if (this.#server.store.get('PipelineRun', run) !== undefined)
        this.#server.store.change('PipelineRun', run, (object) => {
          object.metadata.annotations['chains.tekton.dev/signed'] = chains ?? 'true';
        });
      if (!this.#misfortunes.noSnapshot) this.#later(() => this.#snapshot(run, component));
    });
  }

  /** Chains is done by then; between the end and this nobody may have looked. */
  #prune(run: string, component: string): void {
    const { store } = this.#server;
    store.change('PipelineRun', run, (object) => {
      object.metadata.annotations['chains.tekton.dev/signed'] = this.#misfortunes.chains ?? 'true';
    });
    const tasks = store.all('TaskRun').filter(({ metadata }) => metadata.name.startsWith(`${run}-`));
    for (const { metadata } of tasks) store.delete('TaskRun', metadata.name);
    store.delete('PipelineRun', run);
    if (!this.#misfortunes.noSnapshot) this.#later(() => this.#snapshot(run, component));
  }

  #snapshot(run: string, component: string): void {
    const { image1, image2, sealed, metadata } = this.#chain;
    const old = `${image2}@sha256:${'0'.repeat(64)}`;
    // The builder's Snapshot has the other image of the build before.
    const second = component === 'app' ? old : (this.#misfortunes.snapshotImage ?? `${image2}@${metadata}`);
    const name = `${APPLICATION}-${run.slice(-5)}`;
    const images = { app: `${image1}@${sealed}`, scanner: second };
    this.#server.store.put(snapshot(name, component, run, images, this.#revision));
    this.#test(name);
    this.#later(() => void this.#release(name));
  }

  /** The optional scenario, which makes the chain's Snapshot once there is one of every component. */
  async #release(own: string): Promise<void> {
    const { store } = this.#server;
    const { maker } = this.#misfortunes;
    const made = maker === undefined ? this.#makeChain() : Promise.reject(maker);
    const status = await made.then(
      () => 'TestPassed',
      () => maker ?? 'TestFail',
    );
    if (this.#stopped) return;
    store.change('Snapshot', own, sayTest(MAKER, status));
    for (const { metadata } of store.all('Snapshot')) {
      const isTested = metadata.annotations?.['test.appstudio.openshift.io/status'] !== undefined;
      if (metadata.labels?.['test.appstudio.openshift.io/type'] === undefined && !isTested) this.#test(metadata.name);
    }
  }

  /** The required scenario, and then the Releases of what is not held back. */
  #test(name: string): void {
    const { store } = this.#server;
    const { test = 'TestPassed' } = this.#misfortunes;
    store.change('Snapshot', name, sayTest(SCENARIO, 'InProgress'));
    this.#later(() => {
      if (this.#misfortunes.atOnce) {
        store.change('Snapshot', name, (object) => {
          object.status = {
            conditions: [
              { type: 'AppStudioIntegrationStatus', status: 'True', reason: 'Finished', message: 'all completed' },
              { type: 'AppStudioTestSucceeded', status: 'False', reason: 'Failed', message: 'Some tests failed' },
            ],
          };
        });
      }
      const { labels } = store.change('Snapshot', name, sayTest(SCENARIO, test)).metadata;
      const isHeld = labels?.[AUTO_RELEASE] === 'false';
      if (test !== 'TestPassed' || isHeld) return;
      this.#autoRelease(name);
    });
  }

  /** By every plan whose expression says so, which is true or false here, or else its label; then it says that it did. */
  #autoRelease(snapshot: string): void {
    const { store } = this.#server;
    const { brokenPlan, notReleased } = this.#misfortunes;
    const say = (type: string, status: string, reason: string, message: string): void =>
      this.#later(() =>
        store.change('Snapshot', snapshot, (object) => {
          object.status = { conditions: [{ type, status, reason, message, lastTransitionTime: now() }] };
        }),
      );
    if (brokenPlan !== undefined) {
      say('AppStudioIntegrationStatus', 'False', 'ErrorOccured', brokenPlan);
      return;
    }
    for (const { metadata } of notReleased === undefined ? store.all('ReleasePlan') : []) {
      const says = metadata.annotations?.[AUTO_RELEASE] ?? metadata.labels?.[AUTO_RELEASE];
      if (says !== 'false') this.#releases.release(metadata.name, snapshot);
    }
    say('AutoReleased', 'True', 'AutoReleased', notReleased ?? 'The Snapshot was auto-released');
  }
}

/** What the service writes of a scenario, beside what it wrote of others. */
function sayTest(scenario: string, status: string): (object: Writable) => void {
  return (object) => {
    const { annotations } = object.metadata;
    const others = JSON.parse(annotations[STATUS] ?? '[]') as { scenario: string }[];
    const said = {
      scenario,
      status,
      startTime: now(),
      lastUpdateTime: now(),
      details: `Integration test for scenario ${scenario}: ${status}`,
    };
    annotations[STATUS] = JSON.stringify([...others.filter((each) => each.scenario !== scenario), said]);
  };
}

const STATUS = 'test.appstudio.openshift.io/status';
const AUTO_RELEASE = 'release.appstudio.openshift.io/auto-release';

function now(): string {
  return new Date().toISOString();
}
