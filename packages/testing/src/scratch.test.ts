import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { startTestRegistry } from './registry.ts';
import { makeScratch, removeLeft } from './scratch.ts';

test('what a killed process left is removed, with its registry; what somebody still uses is not', async () => {
  const start = `(await import('${new URL('./registry.ts', import.meta.url).href}')).startTestRegistry()`;
  const program = `const { root, host } = await ${start}; console.log(JSON.stringify({ root, host })); process.stdin.resume();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  const left = JSON.parse(String((await once(child.stdout, 'data'))[0]));
  child.kill('SIGKILL');
  await once(child, 'exit');
  const own = makeScratch('own');
  const registry = await startTestRegistry();
  try {
    expect((await fetch(`http://${left.host}/v2/`)).ok).toBe(true);
    await removeLeft([dirname(left.root)]);
    await expect(fetch(`http://${left.host}/v2/`)).rejects.toThrow('fetch failed');
    expect([left.root, own.folder, registry.root].map(existsSync)).toEqual([false, true, true]);
  } finally {
    own.remove();
    await registry.stop();
  }
});
