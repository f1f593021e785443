import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'janitor-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A process that makes a folder and a child of its own, tells their names and then does `end`. */
async function start(end: string, { deaf = false } = {}) {
  const made = join(folder, 'made');
  const onTerm = deaf ? 'process.on("SIGTERM", () => {});' : '';
  const program = `
    import { spawn } from 'node:child_process';
    import { mkdirSync } from 'node:fs';
    import { Janitor } from ${JSON.stringify(new URL('janitor.ts', import.meta.url).href)};
    const janitor = new Janitor();
    janitor.remember({ kind: 'folder', path: ${JSON.stringify(made)} });
    mkdirSync(${JSON.stringify(made)});
    // One that carries the marker only, as what a tool starts in its turn does; detached.
    const child = spawn(process.execPath, ['-e', '${onTerm} console.log("up"); setInterval(() => {}, 1000)'], {
      detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
    child.stdout.once('data', () => console.log(child.pid));
    process.stdin.once('data', async () => { ${end} });
  `;
  const parent = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = await once(parent.stdout, 'data');
  const pid = Number(String(line));
  expect(existsSync(made)).toBe(true);
  expect(isRunning(pid)).toBe(true);
  return { parent, made, pid };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function eventually(condition: () => boolean): Promise<boolean> {
  for (let waited = 0; waited < 120_000; waited += 50) {
    if (condition()) return true;
    await sleep(50);
  }
  return false;
}

test('finish removes everything before it returns, what is deaf to SIGTERM as well', async () => {
  const end = 'await janitor.finish(); console.log("finished"); process.exit(0)';
  const { parent, made, pid } = await start(end, { deaf: true });
  parent.stdin.write('\n');
  await once(parent.stdout, 'data');
  expect(existsSync(made)).toBe(false);
  expect(isRunning(pid)).toBe(false);
});

test.each(['SIGKILL', 'SIGTERM'] as const)('what is left after %s is removed too', async (signal) => {
  const { parent, made, pid } = await start('');
  parent.kill(signal);
  expect(await eventually(() => !existsSync(made) && !isRunning(pid))).toBe(true);
});

test('leave removes nothing', async () => {
  const { parent, made, pid } = await start('await janitor.leave(); process.exit(0)');
  parent.stdin.write('\n');
  await once(parent, 'exit');
  await sleep(300);
  expect(existsSync(made)).toBe(true);
  process.kill(pid, 'SIGKILL');
});
