import { DigestChainError } from '../../errors.ts';
import { decodeJson, member, textOf } from '../../json/decode.ts';
import type { Environment } from '../options.ts';
import { type Credentials, credentialsOf } from './credentials.ts';

/** Milliseconds; a helper may ask its owner for a password. */
const PATIENCE = 60_000;
/** Bytes. */
const OUTPUT_LIMIT = 64 * 1024;

/** Whose environment a helper runs in, and what ends it. */
export interface HelperOptions {
  readonly environment: Environment;
  readonly signal: AbortSignal;
}

/**
 * Asks `docker-credential-<name> get` (docker's protocol for credential helpers): the key on its standard input, JSON on
 * its standard output. Undefined where it has none. Nothing that it prints gets into an error.
 */
export async function askHelper(name: string, key: string, options: HelperOptions): Promise<Credentials | undefined> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) throw failed('a credential helper', 'its name is no name');
  const program = `docker-credential-${name}`;
  // Docker's own tools keep Docker Hub's credentials under this address.
  const address = key === 'docker.io' ? 'https://index.docker.io/v1/' : key;
  const { status, output } = await runHelper(program, address, options);
  if (status !== 0) {
    // The protocol has no code for this, only these words.
    if (/credentials not found|no credentials/i.test(output)) return undefined;
    throw failed(program, `it ended with status ${status}`);
  }
  const answer = parse(program, output);
  const username = textOf(member(answer, 'Username')) ?? '';
  const secret = textOf(member(answer, 'Secret')) ?? '';
  return secret === '' ? undefined : credentialsOf(username, secret);
}

function runHelper(
  program: string,
  key: string,
  { environment, signal }: HelperOptions,
): Promise<{ status: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const limits = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]);
    const { spawn } = process.getBuiltinModule('node:child_process');
    const child = spawn(program, ['get'], {
      env: environment,
      stdio: ['pipe', 'pipe', 'ignore'],
      signal: limits,
      killSignal: 'SIGKILL',
    });
    const chunks: Buffer[] = [];
    let size = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size > OUTPUT_LIMIT) stop(failed(program, 'its answer has no end'));
    });
    const stop = (reason: unknown): void => {
      child.kill('SIGKILL');
      // What the helper has started may live on: it gets nobody to write to, and is not waited for.
      child.stdout.destroy();
      reject(reason);
    };
    child.once('error', (cause) => {
      if (signal.aborted) return stop(signal.reason);
      const found = 'code' in cause && cause.code === 'ENOENT' ? 'it is not installed' : 'it did not answer';
      stop(failed(program, found, cause));
    });
    child.once('close', (status) => resolve({ status, output: Buffer.concat(chunks).toString('utf8') }));
    // One that has not waited for its input may still answer.
    child.stdin.on('error', () => {});
    child.stdin.end(`${key}\n`);
  });
}

function parse(program: string, output: string): unknown {
  try {
    return decodeJson(Buffer.from(output));
  } catch {
    throw failed(program, 'its answer is not JSON');
  }
}

function failed(program: string, found: string, cause?: unknown): DigestChainError {
  return new DigestChainError('CREDENTIALS_INVALID', `${program} gave no credentials`, {
    expected: '{"Username": …, "Secret": …}',
    found,
    hint: 'run it by hand, or take it out of the docker configuration',
    cause,
  });
}
