import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CliFolder, makeCliFolder, repository } from './testing/cli-run.ts';

let clone: CliFolder['clone'];
let start: CliFolder['start'];
let e2e: CliFolder['e2e'];
let leftovers: CliFolder['leftovers'];
let remove: CliFolder['remove'];

beforeAll(async () => {
  ({ clone, start, e2e, leftovers, remove } = await makeCliFolder());
});
afterAll(() => remove());

async function edit(file: string, change: (text: string) => string): Promise<void> {
  const text = await readFile(file, 'utf8');
  const changed = change(text);
  expect(changed).not.toBe(text);
  await writeFile(file, changed);
}

describe('the pipelines are what is executed', () => {
  test('without the build argument, Image 2 holds nothing and its criterion falls', async () => {
    const checkout = await clone('no-build-arg');
    await edit(join(checkout, 'pipeline/unified-build.yaml'), (text) => text.replace(/^.*- IMAGE1_DIGEST=.*\n/m, ''));
    const { exitCode, output, report } = await e2e(checkout, '--allow-drift');
    expect(exitCode).toBe(1);
    expect(output).toContain('criterion fell: image-2-embeds-image-1');
    const evidence = report?.criteria.find(({ id }) => id === 'image-2-embeds-image-1')?.evidence;
    const origin = report?.images[0]?.originDigest;
    expect(evidence).toContainEqual(
      expect.objectContaining({ check: 'env', status: 'failed', expected: origin, found: 'nothing' }),
    );
    // Nothing that a reader sees was moved.
    expect(report?.images.map((image) => image.latestDigest)).toEqual([null, null]);
    expect(report?.images[0]?.sealedDigest).toBeNull();
    expect(await leftovers()).toEqual([]);
  });

  test('with another label key, Image 1 is not labelled and its criterion falls', async () => {
    const checkout = await clone('other-label');
    await edit(join(checkout, 'pipeline/tasks/label-image.yaml'), (text) =>
      text.replaceAll('--prefix=$(params.LABEL_PREFIX)', '--prefix=com.example.other'),
    );
    const { exitCode, output, report } = await e2e(checkout, '--allow-drift');
    expect(exitCode).toBe(1);
    expect(output).toContain('criterion fell: image-1-labelled');
    const evidence = report?.criteria.find(({ id }) => id === 'image-1-labelled')?.evidence;
    // Nothing was sealed under the other key: the task that should have refused it.
    expect(evidence).toContainEqual(
      expect.objectContaining({
        check: 'task',
        status: 'failed',
        text: expect.stringMatching(/^label-image-1 of .* failed$/),
        found: expect.stringContaining('LINK_MISMATCH'),
      }),
    );
    expect(report?.cause?.lines.join('\n')).toContain('com.example.other');
  });
});

test.each([
  ['Ctrl-C', 'SIGINT', 130],
  // Nobody is left to clean up but the janitor.
  ['SIGKILL', 'SIGKILL', null],
] as const)('stopped in the middle of a build by %s, it leaves nothing behind', async (_, signal, expected) => {
  const child = start(await clone(`stopped-${signal}`), '--port', '0');
  child.stderr.resume();
  let output = '';
  // The build's storage is mounted then, and the scanner waits in its container.
  await new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk) => {
      output += chunk;
      if (output.includes('✓ app · prefetch-dependencies')) resolve();
    });
  });
  await sleep(700);
  expect((await leftovers()).length).toBeGreaterThan(0);
  child.kill(signal);
  const [exitCode] = await once(child, 'exit');
  expect(exitCode).toBe(expected);
  const until = Date.now() + (signal === 'SIGKILL' ? 120_000 : 0);
  while (Date.now() < until && (await leftovers()).length > 0) await sleep(200);
  expect(await leftovers()).toEqual([]);
});

test('a reader that goes away ends the run, and nothing stays behind', async () => {
  const child = start(await clone('unread'), '--port', '0');
  child.stderr.resume();
  await once(child.stdout, 'data');
  child.stdout.destroy();
  await once(child, 'exit');
  expect(await leftovers()).toEqual([]);
});

describe('what can not be run ends with exit code 2 and says why', () => {
  test('an unknown option', async () => {
    const { exitCode, output } = await e2e(repository, '--no-such-option');
    expect(exitCode).toBe(2);
    expect(output).toContain('error USAGE:');
  });

  test('a port that is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const checkout = await clone('port');
    const { exitCode, output } = await e2e(checkout, '--port', String(port), '--report', 'report.json');
    server.close();
    expect(exitCode).toBe(2);
    expect(output).toContain('error PORT_TAKEN:');
    expect(output).toContain('--port');
    expect(existsSync(join(checkout, 'report.json'))).toBe(false);
    expect(await leftovers()).toEqual([]);
  });

  test('a folder that is no repository', async () => {
    const { exitCode, output } = await e2e(tmpdir(), '--port', '0');
    expect(exitCode).toBe(2);
    expect(output).toContain('error NOT_A_GIT_REPOSITORY:');
    expect(await leftovers()).toEqual([]);
  });

  test('a report that can not be written', async () => {
    const { exitCode, output } = await e2e(repository, '--report', '/proc/no/such/folder.json');
    expect(exitCode).toBe(2);
    expect(output).toContain('error REPORT_UNWRITABLE:');
  });
});
