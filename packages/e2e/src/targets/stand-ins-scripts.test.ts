import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { hasCommand } from '@multi-image/testing/command';
import { makeFolder } from '@multi-image/testing/source';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runScript, specOf } from '../testing/stand-ins/script.ts';
import { STAND_INS } from './stand-ins.ts';

const repository = resolve(import.meta.dirname, '../../../..');
const scripts = resolve(import.meta.dirname, '../../../../stand-ins/scripts');
const DIGEST = `sha256:${'0'.repeat(64)}`;

const hasShellcheck = hasCommand('shellcheck');
const lint = hasShellcheck ? 'shellcheck finds nothing' : 'shellcheck finds nothing: this machine has no shellcheck';

describe.skipIf(!hasShellcheck)(lint, () => {
  test.each(globSync('**/*.sh', { cwd: scripts }))('%s', (file) => {
    const { stdout, status } = spawnSync('shellcheck', ['--external-sources', file], {
      cwd: scripts,
      encoding: 'utf8',
    });
    expect({ stdout, status }).toEqual({ stdout: '', status: 0 });
  });

  test('in the scripts as steps have them', async () => {
    const steps = (await Promise.all(STAND_INS.map(specOf))).flatMap((spec) => spec.steps);
    // Half of the tasks have the same.
    const texts = new Set(steps.flatMap(({ script }) => script ?? []));
    expect(texts.size).toBeGreaterThan(5);
    for (const input of texts) {
      expect(spawnSync('shellcheck', ['-'], { input, encoding: 'utf8' }).stdout).toBe('');
    }
  });
});

describe('what a stand-in can’t heed, it refuses by name', () => {
  test.each(STAND_INS)('%s', async (task) => {
    for (const { name, type, description = '', default: usual } of specOf(task).params) {
      if (!/\bnot supported\b/i.test(description)) continue;
      const other = usual === 'true' ? 'false' : 'true';
      const { status, output } = await runScript(task, { [name]: type === 'array' ? ['NAME=value'] : other });
      expect(status).toBe(1);
      expect(output).toContain(name === 'input' ? 'an empty param input' : `param ${name} is not supported`);
    }
  });

  test.each([
    ['git-clone-oci-ta', { 'workspaces.ssh-directory.bound': 'true' }, 'workspace ssh-directory is not supported'],
    ['git-clone-oci-ta', { revision: '--upload-pack=x' }, 'the revision is malformed'],
    ['git-clone-oci-ta', { revision: 'a:b' }, 'the revision is malformed'],
    ['git-clone-oci-ta', { depth: '-1' }, 'param depth is not a number'],
    ['apply-tags', { IMAGE_DIGEST: 'sha256:0' }, 'IMAGE_DIGEST is not a digest'],
    ['apply-tags', { IMAGE_DIGEST: DIGEST, ADDITIONAL_TAGS: ['good', 'not/good'] }, 'a tag is malformed'],
    ['clair-scan', { 'image-digest': 'latest' }, 'digest is malformed'],
    ['build-image-index', { IMAGES: ['quay.io/a:1'] }, 'an entry of IMAGES has no digest'],
    ['build-image-index', { IMAGES: [`a@${DIGEST}`, `b@${DIGEST}`], ALWAYS_BUILD_INDEX: 'false' }, 'exactly one image'],
    ['build-image-index', { IMAGES: [], BUILDAH_FORMAT: 'other' }, 'BUILDAH_FORMAT is unknown'],
    ['buildah-oci-ta', { BUILDAH_FORMAT: 'other' }, 'BUILDAH_FORMAT is unknown'],
    ['buildah-oci-ta', { SOURCE_DATE_EPOCH: 'today' }, 'is not a time'],
    ['buildah-oci-ta', { BUILD_ARGS: ['no-value'] }, 'build-args: not name=value'],
    // It could else end the list that it is in.
    ['buildah-oci-ta', { BUILD_ARGS: ['--labels', 'a=b'] }, 'an array param holds something that is not name=value'],
    ['buildah-remote-oci-ta', { PLATFORM: 'windows/amd64' }, 'param PLATFORM is not one'],
    ['buildah-remote-oci-ta', { PLATFORM: 'linux/riscv64' }, 'param PLATFORM is not one'],
  ])('%s with %j', async (task, given, message) => {
    const { status, output } = await runScript(task, given);
    expect(output).toContain(message);
    expect(status).toBe(1);
  });
});

describe('credentials for git', () => {
  const challenge = createServer((request, response) => {
    seen.push(request.headers.authorization ?? '');
    response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end();
  });
  const seen: string[] = [];
  let url = '';

  beforeAll(async () => {
    challenge.listen(0, '127.0.0.1');
    await once(challenge, 'listening');
    url = `http://127.0.0.1:${(challenge.address() as AddressInfo).port}`;
  });
  afterAll(() => void challenge.close());

  async function clone(
    files: Readonly<Record<string, string>>,
    start = 'http://',
  ): Promise<{ output: string; seen: string[] }> {
    const folder = makeFolder(files);
    seen.length = 0;
    const bound = { 'workspaces.basic-auth.bound': 'true', 'workspaces.basic-auth.path': folder };
    try {
      const { output } = await runScript('git-clone-oci-ta', {
        url: `${url.replace('http://', start)}/a.git`,
        ...bound,
      });
      return { output, seen: seen.filter((header) => header !== '') };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  test('come from .git-credentials, go to their host alone, and are not shown', async () => {
    const own = await clone({ '.git-credentials': `${url.replace('//', '//user:p%40ss@')}\n` });
    expect(own.seen).toEqual([`Basic ${Buffer.from('user:p@ss').toString('base64')}`]);
    expect(own.output).not.toMatch(/p%40ss|p@ss/);
    const other = await clone({ '.git-credentials': 'https://user:p%40ss@git.example\n' });
    expect(other.seen).toEqual([]);
  });

  test('as a name and a password are sent over https only', async () => {
    const { output, seen: sent } = await clone({ username: 'user', password: 'p@ss\n' }, 'http://me:hidden@');
    expect(output).toContain('credentials are only sent over https');
    expect(output).not.toContain('hidden');
    expect(sent).toEqual([]);
  });

  test('that are none are refused', async () => {
    expect((await clone({ token: 'x' })).output).toContain('workspace basic-auth holds no credentials');
  });
});

describe('the bases of a Containerfile', () => {
  test('are literal images, and no stages', () => {
    const text = [
      '# FROM quay.io/comment',
      'FROM --platform=linux/amd64 quay.io/a:1 AS Build',
      'FROM scratch as empty',
      'from build',
      'COPY --from=build /x /x',
      'COPY --chmod=0444 --from=quay.io/b:2 /x /x',
      'COPY --from=0 /x /x',
      'RUN --mount=type=bind,from=quay.io/c:3,target=/c true',
      'RUN --mount=from=quay.io/d true',
      'RUN echo --from=quay.io/no',
    ];
    const images = ['quay.io/a:1', 'quay.io/b:2', 'quay.io/c:3', 'quay.io/d'];
    for (const end of ['\n', '\r\n']) {
      expect(readBases(text.join(end))).toEqual({ images, byArgument: {}, base: 'quay.io/a:1' });
    }
  });

  test('are filled in with arguments, of which some are the whole name', () => {
    const text = `ARG R=quay.io\nARG A="quay.io/a:1" B=\${R}/b\nARG C\nFROM \${A}\nFROM "$B"\nFROM \${R}/d:\${T:-4}\nFROM $C\nFROM $R/$U\n`;
    expect(readBases(text)).toMatchObject({
      images: ['quay.io/a:1', 'quay.io/b', 'quay.io/d:4'],
      byArgument: { A: 'quay.io/a:1', B: 'quay.io/b' },
    });
    expect(readBases(text, { A: 'quay.io/z', C: 'quay.io/c' })).toMatchObject({
      images: ['quay.io/b', 'quay.io/c', 'quay.io/d:4', 'quay.io/z'],
      byArgument: { A: 'quay.io/z', B: 'quay.io/b', C: 'quay.io/c' },
    });
  });

  test('are on continued lines as well', () => {
    expect(readBases('FROM \\\n# comment\n  quay.io/a \\\n  AS x\nFROM x')).toMatchObject({
      images: ['quay.io/a'],
      base: 'quay.io/a',
    });
  });

  test.each([
    ['', 'quay.io/a'],
    ['1', 'quay.io/a'],
    ['two', 'quay.io/a'],
    ['none', ''],
    ['last', 'quay.io/b'],
  ])('the stage %j stands on %j in the end', (stage, base) => {
    const text =
      'ARG B=quay.io/b\nFROM quay.io/a AS One\nFROM one AS two\nFROM scratch AS none\nFROM $B AS last\nFROM two';
    expect(readBases(text, {}, stage).base).toBe(base);
  });

  test('are nothing that is run or unknown', () => {
    const text = 'FROM scratch\nARG A=late\nCOPY --from=$A /x /x\nLABEL x="$(id)" y=`id`\nARG =\n';
    expect(readBases(text)).toEqual({ images: [], byArgument: {}, base: '' });
  });

  const own = globSync('examples/*/*/Containerfile', { cwd: repository });
  test.each(own)('of %s are those that it names', (file) => {
    const text = readFileSync(join(repository, file), 'utf8');
    const { images } = readBases(text);
    for (const image of images) expect(text).toContain(image);
    expect(images.length).toBe(new Set(text.match(/^FROM (?!scratch)/gm)).size);
  });
});

function readBases(
  text: string,
  given: Readonly<Record<string, string>> = {},
  target = '',
): { images: string[]; byArgument: Record<string, string>; base: string } {
  const script = `set -euo pipefail
    declare -A build_args=(); architecture=amd64 node=amd64 target=$1; shift
    for word; do build_args[\${word%%=*}]=\${word#*=}; done
    . ./containerfile.sh
    read_containerfile <(cat)
    printf '%s\\n' "\${stages[\${target:-$last}]-}" "\${!bases[@]}"
    for name in "\${!by_argument[@]}"; do printf '=%s=%s\\n' "$name" "\${by_argument[$name]}"; done`;
  const words = Object.entries(given).map(([name, value]) => `${name}=${value}`);
  const output = execFileSync('bash', ['-c', script, 'bash', target, ...words], {
    cwd: scripts,
    input: text,
    encoding: 'utf8',
  });
  const [base = '', ...lines] = output.trimEnd().split('\n');
  return {
    base,
    images: lines.filter((line) => line !== '' && !line.startsWith('=')).sort(),
    byArgument: Object.fromEntries(
      lines.filter((line) => line.startsWith('=')).map((line) => line.slice(1).split('=')),
    ),
  };
}

test('a build sees the images it stands on in this machine’s storage, and no layer that somebody is writing', () => {
  const layers = [
    { id: 'bottom' },
    { id: 'top', parent: 'bottom' },
    { id: 'of-another' },
    { id: 'half', parent: 'top' },
  ];
  const images = [
    { id: 'one', names: ['localhost/base:1'], layer: 'top' },
    { id: 'two', names: ['localhost/other:1'], layer: 'of-another' },
  ];
  const store = makeFolder({
    'overlay/top/diff/file': 'text\n',
    'overlay-images/images.json': JSON.stringify(images),
    'overlay-images/one/manifest': '{}\n',
    'overlay-layers/layers.json': JSON.stringify(layers),
    'overlay-layers/layers.lock': '',
  });
  try {
    const lines = [
      'set -euo pipefail',
      `. ${join(scripts, 'bases.sh')}`,
      'declare -A bases=([pinned]=used) by_argument=()',
      'work=$1 architecture=amd64 node=amd64 SUBSTITUTES="pinned localhost/base:1 sha256:one"',
      'storage=(--storage-driver=overlay "--storage-opt=overlay.imagestore=$1")',
      'bring_bases',
      'view=$work/images-1',
      'jq -c "map(.id)" "$view"/overlay-images/images.json "$view"/overlay-layers/layers.json',
      'cat "$view"/overlay/top/diff/file "$view"/overlay-images/one/manifest; ls "$view"/overlay-layers',
    ];
    const args = ['-c', lines.join('\n'), 'bash', store];
    const { stdout, stderr } = spawnSync('bash', args, { encoding: 'utf8' });
    expect({ stdout, stderr }).toEqual({ stdout: '["one"]\n["bottom","top"]\ntext\n{}\nlayers.json\n', stderr: '' });
  } finally {
    rmSync(store, { recursive: true, force: true });
  }
});
