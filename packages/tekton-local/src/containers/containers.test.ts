import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { makeCheckout } from '@multi-image/testing/checkout';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { probeContainers, requireUsers } from './containers.ts';

let folder: ReturnType<typeof makeCheckout>;

beforeEach(() => {
  folder = makeCheckout({});
  vi.stubEnv('PATH', `${folder.root}${delimiter}${process.env.PATH}`);
  vi.stubEnv('XDG_CACHE_HOME', join(folder.root, 'cache'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  folder.remove();
});

/** A podman that runs everything, and has these lines in the maps of its user namespace. */
function podman(uids: string, gids: string): void {
  const answer = [`/proc/self/uid_map:${uids}`, `/proc/self/gid_map:${gids}`].join('\\n').replaceAll('\n', '\\n');
  const path = join(folder.root, 'podman');
  writeFileSync(path, `#!/bin/sh\n[ "$1" = unshare ] || exit 0\nprintf '${answer}\\n'\n`);
  chmodSync(path, 0o755);
}

const ONE = '         0       1003          1';
const MANY = `${ONE}\n/proc/self/uid_map:         1     100000      65536`;

it.each([
  ['no range of ids', ONE, ONE, false],
  ['a range of users alone', MANY, ONE, false],
  ['ranges of both', MANY, MANY.replace('uid_map', 'gid_map'), true],
])('knows whether containers have other users than root: %s', async (_, uids, gids, users) => {
  vi.spyOn(process, 'getuid').mockReturnValue(1003);
  podman(uids, gids);
  expect(await probeContainers()).toMatchObject({ users });
});

it('has no doubt about users where podman is not asked so, and of root', async () => {
  vi.spyOn(process, 'getuid').mockReturnValue(1003);
  podman('', '');
  writeFileSync(join(folder.root, 'podman'), '#!/bin/sh\n[ "$1" != unshare ]\n');
  expect(await probeContainers()).toMatchObject({ users: true });
});

it('says how a user gets ids, with ids that nobody has', async () => {
  await requireUsers({ users: true }, 'anything');
  await requireUsers({}, 'anything');
  const error = await requireUsers({ users: false }, 'images have files of several users').catch((thrown) => thrown);
  expect(error).toMatchObject({
    code: 'CONTAINERS_UNUSABLE',
    expected: expect.stringContaining('images have files of several users'),
    hint: expect.stringMatching(
      /^echo \w+:\d+:65536 \| sudo tee -a \/etc\/subuid \/etc\/subgid && podman system migrate$/,
    ),
  });
  const start = Number(error.hint.split(':')[1]);
  const taken = readFileSync('/etc/subuid', 'utf8').trim().split('\n').filter(Boolean);
  for (const line of taken)
    expect(start).toBeGreaterThanOrEqual(Number(line.split(':')[1]) + Number(line.split(':')[2]));
});
