import { KINDS, list, NAMES, type Resource, text } from '../cluster/resource.ts';
import { RUN_LABELS } from '../tekton/embed.ts';
import type { KubeServer } from './kube-server.ts';
import type { PublishedChain } from './tenant-chain.ts';

/** Where a test lets something go otherwise than well. */
export interface TektonMisfortunes {
  /** This task of a run fails, with this log. */
  failingTask?: { task: string; log: string };
  /** No node has room for this task's pod. */
  noRoom?: { task: string; forever: boolean } | undefined;
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
      object.status = { startTime: now(), conditions: [condition('Unknown', 'Running')] };
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
      if (noRoom.forever) return;
      this.#misfortunes.noRoom = undefined;
      this.#later(() => this.#next(run, [task, ...rest]));
      return;
    }
    const fails = failingTask?.task === task;
    const name = `${run.metadata.name}-${task}`;
    if (fails) this.#server.logs.set(`${name}-pod/step-build`, failingTask.log);
    const steps = [{ name: 'build', container: 'step-build', terminated: { exitCode: fails ? 1 : 0 } }];
    const results = Object.entries(fails ? {} : this.#resultsOf(task)).map(([key, value]) => ({ name: key, value }));
    this.#server.store.put({
      ...KINDS.taskRun,
      metadata: {
        name,
        labels: { ...run.metadata.labels, [NAMES.pipelineRun]: run.metadata.name, [NAMES.pipelineTask]: task },
      },
      status: {
        podName: `${name}-pod`,
        startTime: now(),
        completionTime: now(),
        steps,
        results,
        conditions: [
          fails ? condition('False', 'Failed', '"step-build" exited with code 1') : condition('True', 'Succeeded'),
        ],
      },
    });
    this.#later(() => (fails ? this.#end(run, false) : this.#next(run, rest)));
  }

  #wait(run: Resource, task: string): void {
    const name = `${run.metadata.name}-${task}`;
    const labels = { ...run.metadata.labels, [NAMES.pipelineRun]: run.metadata.name, [NAMES.pipelineTask]: task };
    const message = 'pod status "PodScheduled":"False"; message: "0/1 nodes are available: 1 Insufficient memory."';
    const status = { podName: `${name}-pod`, startTime: now(), conditions: [condition('Unknown', 'Pending', message)] };
    this.#server.store.put({ ...KINDS.taskRun, metadata: { name, labels }, status });
  }

  #end(run: Resource, good: boolean): void {
    const { name, labels = {} } = run.metadata;
    const last = labels[RUN_LABELS.component] === 'app' ? 'label-image-1' : 'extract-image-2';
    const results = Object.entries(this.#resultsOf(last)).map(([key, value]) => ({ name: key, value }));
    this.#server.store.change('PipelineRun', name, (object) => {
      object.status = {
        ...object.status,
        completionTime: now(),
        ...(good ? { results } : {}),
        conditions: [
          good ? condition('True', 'Succeeded') : condition('False', 'Failed', 'Tasks Completed: 1 (Failed: 1)'),
        ],
      };
    });
    const { chains } = this.#misfortunes;
    if (!good || chains === undefined) return;
    this.#later(() =>
      this.#server.store.change('PipelineRun', name, (object) => {
        object.metadata.annotations = { ...object.metadata.annotations, [NAMES.signed]: chains };
      }),
    );
  }

  #resultsOf(task: string): Record<string, string> {
    return taskResults(this.#chain, this.#revision, task);
  }
}

/** What a task put out when the chain was published. */
export function taskResults(chain: PublishedChain, revision: string, task: string): Record<string, string> {
  const { origin, sealed, metadata, image1, image2 } = chain;
  const results: Record<string, Record<string, string>> = {
    'build-image-1': { IMAGE_URL: `${image1}:${revision}-unsealed`, IMAGE_DIGEST: origin },
    'build-image-2': { IMAGE_URL: `${image2}:${revision}`, IMAGE_DIGEST: metadata },
    'label-image-1': { IMAGE_URL: `${image1}:${revision}`, IMAGE_DIGEST: sealed },
    'extract-image-2': { IMAGE_URL: `${image2}:${revision}`, IMAGE_DIGEST: metadata },
    'clair-scan': { TEST_OUTPUT: JSON.stringify({ result: 'SUCCESS', note: '' }) },
  };
  return results[task] ?? {};
}

function condition(status: string, reason: string, message = ''): object {
  return { type: 'Succeeded', status, reason, message };
}

function now(): string {
  return new Date().toISOString();
}
