import { runOrThrow } from '@multi-image/kit/commands';
import { CHECKS, type ChainPlan, readPins } from '@multi-image/manifests';
import type { RunOptions } from '@multi-image/tekton-local';
import { E2eError } from '../../errors.ts';
import type { Isolation } from '../../options.ts';
import { readStandIn, STAND_INS } from '../stand-ins.ts';
import { trustedArtifacts } from './trusted-artifacts.ts';

/** The storage drivers that can read the images of another storage. */
const DRIVERS = ['overlay', 'vfs'];

export interface LocalTasksOptions {
  /** A folder or a URL: where git is fetched from, whatever the pipeline names. */
  fetchFrom: string;
  /** Images that builds use instead of others, from → to; they have to be on this machine. */
  images: Readonly<Record<string, string>>;
  /** The run's registry, as `localhost:port`: the tasks write to it, and to no other, whatever a pipeline names. */
  registry?: string | undefined;
  /** Params that the config gives to tasks of the catalog: a check that is not run here takes any of them. */
  params?: ChainPlan['tasks'] | undefined;
  /** What builds run in; where there is none to be had, they fail. */
  isolation?: Isolation | undefined;
  /** Where there is to be scanned with what this machine has; otherwise checks say that none of them ran. */
  scanners?: {
    /** ClamAV's signatures in place of the machine's: a folder or file. */ signatures?: string | undefined;
  };
  /** Seconds before each further try of what a registry failed: as many as there are tries; the tasks' own by default. */
  retryPauses?: readonly number[] | undefined;
  /** Where it has been asked for already. */
  storage?: Promise<BuildahStorage> | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * What stands in for the catalog's tasks on this machine: the stand-ins' own scripts, as processes with this machine's
 * git, buildah and skopeo and no container around them, against a registry without TLS. Builds neither see nor leave
 * anything in this machine's storage, but for bases, which are used from there and kept there.
 *
 * Throws `PLATFORM_UNSUPPORTED` where buildah can't share images with a storage of its own.
 */
export async function localTasks(options: LocalTasksOptions): Promise<Pick<RunOptions, 'tasks' | 'programs'>> {
  const { fetchFrom, images, registry, params = {}, isolation = 'sandbox', scanners, retryPauses, signal } = options;
  const pins = readPins();
  const [{ driver, options: storage }, ids] = await Promise.all([
    options.storage ?? buildahStorage(signal),
    idsOf([...new Set(Object.values(images))], signal),
  ]);
  const env = {
    PLAIN_HTTP: 'true',
    FETCH_FROM: fetchFrom,
    ONLY_REGISTRY: registry ?? '',
    ISOLATION: isolation,
    SCANNERS: scanners === undefined ? '' : 'machine',
    CLAMAV_DATABASE: scanners?.signatures ?? '',
    BUILDAH_STORAGE: storage.join('\n'),
    ...(retryPauses === undefined ? {} : { RETRY_PAUSES: retryPauses.join(' ') }),
    // The Task's own is one that works in every pod.
    STORAGE_DRIVER: driver,
    SUBSTITUTES: Object.entries(images)
      .map(([from, to]) => `${from} ${to} ${ids.get(to)}`)
      .join('\n'),
  };
  const tasks = STAND_INS.map((name) => {
    const task = {
      apiVersion: 'tekton.dev/v1',
      kind: 'Task',
      metadata: { name },
      spec: withParams(name, readStandIn(name, pins, 'machine'), params),
    };
    return [name, { task, executor: 'host' as const, env }];
  });
  return { tasks: Object.fromEntries(tasks), programs: trustedArtifacts({ only: registry }) };
}

/** A check does nothing here, so whatever it is given is no loss; another task refuses what its stand-in does not do. */
function withParams(name: string, spec: Record<string, unknown>, given: ChainPlan['tasks']): Record<string, unknown> {
  const added = (CHECKS as readonly string[]).includes(name)
    ? Object.entries(Object.entries(given).find(([task]) => task === name)?.[1].params ?? {})
    : [];
  const declared = (spec.params ?? []) as readonly { name: string }[];
  const more = added.flatMap(([param, value]) =>
    value === null || declared.some((known) => known.name === param)
      ? []
      : [{ name: param, type: Array.isArray(value) ? 'array' : 'string' }],
  );
  return { ...spec, params: [...declared, ...more] };
}

/** buildah's options for a storage that has this machine's images as well. */
export interface BuildahStorage {
  readonly driver: string;
  readonly options: readonly string[];
}

/** Throws `PLATFORM_UNSUPPORTED` where buildah can't share images with a storage of its own. */
export async function buildahStorage(signal: AbortSignal | undefined): Promise<BuildahStorage> {
  const { stdout } = await runOrThrow('buildah', ['info'], { signal }, E2eError);
  const { store } = JSON.parse(stdout) as {
    store: { GraphDriverName: string; GraphRoot: string; GraphOptions: string[] | null };
  };
  const { GraphDriverName: driver, GraphRoot: root, GraphOptions: given } = store;
  if (!DRIVERS.includes(driver)) {
    throw new E2eError('PLATFORM_UNSUPPORTED', 'images can’t be built with this storage driver', {
      expected: DRIVERS.join(' or '),
      found: driver,
      hint: 'set STORAGE_DRIVER=overlay',
    });
  }
  const all = [...(given ?? []), `${driver}.imagestore=${root}`];
  return { driver, options: [`--storage-driver=${driver}`, ...all.map((option) => `--storage-opt=${option}`)] };
}

/** The digests of the images' configs: what is in no registry has no other that is its own. */
async function idsOf(images: readonly string[], signal: AbortSignal | undefined): Promise<Map<string, string>> {
  if (images.length === 0) return new Map();
  const args = ['inspect', '--type=image', '--format={{.FromImageID}}'];
  const found = await Promise.all(images.map((image) => runOrThrow('buildah', [...args, image], { signal }, E2eError)));
  return new Map(images.map((image, index) => [image, `sha256:${found[index]?.stdout.trim()}`]));
}
