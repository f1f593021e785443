import { join } from 'node:path';
import { EXIT } from '@multi-image/kit/command-line';
import { formatError } from '@multi-image/kit/error-text';
import { isCodedError } from '@multi-image/kit/errors';
import { vi } from 'vitest';
import { isRefusal, run as runCommand } from '../cli/main.ts';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command on the config of a folder, in this process: starting one for each test takes most of their time. */
export async function run(folder: string, command?: string, ...args: string[]): Promise<Outcome> {
  let [stdout, stderr] = ['', ''];
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      stdout += String(text);
      return true;
    }),
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      stderr += String(text);
      return true;
    }),
  ];
  try {
    const config = command === 'schema' ? [] : ['--config', join(folder, 'konflux.config.ts')];
    const code = await runCommand(command === undefined ? [] : [command, ...args, ...config]).catch(
      (error: unknown) => {
        if (!isCodedError(error)) throw error;
        process.stderr.write(formatError(error));
        return isRefusal(error) ? EXIT.refused : EXIT.failed;
      },
    );
    return { code, stdout, stderr };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
