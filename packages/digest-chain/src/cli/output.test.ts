import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../testing/cli.ts';

const CLI = fileURLToPath(new URL('../cli.ts', import.meta.url));

/** Runs the command in a shell line, as `$0 $1`: its exit status is what the command ends with. */
function shell(line: string): Promise<Outcome> {
  const all = ['-c', `set -o pipefail; ${line}`, process.execPath, CLI];
  return new Promise((resolve) => {
    execFile('bash', all, (error, stdout, stderr) => {
      resolve({ status: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

// The reader is gone for certain before the command starts.
const gone = (command: string): string => `{ sleep 0.3; ${command}; }`;

describe('output that nobody reads', () => {
  it.each([
    ['help', `${gone('"$0" "$1" --help')} | true`, 0],
    ['an error', `${gone('"$0" "$1" nonsense')} 2>&1 | true`, 2],
    ['an error in JSON', `${gone('"$0" "$1" nonsense --json 2>/dev/null')} | true`, 2],
  ])('ends the command quietly, with its own status: %s', async (_, line, status) => {
    expect(await shell(line)).toEqual({ status, stdout: '', stderr: '' });
  });
});

describe('output that can not be written', () => {
  it('is an error of one line', async () => {
    const reason = 'the output could not be written: ENOSPC: no space left on device, write';
    expect(await shell('"$0" "$1" --help >/dev/full')).toEqual({
      status: 2,
      stdout: '',
      stderr: `error FILE_UNWRITABLE: ${reason}\n`,
    });
  });

  it('is no crash where errors can not be written either', async () => {
    expect((await shell('"$0" "$1" --help >/dev/full 2>/dev/full')).status).toBe(2);
    expect((await shell('"$0" "$1" nonsense 2>/dev/full')).status).toBe(2);
  });
});
