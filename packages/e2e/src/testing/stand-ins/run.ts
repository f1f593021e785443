import { execFileSync, spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPins } from '@multi-image/manifests';
import { type PipelineRunOutcome, type RunEvent, runPipeline, type TaskOutcome } from '@multi-image/tekton-local';
import { hasCommand } from '@multi-image/testing/command';
import { buildLocalTaskRunner, lackingForTaskRunner } from '@multi-image/testing/local-task-runner';
import { startTestRegistry } from '@multi-image/testing/registry';
import { makeRepository } from '@multi-image/testing/source';
import { type LocalTasksOptions, localTasks } from '../../targets/local/tasks.ts';
import { trustedArtifacts } from '../../targets/local/trusted-artifacts.ts';
import { readStandIn } from '../../targets/stand-ins.ts';
import { findGitDaemon, serveGit } from '../git-server.ts';
import { RETRY_PAUSES } from './run-task.ts';

/** A task of the pipeline: what stands in for which task of the catalog, called with what. */
export interface StandInCall {
  readonly name: string;
  readonly task: string;
  readonly params: Readonly<Record<string, string | readonly string[]>>;
  readonly runAfter?: readonly string[];
}

/** A registry with a base image in it, a git server, and a way to run stand-ins in containers against them. */
export interface StandInBench {
  /** `127.0.0.1:<port>` */
  readonly host: string;
  /** The base image, with its digest. */
  readonly base: string;
  /** Serves these files in one commit, dated 1700000000. */
  serve(files: Readonly<Record<string, string>>): Promise<{ url: string; commit: string }>;
  /**
   * Runs the tasks as one pipeline; `log` is what all steps said. In containers, or on this machine as a local run does.
   */
  run(
    name: string,
    calls: readonly StandInCall[],
    options?: { host?: Partial<LocalTasksOptions>; signal?: AbortSignal; onEvent?: (event: RunEvent) => void },
  ): Promise<PipelineRunOutcome & { log: string; notes: string[] }>;
  /** What skopeo says of an image. */
  skopeo(...args: readonly string[]): string;
  stop(): Promise<void>;
}

/** Names what this machine lacks for {@link makeStandInBench}. */
export function lackingForStandIns(): string[] {
  const programs = ['podman', 'docker-registry'].filter((name) => !hasCommand(name));
  const files = hasCommand(BUSYBOX) ? [] : ['busybox-static'];
  return [...lackingForTaskRunner(), ...programs, ...files, ...(findGitDaemon() === undefined ? ['git-daemon'] : [])];
}

const BUSYBOX = '/bin/busybox';

/**
 * Makes the bench. Steps run in an image of this machine's programs, or in the one that `TASK_RUNNER_IMAGE` names, which
 * has to be on this machine: the real one, where it can be pulled.
 */
export async function makeStandInBench(): Promise<StandInBench> {
  const folder = await mkdtemp(join(tmpdir(), 'stand-ins-test-'));
  const pins = readPins();
  const given = process.env.TASK_RUNNER_IMAGE;
  const making = given === undefined ? buildLocalTaskRunner() : { image: given };
  const [registry, runner] = await Promise.all([startTestRegistry(), making]);
  const stops: (() => unknown)[] = [() => registry.stop(), () => rm(folder, { recursive: true, force: true })];
  if ('missing' in runner) throw new Error(runner.missing);
  const skopeo = (...args: readonly string[]): string =>
    execFileSync('skopeo', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const base = await pushBase(folder, `${registry.host}/base:1`, skopeo);
  return {
    host: registry.host,
    base,
    skopeo,
    async serve(files) {
      const repository = makeRepository(files);
      const server = await serveGit(findGitDaemon() ?? '', repository.folder);
      stops.push(async () => {
        await server.stop();
        await rm(repository.folder, { recursive: true, force: true });
      });
      return { url: server.url, commit: repository.commit };
    },
    async run(name, calls, { host, ...options } = {}) {
      const tasks = await Promise.all(
        calls.map(async ({ task, params, ...call }) => ({
          ...call,
          ...(host !== undefined ? bundled(task) : { taskSpec: reachPlainly(readStandIn(task, pins, 'cluster')) }),
          params: Object.entries(params).map(([key, value]) => ({ name: key, value })),
        })),
      );
      const run = {
        apiVersion: 'tekton.dev/v1',
        kind: 'PipelineRun',
        metadata: { name },
        spec: { pipelineSpec: { tasks } },
      };
      await writeFile(join(folder, `${name}.yaml`), JSON.stringify(run));
      const lines: string[] = [];
      const notes: string[] = [];
      const local = host && (await localTasks({ fetchFrom: '', images: {}, retryPauses: RETRY_PAUSES, ...host }));
      const outcome = await runPipeline({
        root: folder,
        file: `${name}.yaml`,
        images: { [pins.images['task-runner']]: runner.image },
        containerPrefix: 'stand-ins-test',
        workDir: join(folder, 'work'),
        programs: trustedArtifacts(),
        ...local,
        ...options,
        onEvent: (event: RunEvent) => {
          if (event.type === 'log') lines.push(`${event.task}: ${event.line}`);
          if (event.type === 'note') notes.push(event.message);
          options.onEvent?.(event);
        },
      });
      return { ...outcome, log: lines.join('\n'), notes };
    },
    async stop() {
      // On this machine a build keeps its base.
      spawnSync('buildah', ['rmi', '--force', base]);
      for (const stop of stops.reverse()) await stop();
    },
  };
}

/** Fails unless the task succeeded. */
export function resultsOf(outcome: PipelineRunOutcome & { log: string }, name: string): Record<string, string> {
  const task: TaskOutcome | undefined = outcome.tasks.find((candidate) => candidate.name === name);
  if (task?.status !== 'Succeeded') throw new Error(`${name}: ${task?.status} ${task?.message}\n${outcome.log}`);
  return task.results as Record<string, string>;
}

/** An image with a shell, for this machine. */
async function pushBase(folder: string, name: string, skopeo: (...args: string[]) => string): Promise<string> {
  const context = join(folder, 'base');
  await mkdir(context);
  await copyFile(BUSYBOX, join(context, 'busybox'));
  // No two benches have one image: of names that come and go on it at the same time some get lost.
  await writeFile(join(context, 'bench'), `${process.pid}`);
  const lines = [
    'FROM scratch',
    'COPY bench /',
    'COPY busybox /bin/busybox',
    'RUN ["/bin/busybox", "--install", "-s", "/bin"]',
  ];
  await writeFile(join(context, 'Containerfile'), [...lines, 'LABEL of-base=yes', 'ENV PATH=/bin', ''].join('\n'));
  const fixed = ['--quiet', '--isolation=chroot', '--timestamp=0', '--identity-label=false'];
  const image = `localhost/stand-ins-test/base:${process.pid}`;
  execFileSync('buildah', ['bud', ...fixed, `--tag=${image}`, context], { stdio: 'pipe' });
  try {
    execFileSync('buildah', ['push', '--quiet', '--tls-verify=false', image, `docker://${name}`], { stdio: 'pipe' });
  } finally {
    execFileSync('buildah', ['rmi', image], { stdio: 'pipe' });
  }
  const digest = skopeo('inspect', '--tls-verify=false', '--format={{.Digest}}', `docker://${name}`).trim();
  return `${name}@${digest}`;
}

function bundled(task: string): object {
  const params = { kind: 'task', name: task, bundle: `quay.io/konflux-ci/tekton-catalog/task-${task}:0.1` };
  return { taskRef: { resolver: 'bundles', params: Object.entries(params).map(([name, value]) => ({ name, value })) } };
}

/** As whoever embeds a stand-in does where the registry has no TLS. */
function reachPlainly(spec: Record<string, unknown>): Record<string, unknown> {
  const { env = [], ...template } = (spec.stepTemplate ?? {}) as { env?: object[] };
  const more = [
    { name: 'PLAIN_HTTP', value: 'true' },
    { name: 'RETRY_PAUSES', value: RETRY_PAUSES.join(' ') },
  ];
  return { ...spec, stepTemplate: { ...template, env: [...env, ...more] } };
}
