import { afterAll, expect, it } from 'vitest';
import { runCommand } from '../command.ts';
import { buildNodeBase } from './base-image.ts';

const TAGS = ['one', 'two'].map((name) => `localhost/tekton-local-test/node-base-${process.pid}:${name}`);

afterAll(async () => {
  for (const tag of TAGS) await runCommand('buildah', ['rmi', tag]).catch(() => undefined);
});

function inspect(tag: string | undefined, format: string): Promise<string> {
  return runCommand('buildah', ['inspect', '--type=image', `--format=${format}`, tag ?? '']);
}

it('is the same image whenever it is made, and made only once', async () => {
  for (const tag of TAGS) expect(await buildNodeBase({ tag })).toBe(tag);
  const [one, two] = await Promise.all(TAGS.map((tag) => inspect(tag, '{{.FromImageDigest}}')));
  expect(two).toBe(one);
  const id = await inspect(TAGS[0], '{{.FromImageID}}');
  await buildNodeBase({ tag: TAGS[0] ?? '' });
  expect(await inspect(TAGS[0], '{{.FromImageID}}')).toBe(id);
  const { OCIv1 } = JSON.parse(await runCommand('buildah', ['inspect', '--type=image', TAGS[0] ?? '']));
  expect(OCIv1.created).toBe('1970-01-01T00:00:00Z');
  expect(OCIv1.config.User).toBeUndefined();
  expect(OCIv1.config.Env).toEqual(['PATH=/usr/local/bin:/usr/bin:/bin']);
});

it('is made anew where the tag is another image', async () => {
  const [one = '', two = ''] = TAGS;
  await runCommand('buildah', ['from', '--name', `tekton-local-test-${process.pid}`, one]);
  try {
    const name = `tekton-local-test-${process.pid}`;
    await runCommand('buildah', ['config', '--label', 'tekton-local.node-base.key=other', name]);
    await runCommand('buildah', ['commit', '--quiet', name, two]);
  } finally {
    await runCommand('buildah', ['rm', `tekton-local-test-${process.pid}`]);
  }
  expect(await inspect(two, '{{.FromImageDigest}}')).not.toBe(await inspect(one, '{{.FromImageDigest}}'));
  const other = await inspect(two, '{{.FromImageID}}');
  await buildNodeBase({ tag: two });
  // It had no other name, so that it would have stayed without one.
  await expect(inspect(other, '{{.FromImageID}}')).rejects.toMatchObject({ code: 'TOOL_FAILED' });
  expect(await inspect(two, '{{.FromImageDigest}}')).toBe(await inspect(one, '{{.FromImageDigest}}'));
});

it('stops when it is interrupted', async () => {
  const made = buildNodeBase({ tag: TAGS[0] ?? '', signal: AbortSignal.abort() });
  await expect(made).rejects.toMatchObject({ code: 'INTERRUPTED' });
});
