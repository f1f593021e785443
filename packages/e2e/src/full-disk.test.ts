import { CodedError } from '@multi-image/kit/errors';
import { expect, test } from 'vitest';
import { nameFullDisk, withFullRegistry } from './full-disk.ts';

const full = Object.assign(new Error("ENOSPC: no space left on device, write '/tmp/x'"), { code: 'ENOSPC' });

test.each([
  ['of Node', full],
  ['in the cause', new CodedError('TARGET_NOT_WRITABLE', 'a file can not be written', { cause: full })],
  [
    'in what a tool said',
    new CodedError('TOOL_FAILED', 'git failed', { found: 'fatal: x\nwrite: No space left on device' }),
  ],
])('a full disk %s is named', (_, error) => {
  expect(nameFullDisk(error)).toMatchObject({ code: 'DISK_FULL', found: expect.stringMatching(/no space left/i) });
});

test('any other error stays as it is', () => {
  const error = new CodedError('TOOL_FAILED', 'git failed');
  expect(nameFullDisk(error)).toBe(error);
});

test('what the registry said of its disk is told of the tasks that failed', () => {
  const log =
    'time="2026-11-30T21:30:00Z" level=error msg="response completed with error" err.code=unknown err.detail="filesystem: write /mnt/x/data: no space left on device" vars.name=a/b';
  const tasks = [
    { status: 'Succeeded', logTail: undefined },
    { status: 'Failed', logTail: ['localhost:5480 failed on an upload in a/b: HTTP 500: UNKNOWN: unknown error'] },
  ];
  expect(withFullRegistry(tasks, 'level=warn msg="nothing"')).toEqual(tasks);
  expect(withFullRegistry(tasks, log)).toEqual([
    tasks[0],
    {
      ...tasks[1],
      logTail: [...(tasks[1]?.logTail ?? []), 'the registry: write /mnt/x/data: no space left on device'],
    },
  ]);
});
