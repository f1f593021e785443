import { spawn } from 'node:child_process';
import { plainEnvironment } from '../src/command.ts';

/** Runs a program to its end; resolves with the milliseconds it took, rejects with its last words where it fails. */
export function time(program: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: plainEnvironment() });
    let said = '';
    const remember = (chunk: Buffer): void => {
      said = (said + chunk).slice(-4000);
    };
    child.stdout.on('data', remember);
    child.stderr.on('data', remember);
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(performance.now() - start);
      else reject(new Error(`${program} ${args[0] ?? ''} ended with ${code}: ${said.trim()}`));
    });
  });
}

/**
 * The medians of two things, done in turns, and of their ratio in each turn: what else the machine does then falls on
 * both. A first round, which warms caches, is not counted.
 */
export async function alternate(
  rounds: number,
  first: (round: number) => Promise<number>,
  second: (round: number) => Promise<number>,
): Promise<{ first: number; second: number; ratio: number }> {
  const times: { first: number; second: number; ratio: number }[] = [];
  for (let round = 0; round <= rounds; round++) {
    const [a, b] = [await first(round), await second(round)];
    if (round === 0) continue;
    times.push({ first: a, second: b, ratio: a / b });
  }
  const of = (key: 'first' | 'second' | 'ratio'): number => median(times.map((entry) => entry[key]));
  return { first: of('first'), second: of('second'), ratio: of('ratio') };
}

/** The middle one, or the mean of both in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}

/** A goal beside what was measured. */
export function formatGoal(what: string, found: number, goal: number, unit: string = ''): string {
  const digits = unit === '' ? 2 : 0;
  const verdict = found <= goal ? 'reached' : 'MISSED ';
  return `${verdict}  ${what}: ${found.toFixed(digits)}${unit} (goal ≤ ${goal.toFixed(digits)}${unit})\n`;
}
