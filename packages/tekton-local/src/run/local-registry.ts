import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '@multi-image/kit/errors';
import { findProgram } from '@multi-image/kit/find-program';
import { freePort } from '@multi-image/kit/free-port';
import { TektonLocalError } from '../errors.ts';

const MARK = 'X-Tekton-Local-Registry';

export interface LocalRegistry {
  /** `localhost:<port>` */
  readonly address: string;
  readonly pid: number;
  /** The end of what it has said of faults of its own, such as a full disk; of one that is kept nothing. */
  readonly log: () => string;
}

/** The program that serves a registry, under the names that distributions give it. Throws `TOOL_MISSING`. */
export function findRegistryProgram(): string {
  const found = findProgram(['docker-registry', 'registry']);
  if (found !== undefined) return found;
  throw new TektonLocalError('TOOL_MISSING', 'there is no registry on this machine', {
    expected: 'docker-registry or registry on the PATH: CNCF distribution',
    hint: 'install docker-registry (apt) or docker-distribution (dnf)',
  });
}

/**
 * Starts a CNCF distribution registry on loopback that keeps everything under `folder`.
 *
 * @param port the port to listen on; 0 takes any free one. Throws `PORT_TAKEN`, or `REGISTRY_FAILED` with the end of
 *   its log where it does not answer within 10 s.
 */
export async function startLocalRegistry(options: {
  program: string;
  folder: string;
  port: number;
  keep?: boolean;
  onStart?: (pid: number) => void;
  signal?: AbortSignal;
}): Promise<LocalRegistry> {
  const port = await portFor(options.port);
  const mark = randomUUID();
  const storage = join(options.folder, 'registry');
  const config = join(options.folder, 'registry.yml');
  await mkdir(storage, { recursive: true });
  await writeFile(
    config,
    [
      'version: 0.1',
      'log: {level: warn}',
      `storage: {filesystem: {rootdirectory: ${JSON.stringify(storage)}}, delete: {enabled: true}}`,
      // By which it is told from another that took the port at the same moment.
      `http: {addr: "127.0.0.1:${port}", headers: {${MARK}: ["${mark}"]}}`,
      '',
    ].join('\n'),
  );
  // Only what it needs of the environment: distribution reads REGISTRY_* from it.
  const { PATH, HOME, MULTI_IMAGE_RUN } = process.env;
  const child = spawn(options.program, ['serve', config], {
    env: { PATH, HOME, ...(options.keep ? {} : { MULTI_IMAGE_RUN }), OTEL_TRACES_EXPORTER: 'none' },
    stdio: ['ignore', 'ignore', options.keep ? 'ignore' : 'pipe'],
    detached: true,
  });
  let log = '';
  child.stderr?.on('data', (chunk) => {
    log = (log + chunk).slice(-4000);
  });
  let ended: string | undefined;
  child.once('error', (error) => {
    ended = error.message;
  });
  child.once('exit', (code) => {
    ended ??= `it ended with exit code ${code}`;
  });
  if (child.pid !== undefined) options.onStart?.(child.pid);
  for (let waited = 0; waited < 10_000 && ended === undefined; waited += 25) {
    options.signal?.throwIfAborted();
    if (child.pid !== undefined && (await answers(port, mark))) {
      child.unref();
      return { address: `localhost:${port}`, pid: child.pid, log: () => log };
    }
    await sleep(25);
  }
  child.kill('SIGKILL');
  throw new TektonLocalError('REGISTRY_FAILED', `the local registry (${options.program}) did not start`, {
    expected: `an answer from http://localhost:${port}/v2/ within 10 s`,
    found: [ended ?? 'no answer', log.trim()].filter(Boolean).join('\n'),
  });
}

/** With `fetch`, its own loading would take longer than the registry does to start. */
function answers(port: number, mark: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/v2/', agent: false, timeout: 1000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200 && response.headers[MARK.toLowerCase()] === mark);
    });
    request.once('timeout', () => request.destroy());
    // However it ended: what was resolved before stays.
    request.once('close', () => resolve(false));
    request.on('error', () => {});
  });
}

/** Returns the port if nobody listens on it (any free one for 0); throws `PORT_TAKEN`. */
async function portFor(port: number): Promise<number> {
  try {
    return await freePort(port);
  } catch (cause) {
    throw new TektonLocalError('PORT_TAKEN', `port ${port} on 127.0.0.1 can't be used for the local registry`, {
      expected: 'a free port',
      found: reasonOf(cause),
      hint: 'stop what listens there, or choose another with --port <number> (0: any free one). Image 2 holds the address of Image 1, so another port means another digest.',
      cause,
    });
  }
}
