import { TEKTON } from '@multi-image/kit/tekton';
import { KINDS, list, type Resource, text } from '../../targets/cluster/api/resource.ts';
import { RUN_LABELS } from '../../targets/cluster/tekton/pipeline-runs.ts';
import type { PublishedChain } from '../tenant-chain.ts';
import { after } from './misfortunes.ts';
import { condition, endedTask, resultsOf } from './objects.ts';
import type { KubeServer } from './server.ts';

/** Where a test lets something go otherwise than well. */
export interface TektonMisfortunes {
  /** This task of a run fails, with this log. */
  failingTask?: { task: string; log: string };
  /** No node has room for this task's pod until then. */
  noRoom?: { task: string; until: () => Promise<unknown> } | undefined;
  /** What Chains writes on the runs; nothing where there is no Chains. */
  chains?: string;
  /** Milliseconds between steps. */
  pace?: number;
}

/**
 * Tekton's controllers as far as a run sees them: every task of a PipelineRun ends after a moment, with the results that
 * it had when the chain was published.
 */
export class SimulatedTekton {
  readonly #server: KubeServer;
  readonly #chain: PublishedChain;
  readonly #revision: string;
  readonly #misfortunes: TektonMisfortunes;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #unlisten: () => void;

  constructor(server: KubeServer, chain: PublishedChain, revision: string, misfortunes: TektonMisfortunes = {}) {
    this.#server = server;
    this.#chain = chain;
    this.#revision = revision;
    this.#misfortunes = misfortunes;
    this.#unlisten = server.store.onEvent(({ type, object }) => {
      if (type === 'ADDED' && object.kind === 'PipelineRun') this.#later(() => this.#begin(object));
    });
  }

  stop(): void {
    this.#unlisten();
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #later(work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, this.#misfortunes.pace ?? 5);
    this.#timers.add(timer);
  }

  #begin(run: Resource): void {
    const tasks = list(run, 'spec', 'pipelineSpec', 'tasks').map((task) => text(task, 'name') ?? '');
    this.#server.store.change('PipelineRun', run.metadata.name, (object) => {
      object.status = { startTime: now(), conditions: condition('Unknown', 'Running') };
    });
    this.#next(run, tasks);
  }

  #next(run: Resource, [task, ...rest]: readonly string[]): void {
    if (task === undefined) {
      this.#end(run, true);
      return;
    }
    const { failingTask, noRoom } = this.#misfortunes;
    if (noRoom?.task === task) {
      this.#wait(run, task);
      after(noRoom.until(), () => {
        this.#misfortunes.noRoom = undefined;
        this.#later(() => this.#next(run, [task, ...rest]));
      });
      return;
    }
    const log = failingTask?.task === task ? failingTask.log : undefined;
    const name = `${run.metadata.name}-${task}`;
    if (log !== undefined) this.#server.logs.set(`${name}-pod/step-build`, log);
    const failure = log === undefined ? undefined : { component: '', task, log };
    this.#put(run, task, endedTask(resultsOf(this.#chain, this.#revision, task), failure));
    this.#later(() => (failure === undefined ? this.#next(run, rest) : this.#end(run, false)));
  }

  #wait(run: Resource, task: string): void {
    const message = 'pod status "PodScheduled":"False"; message: "0/1 nodes are available: 1 Insufficient memory."';
    this.#put(run, task, { conditions: condition('Unknown', 'Pending', message) });
  }

  #put(run: Resource, task: string, status: object): void {
    const name = `${run.metadata.name}-${task}`;
    const labels = { ...run.metadata.labels, [TEKTON.pipelineRun]: run.metadata.name, [TEKTON.pipelineTask]: task };
    this.#server.store.put({
      ...KINDS.taskRun,
      metadata: { name, labels },
      status: { podName: `${name}-pod`, startTime: now(), ...status },
    });
  }

  #end(run: Resource, good: boolean): void {
    const { name, labels = {} } = run.metadata;
    const last = labels[RUN_LABELS.component] === 'app' ? 'label-image-1' : 'extract-image-2';
    const results = Object.entries(resultsOf(this.#chain, this.#revision, last));
    this.#server.store.change('PipelineRun', name, (object) => {
      object.status = {
        ...object.status,
        completionTime: now(),
        ...(good ? { results: results.map(([key, value]) => ({ name: key, value })) } : {}),
        conditions: good
          ? condition('True', 'Succeeded')
          : condition('False', 'Failed', 'Tasks Completed: 1 (Failed: 1)'),
      };
    });
    const { chains } = this.#misfortunes;
    if (!good || chains === undefined) return;
    this.#later(() =>
      this.#server.store.change('PipelineRun', name, (object) => {
        object.metadata.annotations = { ...object.metadata.annotations, [TEKTON.signed]: chains };
      }),
    );
  }
}

function now(): string {
  return new Date().toISOString();
}
