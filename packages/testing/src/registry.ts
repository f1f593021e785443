import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '@multi-image/kit/free-port';
import { tie } from '@multi-image/kit/tied';
import { makeScratch } from './scratch.ts';

export interface TestRegistry {
  /** `127.0.0.1:<port>` */
  readonly host: string;
  /** Where it keeps its files; for tests that damage what is stored. */
  readonly root: string;
  /** The file that holds a blob; for tests that damage it. */
  blobFile(digest: string): string;
  /** Ends the process and removes its files. */
  stop(): Promise<void>;
}

/** Who may use a registry that was started with `login`. */
export const LOGIN = { username: 'user', password: 'open sesame' } as const;

// bcrypt, as htpasswd -B makes it: no tool for that is needed to run the tests.
const HTPASSWD = `${LOGIN.username}:$2y$05$abcdefghijklmnopqrstuupx2xBUC4954936wVIjyyPHmUBFu0wCW\n`;

export interface TestRegistryOptions {
  /** Asks everyone for {@link LOGIN}, with a Basic challenge. */
  readonly login?: boolean;
  /** Asks everyone for a token, which must be signed by the key of `certificate` (a PEM file). */
  readonly tokens?: {
    readonly realm: string;
    readonly service: string;
    readonly issuer: string;
    readonly certificate: string;
  };
}

// A third of its time would go into collecting the garbage of a heap that stays small.
const ENVIRONMENT = { ...process.env, GOGC: 'off', GOMEMLIMIT: '256MiB' };

/** Starts the real registry (CNCF distribution) on a free loopback port. */
export async function startTestRegistry(options: TestRegistryOptions = {}): Promise<TestRegistry> {
  const server = await startRegistryProgram('docker-registry', ({ host, root }) => {
    writeFileSync(join(root, 'htpasswd'), HTPASSWD);
    return configured(host, root, options);
  });
  return {
    ...server,
    blobFile(digest) {
      const hex = digest.slice('sha256:'.length);
      return join(server.root, 'data/docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
    },
  };
}

/** A registry as a program of this machine. */
export interface RealRegistry {
  readonly name: string;
  readonly program: string;
  readonly argumentsFor: (place: { readonly host: string; readonly root: string }) => readonly string[];
}

/** Those that tests run against where they are there: Debian's, and what `.ci/registries` builds. */
export const REAL_REGISTRIES: readonly RealRegistry[] = [
  {
    name: 'CNCF distribution 2.8',
    program: 'docker-registry',
    argumentsFor: ({ host, root }) => configured(host, root),
  },
  {
    name: 'CNCF distribution 3.1',
    program: 'multi-image-distribution',
    argumentsFor: ({ host, root }) => configured(host, root),
  },
  {
    name: 'go-containerregistry 0.22',
    program: 'multi-image-go-containerregistry',
    argumentsFor: ({ host }) => ['-address', host],
  },
  {
    name: 'go-containerregistry 0.22, with its referrers API',
    program: 'multi-image-go-containerregistry',
    argumentsFor: ({ host }) => ['-referrers', '-address', host],
  },
  {
    name: 'olareg 0.1',
    program: 'multi-image-olareg',
    argumentsFor({ host, root }) {
      const [address = '', port = ''] = host.split(':');
      return ['serve', '--addr', address, '--port', port, '--dir', root, '--store-type', 'mem'];
    },
  },
];

/** Starts a registry's program on a free loopback port, with a folder that is removed with it. */
export async function startRegistryProgram(
  program: string,
  argumentsFor: RealRegistry['argumentsFor'],
): Promise<Pick<TestRegistry, 'host' | 'root' | 'stop'>> {
  const { folder: root, remove } = makeScratch('registry');
  const failures: string[] = [];
  // The port is free when it is chosen and may be taken when the registry binds it: another try finds another one.
  for (let attempt = 0; attempt < 5; attempt++) {
    const host = `127.0.0.1:${await freePort()}`;
    const child = spawn(program, argumentsFor({ host, root }), {
      env: ENVIRONMENT,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const { release } = tie(child.pid);
    const stderr: string[] = [];
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk.toString()));
    if (await answers(child, host)) {
      return {
        host,
        root,
        async stop() {
          release();
          await ended(child);
          await remove();
        },
      };
    }
    release();
    await ended(child);
    failures.push(stderr.join('').trim().split('\n').at(-1) ?? '');
  }
  await remove();
  throw new Error(`${program} did not start: ${failures.at(-1)}`);
}

/** Arguments of CNCF distribution, of both versions. */
function configured(host: string, root: string, options: TestRegistryOptions = {}): readonly string[] {
  const config = join(root, 'config.yml');
  writeFileSync(config, configuration(host, root, options));
  return ['serve', config];
}

function configuration(host: string, root: string, { login, tokens }: TestRegistryOptions): string {
  return JSON.stringify({
    version: 0.1,
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(root, 'data') }, delete: { enabled: true } },
    http: { addr: host },
    auth: {
      ...(login ? { htpasswd: { realm: 'test', path: join(root, 'htpasswd') } } : {}),
      ...(tokens ? { token: { ...tokens, certificate: undefined, rootcertbundle: tokens.certificate } } : {}),
    },
  });
}

async function answers(child: ChildProcess, host: string): Promise<boolean> {
  let spawned = true;
  child.once('error', () => {
    spawned = false;
  });
  const deadline = Date.now() + 60_000;
  while (spawned && child.exitCode === null && Date.now() < deadline) {
    const response = await fetch(`http://${host}/v2/`).catch(() => undefined);
    // A stranger on the port would answer too; ours is still running then only if it could bind.
    if ((response?.ok || response?.status === 401) && child.exitCode === null) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exit;
}
