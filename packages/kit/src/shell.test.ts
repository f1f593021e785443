import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { shellWord } from './shell.ts';

test.each(["it's", '$(touch hacked)', '`x`', 'a b', '"', '\\', '', '!x', 'a\nb', "';touch hacked;'"])(
  'whatever is in a value, %j is one word for a shell',
  (text) => {
    const { stdout } = spawnSync('bash', ['-c', `printf '<%s>' ${shellWord(text)}`], {
      cwd: tmpdir(),
      encoding: 'utf8',
    });
    expect(stdout).toBe(`<${text}>`);
  },
);
