import { OPTIONAL_KINDS } from '../../targets/cluster/api/resource.ts';
import { after, type ReleaseTrouble } from './misfortunes.ts';
import type { KubeServer } from './server.ts';

type Condition = readonly [type: string, status: 'True' | 'False', reason: string, message?: string];

const PROGRESSING: Condition = ['Released', 'False', 'Progressing'];
const VALID: Condition = ['Validated', 'True', 'Succeeded'];
const COLLECTED: readonly Condition[] = [
  ['TenantCollectorsPipelineProcessed', 'True', 'Skipped'],
  ['ManagedCollectorsPipelineProcessed', 'True', 'Skipped'],
];

/** Konflux' release service, as its controllers/release/adapter.go does it, with a pipeline of the tenant's or a managed one. */
export class ReleaseService {
  readonly #server: KubeServer;
  readonly #trouble: ReleaseTrouble;
  readonly #later: (work: () => void) => void;

  constructor(server: KubeServer, trouble: ReleaseTrouble, later: (work: () => void) => void) {
    this.#server = server;
    this.#trouble = trouble;
    this.#later = later;
  }

  /** Makes a Release, as the integration service does, and carries it out. */
  release(plan: string, snapshot: string): void {
    const name = `${snapshot}-abcde`;
    this.#server.store.put({
      ...OPTIONAL_KINDS.release,
      metadata: {
        name,
        creationTimestamp: new Date().toISOString(),
        labels: { 'release.appstudio.openshift.io/automated': 'true' },
      },
      spec: { releasePlan: plan, snapshot },
    });
    const { invalid, pipeline = 'tenant' } = this.#trouble;
    const type = pipeline === 'tenant' ? 'TenantPipelineProcessed' : 'ManagedPipelineProcessed';
    const run = `${pipeline === 'tenant' ? 'my-tenant' : 'managed'}/${pipeline}-6ccjj`;
    const steps: (() => void)[] = [() => this.#say(name, [PROGRESSING])];
    if (invalid === undefined) {
      const processing = { [`${pipeline}Processing`]: { pipelineRun: run } };
      steps.push(
        () => this.#say(name, [PROGRESSING, VALID, ...COLLECTED, [type, 'False', 'Progressing']], processing),
        () => this.#end(name, type, pipeline, run),
      );
    } else {
      const skipped = ['Tenant', 'Managed', 'Final'].map(
        (each): Condition => [`${each}PipelineProcessed`, 'True', 'Skipped'],
      );
      const why: Condition = ['Validated', 'False', 'Failed', invalid];
      const failed: Condition = ['Released', 'False', 'Failed', 'Release validation failed'];
      steps.push(() => this.#say(name, [failed, why, ...COLLECTED, ...skipped]));
    }
    this.#next(steps);
  }

  #end(name: string, type: string, pipeline: 'tenant' | 'managed', run: string): void {
    const { log, deleted } = this.#trouble;
    if (deleted !== undefined) {
      after(deleted(), () => this.#server.store.delete('Release', name));
      return;
    }
    const processing = { pipelineRun: run };
    if (log === undefined) {
      const good: Condition[] = [['Released', 'True', 'Succeeded'], VALID, ...COLLECTED, [type, 'True', 'Succeeded']];
      this.#say(name, good, { [`${pipeline}Processing`]: processing });
      return;
    }
    const released = `Release processing failed on ${pipeline} pipelineRun`;
    // Of a managed one the Release has no log: the tenant may not see where it ran.
    const said = pipeline === 'tenant' ? `task push-images failed: ${log}` : released;
    const attempt = {
      ...processing,
      status: 'Failed',
      failureReason: 'Error',
      lastTask: 'push-images',
      lastStep: 'push',
    };
    this.#say(name, [['Released', 'False', 'Failed', released], VALID, ...COLLECTED, [type, 'False', 'Failed', said]], {
      [`${pipeline}Processing`]: processing,
      ...(pipeline === 'managed' ? { managedPipelineAttempts: [attempt] } : {}),
    });
  }

  #say(name: string, conditions: readonly Condition[], more: object = {}): void {
    this.#server.store.change('Release', name, (object) => {
      const lastTransitionTime = new Date().toISOString();
      object.status = {
        automated: true,
        ...more,
        conditions: conditions.map(([type, status, reason, message = '']) => ({
          ...{ type, status, reason, message, lastTransitionTime },
        })),
      };
    });
  }

  #next([step, ...rest]: readonly (() => void)[]): void {
    if (step === undefined) return;
    this.#later(() => {
      step();
      this.#next(rest);
    });
  }
}
