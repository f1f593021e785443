import { buildArgsOf, tasksOf } from '@multi-image/testing/attested-chain';
import { REVISION } from '@multi-image/testing/chain';
import { memoryChain, signChain } from '@multi-image/testing/memory-chain';
import { memoryRegistry } from '@multi-image/testing/memory-registry';
import { provenanceV02 } from '@multi-image/testing/provenance';
import { pushChain } from '@multi-image/testing/pushed-chain';
import { startTestRegistry } from '@multi-image/testing/registry';
import { createSigner } from '@multi-image/testing/signer';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseReference } from '../reference.ts';
import { runCli } from '../testing/cli.ts';
import { type SnapshotOptions, snapshotOf } from './document.ts';

const SOURCE = 'https://git.example/org/app';
const COMPONENTS: ReadonlyMap<string, string | undefined> = new Map([
  ['primary', 'app'],
  ['metadata', 'scanner'],
]);

async function sealed() {
  const registry = memoryRegistry();
  const chain = await memoryChain(registry, 'app');
  const make = (options: Partial<SnapshotOptions> = {}, start = `${chain.image1}:${REVISION}`) =>
    snapshotOf(registry, parseReference(start), {
      application: 'my-app',
      components: COMPONENTS,
      gitUrl: SOURCE,
      ...options,
    });
  return { registry, chain, make };
}

describe('the Snapshot of a chain', () => {
  it('names every component by the digest that was proved, with the commit, and the same again', async () => {
    const { chain, make } = await sealed();
    const snapshot = await make({ namespace: 'tenant' });
    const source = { git: { url: SOURCE, revision: REVISION } };
    expect(snapshot).toMatchObject({
      apiVersion: 'appstudio.redhat.com/v1alpha1',
      kind: 'Snapshot',
      metadata: { namespace: 'tenant', labels: { 'appstudio.openshift.io/application': 'my-app' } },
      spec: { application: 'my-app' },
    });
    expect(snapshot.spec.components).toEqual([
      { name: 'app', containerImage: `${chain.image1}@${chain.sealed}`, source },
      { name: 'scanner', containerImage: `${chain.image2}@${chain.metadata}`, source },
    ]);
    expect(snapshot.metadata.name).toMatch(new RegExp(`^my-app-${REVISION.slice(0, 12)}-[0-9a-f]{12}$`));
    expect((await make()).metadata.name).toBe(snapshot.metadata.name);
    const long = await make({ application: `${'a'.repeat(35)}-----b` });
    expect(long.metadata.name).toMatch(/^a{35}-[0-9a-f]{12}-[0-9a-f]{12}$/);
  });

  it('leaves out what is no component, and nothing else', async () => {
    const { make } = await sealed();
    const some = new Map([...COMPONENTS, ['metadata', undefined] as const]);
    expect((await make({ components: some })).spec.components.map(({ name }) => name)).toEqual(['app']);
    await expect(make({ components: new Map([['primary', 'app']]) })).rejects.toMatchObject({
      code: 'USAGE',
      expected: 'one for each role: primary, metadata',
    });
    const more = new Map([...COMPONENTS, ['bundle', 'bundle'] as const]);
    await expect(make({ components: more })).rejects.toMatchObject({
      code: 'USAGE',
      found: 'primary, metadata, bundle',
    });
    await expect(make({ gitUrl: undefined })).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('is not made of a chain that is broken, of another commit, or not attested where that is asked for', async () => {
    const { registry, chain, make } = await sealed();
    const signer = createSigner();
    await expect(make({ revision: 'f'.repeat(40) })).rejects.toMatchObject({ code: 'VERIFICATION_FAILED' });
    await expect(make({ keys: signer.keys })).rejects.toMatchObject({ code: 'VERIFICATION_FAILED' });
    const run = provenanceV02([chain.sealed, chain.origin, chain.metadata], tasksOf(chain, buildArgsOf(chain)));
    await signChain(registry, chain, signer, [{ image: chain.image2, digest: chain.metadata, statement: run }]);
    expect((await make({ keys: signer.keys })).spec.components).toHaveLength(2);
    registry.manifests.delete(`${chain.image2}@${chain.metadata}`);
    await expect(make()).rejects.toMatchObject({ code: 'VERIFICATION_FAILED' });
  });
});

describe('digest-chain snapshot', () => {
  it('prints it as YAML, from either end of a chain that is linked by a statement', async () => {
    const server = await startTestRegistry();
    try {
      const { image1, image2, origin, metadata } = await pushChain(server.host, 'snapshot');
      const linked = `metadata=${image2}:${REVISION}@${metadata}`;
      expect((await runCli(['link', `${image1}@${origin}`, linked])).status).toBe(0);
      const options = ['--application', 'my-app', '--component', 'primary=app', '--component', 'metadata=scanner'];
      const first = await runCli(['snapshot', `${image1}@${origin}`, ...options, '--git-url', SOURCE]);
      expect(first).toMatchObject({ status: 0, stderr: expect.stringContaining('no public key was given') });
      const other = await runCli(['snapshot', `${image2}@${metadata}`, ...options, '--git-url', SOURCE]);
      expect(parse(other.stdout)).toEqual(parse(first.stdout));
      expect(
        parse(first.stdout)
          .spec.components.map((each: { name: string }) => each.name)
          .toSorted(),
      ).toEqual(['app', 'scanner']);
      const json = await runCli(['snapshot', `${image1}@${origin}`, ...options, '--git-url', SOURCE, '--json']);
      expect(JSON.parse(json.stdout)).toEqual(parse(first.stdout));
      const failed = await runCli([
        'snapshot',
        `${image1}@${origin}`,
        ...options,
        '--git-url',
        SOURCE,
        '--revision',
        'f'.repeat(40),
      ]);
      expect(failed).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('VERIFICATION_FAILED') });
    } finally {
      await server.stop();
    }
  });

  it.each<[string, readonly string[]]>([
    ['no --application', ['--component', 'primary=app']],
    ['not <role>=<name>', ['--application', 'a', '--component', 'app']],
    ['given twice for primary', ['--application', 'a', '--component', 'primary=app', '--component', 'primary=b']],
    ['given for two roles', ['--application', 'a', '--component', 'primary=app', '--component', 'metadata=app']],
    ['not a Kubernetes name', ['--application', 'A_b']],
    ['not a Kubernetes name', ['--application', 'a', '--component', 'primary=app:1']],
  ])('is refused: %s', async (problem, args) => {
    const outcome = await runCli(['snapshot', 'registry.invalid/app:1', '--git-url', SOURCE, ...args]);
    expect(outcome).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining(problem) });
  });
});
