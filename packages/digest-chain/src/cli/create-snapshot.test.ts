import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Outcome, runCli } from '../testing/cli.ts';

const COMMIT = '1'.repeat(40);

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'digest-chain-create-snapshot-'));
  for (const name of ['token', 'ca.crt', 'namespace']) await writeFile(join(folder, name), name);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Where neither the registry nor the cluster is there: what is wrong before either is asked is said first. */
function createSnapshot(history: string): Promise<Outcome> {
  const url = 'https://git.example/acme/app';
  const image = `127.0.0.1:1/app@sha256:${'0'.repeat(64)}`;
  const spec = {
    application: 'chain',
    components: [{ name: 'app', containerImage: image, source: { git: { url, revision: COMMIT } } }],
  };
  const options = ['--application=chain', '--chain=app', '--component=primary=app', `--git-url=${url}`, '--event=push'];
  const test = [`--snapshot=${JSON.stringify(spec)}`, '--built=app', `--service-account=${folder}`];
  const environment = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: '1' };
  return runCli(['create-snapshot', ...options, ...test, `--history=${history}`], {}, environment);
}

it.each([
  ['has no end', '/dev/zero', 'the history of the commit is not known'],
  ['is not there', '/no/such', "the history of the commit can't be read"],
])('refuses a history that %s', async (_, file, message) => {
  const { status, stderr } = await createSnapshot(file);
  expect(stderr).toContain(`error SNAPSHOT_INVALID: ${message}`);
  expect(status).toBe(1);
});
