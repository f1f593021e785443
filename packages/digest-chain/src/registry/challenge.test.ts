import { cpuSeconds } from '@multi-image/testing/cpu-time';
import { expect, it } from 'vitest';
import { parseChallenges } from './authorizer.ts';

const read = (header: string): unknown[] =>
  parseChallenges(header).map(({ scheme, parameters }) => ({ scheme, ...Object.fromEntries(parameters) }));

it.each<[string, unknown[]]>([
  [
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"',
    [
      {
        scheme: 'bearer',
        realm: 'https://auth.docker.io/token',
        service: 'registry.docker.io',
        scope: 'repository:a/b:pull,push',
      },
    ],
  ],
  ['Basic realm="Registry Realm"', [{ scheme: 'basic', realm: 'Registry Realm' }]],
  ['basic Realm=x', [{ scheme: 'basic', realm: 'x' }]],
  ['Basic', [{ scheme: 'basic' }]],
  ['Bearer realm = "a" , scope="b c"', [{ scheme: 'bearer', realm: 'a', scope: 'b c' }]],
  ['Negotiate, Basic realm="r"', [{ scheme: 'negotiate' }, { scheme: 'basic', realm: 'r' }]],
  ['Negotiate YWJj==, Bearer realm="r"', [{ scheme: 'negotiate' }, { scheme: 'bearer', realm: 'r' }]],
  [
    'Basic realm="a", Bearer realm="b",service="s"',
    [
      { scheme: 'basic', realm: 'a' },
      { scheme: 'bearer', realm: 'b', service: 's' },
    ],
  ],
  ['Bearer realm="a\\"b\\\\c"', [{ scheme: 'bearer', realm: 'a"b\\c' }]],
  ['Bearer realm="first",realm="second"', [{ scheme: 'bearer', realm: 'first' }]],
  ['Bearer realm="open', [{ scheme: 'bearer' }]],
  ['', []],
  [',,,', []],
  ['realm="no scheme"', []],
])('reads %s', (header, expected) => {
  expect(read(header)).toEqual(expected);
});

it('takes no time for a header that is made to take some', () => {
  const seconds = cpuSeconds(() => {
    for (const piece of ['Bearer ', '"\\', 'a=', ',= ', '= "', 'a ', '=']) parseChallenges(piece.repeat(8000));
  });
  expect(seconds).toBeLessThan(0.5);
});
