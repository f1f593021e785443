import { spawnSync } from 'node:child_process';

/** Whether there is a program of this name, or at this path. */
export function commandExists(name: string): boolean {
  return spawnSync('sh', ['-c', 'command -v -- "$1"', 'sh', name]).status === 0;
}
