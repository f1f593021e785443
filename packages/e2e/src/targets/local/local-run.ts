import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRegistry, parsePublicKeys } from '@multi-image/digest-chain';
import { parseDigest, parseReference } from '@multi-image/digest-chain/oci';
import { cacheFolder } from '@multi-image/kit/cache-folder';
import { run } from '@multi-image/kit/commands';
import { isCodedError } from '@multi-image/kit/errors';
import type { Progress } from '@multi-image/kit/progress';
import { shellWord } from '@multi-image/kit/shell';
import { findRenderedDrift, type LoadedConfig, loadConfig } from '@multi-image/manifests';
import { LOCAL_BUILDER, type LocalRegistry, startLocalRegistry } from '@multi-image/tekton-local';
import { ask } from '../../ask.ts';
import { E2eError } from '../../errors.ts';
import { judge } from '../../judge/criteria.ts';
import { extend } from '../../judge/criterion.ts';
import type { Observation } from '../../judge/observation.ts';
import { observe } from '../../look/observe.ts';
import { type ImageRunner, runOnce } from '../../look/run-images.ts';
import type { Isolation } from '../../options.ts';
import type { Report } from '../../report/report.ts';
import { reportOf } from '../../report/report-of.ts';
import { chooseBaseImage } from './base-image.ts';
import { playSnapshot } from './chain-snapshot.ts';
import { parseExternal, placeExternal } from './external-images.ts';
import { chooseIsolation } from './isolation.ts';
import { Janitor } from './janitor.ts';
import { LayerCache } from './layer-cache.ts';
import { askMachine } from './machine.ts';
import { repositoryIn, runPipelines } from './pipelines.ts';
import { preflight } from './preflight.ts';
import { type Source, takeSource } from './source.ts';
import { findFaults } from './source-faults.ts';
import { setEnvironment, userEnvironment } from './user-environment.ts';

/** Where it is always the same, a commit always has the same digests. */
const USUAL_PORT = 5480;
/** Another process has the port, or took it at the same moment. */
const NO_PORT: readonly string[] = ['PORT_TAKEN', 'REGISTRY_FAILED'];

export interface LocalRunOptions {
  /** A folder in the repository to build. */
  cwd: string;
  /** The config's path in the repository. */
  config: string;
  /** Of the registry; 0 for any free one; undefined for the usual one, or any other where that is taken. */
  port: number | undefined;
  /** Leave the registry and the images where they are. */
  keep: boolean;
  /** Run rendered files that are not as the config says. */
  allowDrift: boolean;
  /** Whether missing tools may be installed. */
  install: boolean;
  /** What builds run in; without it a sandbox, and no other without an answer on the terminal. */
  isolation?: Isolation | undefined;
  /** `ROLE=IMAGE`: what external images are here. */
  external?: readonly string[] | undefined;
  /** Files in which the caller will report: no part of what is built. */
  reports?: readonly string[];
  progress: Progress;
  signal: AbortSignal;
}

/**
 * Builds, links, publishes, extracts, runs and proves the chain on this machine, and removes everything afterwards.
 * Throws an `E2eError` (or the coded error of the package that failed) where the run can't be made; a criterion that
 * falls is in the report.
 */
export async function runLocal(options: LocalRunOptions): Promise<Report> {
  const { progress, signal, keep } = options;
  const began = Date.now();
  const { registry: program, installed } = await preflight({
    install: options.install,
    signal,
    onInstall: (command) => {
      progress.line(`installing what is missing: ${command}`);
      progress.started('install');
    },
  });
  if (installed.length > 0) progress.ended('install', 'passed', installed.join(' '));

  const janitor = new Janitor();
  let before: ReturnType<typeof setEnvironment> = {};
  let done = false;
  /** What goes on beside, which the end waits for. */
  let beside: readonly Promise<unknown>[] = [];
  try {
    const folder = await mkdtemp(join(tmpdir(), 'multi-image-'));
    janitor.remember({ kind: 'folder', path: folder });
    // Whatever anything in the run puts into the temporary folder goes with the run.
    before = setEnvironment({ TMPDIR: folder, ...(await userEnvironment(folder)) });
    const startRegistry = (port: number): Promise<LocalRegistry> =>
      startLocalRegistry({
        program,
        folder,
        port,
        keep,
        signal,
        onStart: (pid) => janitor.remember({ kind: 'process', pid }),
      });
    const registryStarts = startRegistry(options.port ?? USUAL_PORT).catch((error: unknown) => {
      if (options.port !== undefined || !isCodedError(error) || !NO_PORT.includes(error.code)) throw error;
      return startRegistry(0);
    });
    // Git, the registry and what this machine is asked for need nothing of each other.
    const machine = askMachine(options.isolation, signal);
    beside = [registryStarts, ...Object.values(machine)];
    // What fails is told where it is needed.
    for (const one of beside) one.catch(() => undefined);
    const source = await takeSource(options.cwd, folder, { reports: options.reports, signal });
    sayWhatIsBuilt(source, progress);
    const config = await loadConfig(join(source.root, options.config));
    refuseDrift(config, source, options.allowDrift);
    const given = parseExternal(options.external ?? [], config.chain);
    const registry = await registryStarts;
    progress.line(`registry   ${registry.address} (CNCF distribution, throwaway)`);
    if (options.port === undefined && !registry.address.endsWith(`:${USUAL_PORT}`)) {
      progress.line(
        `           port ${USUAL_PORT} is taken, by another run perhaps. Image 2 holds the address of Image 1,`,
      );
      progress.line('           so its digest is another one than there');
    }
    const client = createRegistry({ signal });
    const layers = new LayerCache(client, cacheFolder('multi-image-e2e', 'layers'));
    // Whatever comes too late for the build that could use it is no loss.
    const bringing = layers.bring(repositoryIn(registry, config.chain.primary.repository), signal);
    const confirm = (question: string): Promise<boolean> => ask(question, false);
    // Without them there is nothing to ask about the sandbox.
    const containers = await machine.containers;
    const isolation = await chooseIsolation({ asked: options.isolation, tried: machine.sandbox, confirm, signal });
    progress.line(`containers ${containers.description}`);
    progress.line(`builds     ${BUILDS[isolation]}`);
    progress.started('base image');
    const base = await chooseBaseImage(source.checkout, config, signal);
    progress.ended('base image', 'passed', base.note);

    const localRepository = (repository: string): string => repositoryIn(registry, repository);
    const external = await placeExternal(config.chain, given, localRepository, signal);
    for (const { role, named, note } of external) progress.line(`external   ${role} (${named}): ${note}`);

    const work = join(folder, 'runs');
    await mkdir(work);
    const { privateKey, publicKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    await writeFile(join(folder, 'cosign.pub'), publicKey);
    const runs = await runPipelines({
      privateKey,
      publicKey,
      config,
      source,
      registry,
      external,
      base,
      containers,
      isolation,
      storage: machine.storage,
      janitor,
      work,
      progress,
      signal,
    });
    signal.throwIfAborted();
    const { chain, build, scanners } = runs;
    const keys = parsePublicKeys(publicKey);
    const observation = await observe({
      registry: client,
      chain,
      revision: source.revision,
      build,
      scanners,
      keys,
      signer: 'stand-in',
      builders: [LOCAL_BUILDER],
      runImage: imageRunner(janitor, containers.runArguments, keep, signal),
      external,
      placeOf: localRepository,
      progress,
    });
    const played = await playSnapshot(client, chain, observation, { keys, signal });
    await bringing;
    const built = observation.images.flatMap(({ origin: { reference, digest } }) =>
      digest === undefined ? [] : [{ ...parseReference(reference), digest: parseDigest(digest) }],
    );
    await layers.keep(built, signal);
    signal.throwIfAborted();
    done = true;
    if (keep) {
      // Without a session skopeo fails, unless it is told where its user has what is running.
      const runtime = 'XDG_RUNTIME_DIR' in before ? process.env.XDG_RUNTIME_DIR : undefined;
      sayWhatIsKept(registry, folder, runtime, observation.images, progress);
    }
    return {
      version: 1,
      target: 'local',
      ...reportOf(observation, extend(judge(observation), { 'scanner-extracts': played?.evidence ?? [] }), keys, {
        chain,
        faults: findFaults(chain, source.checkout, build),
      }),
      snapshot: played?.snapshot,
      uncommitted: source.uncommitted,
      baseImage: { pinned: base.pinned, used: base.used, note: base.note },
      byHand: { podmanArguments: containers.runArguments },
      duration: Date.now() - began,
    };
  } finally {
    progress.stop();
    setEnvironment(before);
    // They have files in the folder that goes now.
    await Promise.allSettled(beside);
    await (done && keep ? janitor.leave() : janitor.finish());
  }
}

const BUILDS: Readonly<Record<Isolation, string>> = {
  sandbox: 'in a sandbox: a RUN sees no process, device or file of this machine',
  chroot: 'without a sandbox: a RUN has the rights of this user',
};

function sayWhatIsBuilt({ revision, uncommitted }: Source, progress: Progress): void {
  progress.line(`commit     ${revision}`);
  if (uncommitted.length > 0) {
    const named = uncommitted.slice(0, 3).join(', ') + (uncommitted.length > 3 ? ', …' : '');
    const changes = uncommitted.length === 1 ? 'an uncommitted change' : `${uncommitted.length} uncommitted changes`;
    progress.line(`           HEAD with ${changes} (${named}), as a commit that only this run knows`);
  }
}

function sayWhatIsKept(
  { address, pid }: { address: string; pid: number },
  folder: string,
  runtime: string | undefined,
  images: Observation['images'],
  progress: Progress,
): void {
  const env = runtime === undefined ? '' : `XDG_RUNTIME_DIR=${shellWord(runtime)} `;
  progress.line(`kept: the registry ${address} (process ${pid}), until it is removed or the machine is started anew`);
  for (const { published } of images) {
    if (published.digest === undefined) continue;
    progress.line(`      look: ${env}skopeo inspect --tls-verify=false docker://${published.reference}`);
  }
  progress.line(`      the key that signed is ${join(folder, 'cosign.pub')}; sources and artifacts are in ${folder}`);
  // What rootless podman leaves belongs to other ids of the same user.
  const remove = process.getuid?.() === 0 ? 'rm -rf' : 'podman unshare rm -rf';
  progress.line(`to remove it: kill ${pid} && ${remove} ${shellWord(folder)}`);
}

/** The pipelines that run are files: where they are not what the config says, they would do something else. */
function refuseDrift(config: LoadedConfig, { checkout }: Source, allowed: boolean): void {
  const drifts = findRenderedDrift(config, join(checkout, config.folder)).filter(
    // What is no longer rendered is no longer run either.
    ({ path, expected, found }) =>
      expected !== 'no such file' && (!allowed || (path.startsWith('.tekton/') && found === 'no such file')),
  );
  const [first] = drifts;
  if (first === undefined) return;
  const places = [...new Set(drifts.map(({ path, line }) => `${config.folder}${path}:${line}`))];
  const render = config.folder === '' ? '' : ` --config ${config.folder}konflux.config.ts`;
  throw new E2eError('CONFIG_DRIFTED', `rendered files are not as the config says: ${places.join(', ')}`, {
    expected: first.expected,
    found: first.found,
    hint: `pnpm render${render}; or --allow-drift, to run files as they are`,
  });
}

/**
 * Runs images of this run under names by which the janitor finds what is left of them.
 *
 * @param keep Whether the janitor will leave everything: then each image is removed as soon as it has run
 */
function imageRunner(
  janitor: Janitor,
  runArguments: readonly string[],
  keep: boolean,
  signal: AbortSignal,
): ImageRunner {
  return async (exact, imageArgs) => {
    const name = `multi-image-${janitor.marker}-${exact.slice(-12)}`;
    // One of a run that was kept stays its user's.
    const wasThere = (await run('podman', ['image', 'exists', exact], { signal })).exitCode === 0;
    if (!wasThere) {
      janitor.remember({ kind: 'image', name: exact });
      // Whatever stops the run: of a pull that is stopped podman keeps layers that belong to no image, for good.
      const pull = ['pull', '--quiet', '--tls-verify=false', exact];
      const pulled = await run('podman', pull, { group: true, timeout: 120_000 });
      if (pulled.exitCode !== 0) return pulled;
    }
    janitor.remember({ kind: 'containers', prefix: name });
    const args = ['--name', name, '--pull=never', ...runArguments];
    return runOnce(exact, args, { signal, timeout: 120_000, imageArgs }, wasThere || !keep);
  };
}
