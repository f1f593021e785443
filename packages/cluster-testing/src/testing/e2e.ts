import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inState, REGISTRY } from '../place.ts';
import { repository, type ServedChain } from './served-chain.ts';

/** What is looked at of a report of e2e's. */
export interface Report {
  readonly level?: string;
  readonly criteria: readonly {
    readonly id: string;
    readonly status: string;
    readonly evidence: readonly {
      readonly check: string;
      readonly status: string;
      readonly text: string;
      readonly found?: string;
    }[];
  }[];
  readonly [field: string]: unknown;
}

/** A run of `pnpm e2e --target tekton` against the cluster. */
export interface E2eRun {
  /** Everything that it has said until now. */
  output(): string;
  /** Resolves as soon as it has said this. */
  said(text: string | RegExp): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<{ readonly exitCode: number | null; readonly output: string; readonly report?: Report }>;
}

let count = 0;

/**
 * Starts the command as a person would in a clone.
 *
 * @param name Of the namespace, of the folder in the registry, and of the state's file.
 */
export function startE2e(state: string, chain: ServedChain, name: string, ...more: readonly string[]): E2eRun {
  const file = join(state, `report-${count++}.json`);
  const words = [
    ...[join(repository, 'packages/e2e/src/cli.ts'), '--target', 'tekton', '--report', file],
    ...['--state', join(state, `e2e-${name}.json`), '--namespace', name, '--git-url', chain.gitUrl],
    ...['--stand-ins', '--plain-http', '--registry', `${REGISTRY}/${name}`, ...more],
  ];
  const child = spawn(process.execPath, words, {
    cwd: chain.folder,
    env: { ...process.env, KUBECONFIG: inState.kubeconfig(state), CI: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      for (const listener of listeners) listener();
    });
  }
  const ended = once(child, 'close').then(([exitCode]) => {
    // Where the run could not be made it is empty: it was only found out whether it could be written.
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    const report = text === '' ? {} : { report: JSON.parse(text) as Report };
    return { exitCode: exitCode as number | null, output, ...report };
  });
  return {
    output: () => output,
    kill: (signal) => void child.kill(signal),
    ended,
    said: (text) =>
      new Promise((resolve, reject) => {
        const listener = (): void => {
          if (!(typeof text === 'string' ? output.includes(text) : text.test(output))) return;
          listeners.delete(listener);
          resolve();
        };
        listeners.add(listener);
        listener();
        void ended.then(() => reject(new Error(`it ended and never said ${text}:\n${output}`)));
      }),
  };
}
