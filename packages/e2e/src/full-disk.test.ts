import { CodedError } from '@multi-image/kit/errors';
import { expect, test } from 'vitest';
import { nameFullDisk } from './full-disk.ts';

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
