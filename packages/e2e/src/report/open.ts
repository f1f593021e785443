import { spawn } from 'node:child_process';
import { E2eError } from '../errors.ts';

const OPENERS: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  darwin: ['open'],
  win32: ['explorer.exe'],
  linux: ['xdg-open'],
};

/** Shows a file in this machine's browser, and doesn't wait for it. Throws `TOOL_MISSING`. */
export async function openInBrowser(file: string): Promise<void> {
  const [program = 'xdg-open', ...args] = OPENERS[process.platform] ?? [];
  const child = spawn(program, [...args, file], { stdio: 'ignore', detached: true });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => {
      reject(new E2eError('TOOL_MISSING', `${program} was not found`, { hint: `open ${file} in a browser`, cause }));
    });
  });
  child.unref();
}
