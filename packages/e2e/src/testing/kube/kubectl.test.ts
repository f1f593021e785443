import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CommandResult, run } from '@multi-image/kit/commands';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KINDS } from '../../targets/cluster/api/resource.ts';
import { writeLogin } from './login.ts';
import { KubeServer } from './server.ts';
import { createAuthority, readTls } from './tls.ts';

// That the server of the tests is no invention of theirs: kubectl works with it as with any cluster.

let folder: string;
let server: KubeServer;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'e2e-kube-'));
  server = new KubeServer();
});
afterEach(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const component = (name: string, application = 'chain'): string =>
  JSON.stringify({ ...KINDS.component, metadata: { name }, spec: { componentName: name, application } });

const hasKubectl = await run('kubectl', ['version', '--client']).then(
  ({ exitCode }) => exitCode === 0,
  () => false,
);

describe.skipIf(!hasKubectl)('kubectl, where it is installed', () => {
  // It sends no token without TLS.
  beforeEach(async () => {
    const authority = await createAuthority(join(folder, 'tls'));
    const address = await server.start(await readTls(authority));
    await writeLogin(join(folder, 'config'), { server: address, ca: authority.ca, user: { token: 'test-token' } });
  });

  const kubectl = async (args: string[], input = ''): Promise<CommandResult> => {
    await writeFile(join(folder, 'input'), input);
    const own = ['--kubeconfig', join(folder, 'config'), `--cache-dir=${folder}/cache`];
    return run('kubectl', [...own, ...args], { cwd: folder });
  };
  const apply = (manager: string, input: string, ...more: string[]): Promise<CommandResult> =>
    kubectl(
      ['apply', '--validate=false', '--server-side', `--field-manager=${manager}`, '-f', 'input', ...more],
      input,
    );

  test('applies, meets a conflict, forces it, and only says what it would do', async () => {
    expect(await apply('one', component('app'))).toMatchObject({ exitCode: 0 });
    expect((await apply('two', component('app', 'other'))).stderr).toContain(
      'Apply failed with 1 conflict: conflict with "one": .spec.application',
    );
    expect(await apply('two', component('app', 'other'), '--force-conflicts')).toMatchObject({ exitCode: 0 });
    expect(await apply('two', component('new'), '--dry-run=server')).toMatchObject({ exitCode: 0 });
    expect(server.store.all('Component').map(({ metadata, spec }) => [metadata.name, spec])).toEqual([
      ['app', { componentName: 'app', application: 'other' }],
    ]);
  });

  test('creates with a generated name, lists page by page, waits by a watch, deletes', async () => {
    const pipelineRun = (spec: object): string =>
      JSON.stringify({ ...KINDS.pipelineRun, metadata: { generateName: 'run-' }, spec });
    const create = ['create', '--validate=false', '-f', 'input'];
    for (let index = 0; index < 3; index++) {
      const made = await kubectl(create, pipelineRun({ pipelineRef: { name: 'p' } }));
      expect(made.stdout).toMatch(/^pipelinerun.tekton.dev\/run-[a-z0-9]{5} created/);
    }
    expect((await kubectl(create, pipelineRun({}))).stderr).toContain('denied the request: validation failed');
    const listed = await kubectl(['get', 'pipelineruns', '--chunk-size=1', '-o', 'name']);
    expect(listed.stdout.trim().split('\n')).toHaveLength(3);
    await apply('one', component('app'));
    const waiting = kubectl(['wait', 'component/app', '--for=jsonpath={.spec.application}=later', '--timeout=20s']);
    await kubectl(['patch', 'component', 'app', '--type=merge', '-p', '{"spec":{"application":"later"}}']);
    expect(await waiting).toMatchObject({ exitCode: 0 });
    expect(await kubectl(['delete', 'component', 'app'])).toMatchObject({ exitCode: 0 });
    expect((await kubectl(['delete', 'component', 'app'])).stderr).toContain('(NotFound)');
    expect((await kubectl(['create', '--validate=false', '-f', 'input'], component('Not_A_Name'))).stderr).toContain(
      'is invalid',
    );
  });
});
