import { spawn } from 'node:child_process';
import type { CountingProxy } from '@multi-image/testing/counting-proxy';

/** A program and its arguments. */
export type Command = readonly [program: string, ...args: string[]];

/** What a tool took, all its processes together. */
export interface Cost {
  readonly requests: number;
  /** Of all bodies, both ways. */
  readonly bytes: number;
  /** Milliseconds, from the start of the first process to the end of the last. */
  readonly wall: number;
}

/** Runs commands one after the other, and counts what they ask of the registry behind the proxy. */
export async function measure(commands: readonly Command[], proxy?: CountingProxy): Promise<Cost> {
  if (proxy !== undefined) {
    proxy.requests.length = 0;
    proxy.bytes = 0;
    proxy.peak = 0;
  }
  const start = performance.now();
  for (const command of commands) await run(command);
  const wall = performance.now() - start;
  return { requests: proxy?.requests.length ?? 0, bytes: proxy?.bytes ?? 0, wall };
}

/** The best of several rounds: the machine is not alone. */
export function best(costs: readonly Cost[]): Cost {
  const last = costs.at(-1);
  if (last === undefined) throw new RangeError('nothing was measured');
  return { ...last, wall: Math.min(...costs.map(({ wall }) => wall)) };
}

/** Runs a program to its end; rejects with its last words where it fails. */
export function run([program, ...args]: Command): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr = (stderr + chunk).slice(-2000);
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(stdout);
      else reject(new Error(`${program} ${args.join(' ')} ended with ${code}: ${stderr.trim()}`));
    });
  });
}
