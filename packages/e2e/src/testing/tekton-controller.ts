import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TEKTON } from '@multi-image/kit/tekton';
import { type Containers, type RunOptions, runPipeline } from '@multi-image/tekton-local';
import type { Resource } from '../targets/cluster/api/resource.ts';
import { trustedArtifacts } from '../targets/local/trusted-artifacts.ts';
import type { KubeServer } from './kube/server.ts';

export interface ControllerOptions extends Pick<RunOptions, 'images'> {
  /** For the runs' own files. */
  folder: string;
  containers?: Containers;
  /** Sign as Tekton Chains does, with this key (PEM). */
  chainsKey?: string;
}

/**
 * The controllers of a cluster with Tekton: every PipelineRun that is made is really executed on this machine, and its
 * status and its TaskRuns are written as Tekton writes them.
 */
export class TektonController {
  readonly #server: KubeServer;
  readonly #options: ControllerOptions;
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #unlisten: () => void;

  constructor(server: KubeServer, options: ControllerOptions) {
    this.#server = server;
    this.#options = options;
    this.#unlisten = server.store.onEvent(({ type, object }) => {
      if (type !== 'ADDED' || object.kind !== 'PipelineRun') return;
      const running = this.#run(object).finally(() => this.#running.delete(running));
      this.#running.add(running);
    });
  }

  /** Ends what is running. */
  async stop(): Promise<void> {
    this.#unlisten();
    this.#stop.abort();
    await Promise.allSettled(this.#running);
  }

  async #run(object: Resource): Promise<void> {
    const { name } = object.metadata;
    const { folder, containers, chainsKey, ...options } = this.#options;
    const root = join(folder, name);
    await mkdir(root, { recursive: true });
    const {
      uid: _,
      resourceVersion: __,
      creationTimestamp: ___,
      managedFields: ____,
      ...metadata
    } = object.metadata as Resource['metadata'] & { managedFields?: unknown };
    await writeFile(join(root, 'run.yaml'), JSON.stringify({ ...object, metadata }));
    const statusFile = join(folder, `${name}.json`);
    const sync = (): Promise<void> => this.#sync(name, statusFile, join(folder, `${name}-logs`));
    const timer = setInterval(() => void sync(), 250);
    try {
      const outcome = await runPipeline({
        ...options,
        programs: trustedArtifacts(),
        ...(containers === undefined ? {} : { containers }),
        root,
        file: 'run.yaml',
        variables: { revision: '0'.repeat(40) },
        containerPrefix: 'e2e-tekton',
        workDir: folder,
        statusFile,
        logs: join(folder, `${name}-logs`),
        ...(chainsKey === undefined
          ? {}
          : { chains: { privateKey: chainsKey, builderId: 'https://tekton.dev/chains/v2' } }),
        signal: this.#stop.signal,
      });
      await sync();
      if (chainsKey !== undefined && outcome.status === 'Succeeded' && !this.#stop.signal.aborted) {
        const signed = outcome.chains === undefined ? 'failed' : 'true';
        this.#server.store.change('PipelineRun', name, (run) => {
          run.metadata.annotations = { ...run.metadata.annotations, [TEKTON.signed]: signed };
        });
      }
    } catch (error) {
      // What the validation of a real controller says: the run fails before any task.
      this.#server.store.change('PipelineRun', name, (run) => {
        const message = error instanceof Error ? `${error.message} ${JSON.stringify(error)}` : String(error);
        run.status = {
          startTime: new Date().toISOString(),
          completionTime: new Date().toISOString(),
          conditions: [{ type: 'Succeeded', status: 'False', reason: 'PipelineValidationFailed', message }],
        };
      });
    } finally {
      clearInterval(timer);
    }
  }

  /** Writes what has changed since the last time. */
  async #sync(run: string, statusFile: string, logs: string): Promise<void> {
    const raw = await readFile(statusFile, 'utf8').catch(() => undefined);
    if (raw === undefined) return;
    const { store } = this.#server;
    // On this machine a run gets an ending of its own, as with generateName.
    const given: string = JSON.parse(raw).items[0].metadata.name;
    const { items }: { items: (Resource & { spec: unknown; status: Status })[] } = JSON.parse(
      raw.replaceAll(given, run),
    );
    for (const { kind, metadata, spec, status } of items) {
      const { name } = metadata;
      const there = store.get(kind, name);
      const podName = `${name}-pod`;
      const next = kind === 'TaskRun' ? { ...status, podName } : status;
      if (kind === 'TaskRun') await this.#keepLogs(logs, metadata.labels?.[TEKTON.pipelineTask] ?? '', podName, status);
      if (there === undefined) {
        if (kind === 'TaskRun') store.put({ apiVersion: 'tekton.dev/v1', kind, metadata, spec, status: next });
      } else if (JSON.stringify(there.status) !== JSON.stringify(next)) {
        store.change(kind, name, (object) => {
          if (kind === 'TaskRun') object.spec = spec;
          object.status = next;
        });
      }
    }
  }

  async #keepLogs(logs: string, task: string, pod: string, { steps = [] }: Status): Promise<void> {
    for (const { name, container, terminated } of steps) {
      if (terminated === undefined) continue;
      const log = await readFile(join(logs, task, `step-${name}.log`), 'utf8').catch(() => undefined);
      if (log !== undefined) this.#server.logs.set(`${pod}/${container}`, log);
    }
  }
}

interface Status {
  steps?: { name: string; container: string; terminated?: unknown }[];
}
