import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ONES } from '@multi-image/testing/image';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { checkConfig } from '../config/check.ts';
import type { ChainConfig } from '../config/schema.ts';
import { readPins } from '../pins.ts';
import { chainOf, image, TWO } from '../testing/chains.ts';
import { checkDocuments, renderConfig } from '../testing/documents.ts';
import { MAY_BE_RELEASED } from './policy.ts';

const BUNDLE = `quay.io/org/chain-policy:abc@${ONES}`;

/** The policy and the scenario of a config. */
function policyOf(config: ChainConfig): Record<string, { spec: Record<string, unknown> }> {
  const files = renderConfig(config);
  expect(checkDocuments(files).problems).toEqual([]);
  const text = files.find(({ path }) => path === 'konflux/policy.yaml')?.text ?? '';
  return Object.fromEntries(parseAllDocuments(text).map((document) => [document.get('kind'), document.toJS()]));
}

test('a config without a policy has none', () => {
  expect(renderConfig(TWO).map(({ path }) => path)).not.toContain('konflux/policy.yaml');
});

test('a policy says which images belong together, and comes from a reviewed commit or a bundle', () => {
  const { EnterpriseContractPolicy: policy, IntegrationTestScenario: scenario } = policyOf({
    ...TWO,
    policy: 'source',
  });
  expect(policy?.spec).toEqual({
    description: expect.any(String),
    publicKey: 'k8s://openshift-pipelines/public-key',
    sources: [
      {
        name: 'image-chain',
        policy: [`git::https://git.example/org/chain//packages/policy/rego?ref=${readPins().verifier}`],
        ruleData: {
          image_chain: {
            version: 1,
            prefix: 'io.konflux.poc',
            source: 'https://git.example/org/chain',
            branch: 'main',
            images: [
              { role: 'primary', component: 'app', seal: 'label' },
              { role: 'metadata', component: 'metadata-scanner', embeds: ['primary'] },
            ],
          },
        },
      },
    ],
  });
  expect(scenario?.spec).toMatchObject({
    params: [{ name: 'POLICY_CONFIGURATION', value: 'tenant/policy-app' }],
    contexts: [{ name: 'push' }],
    resolverRef: {
      params: expect.arrayContaining([{ name: 'pathInRepo', value: 'pipeline/judge-by-policy.yaml' }]),
    },
  });
  const { EnterpriseContractPolicy: bundled } = policyOf({ ...TWO, policy: { bundle: BUNDLE } });
  expect(bundled?.spec.sources).toMatchObject([{ policy: [`oci::${BUNDLE}`] }]);
});

test('it knows how each image is linked, and of those built elsewhere only which are components', () => {
  const chain = chainOf(
    [
      image('operator', ['daemon'], { component: 'operator', seal: 'referrer' }),
      image('bundle', ['operator'], { component: 'bundle' }),
      image('catalog', ['bundle'], { component: 'catalog' }),
    ],
    { policy: 'source', seal: 'referrer', external: { daemon: { image: `quay.io/org/daemon:1@${ONES}` } } },
  );
  const { spec } = policyOf(chain).EnterpriseContractPolicy ?? {};
  expect(spec?.sources).toMatchObject([
    {
      ruleData: {
        image_chain: {
          images: [
            { role: 'operator', component: 'operator', seal: 'referrer' },
            { role: 'bundle', component: 'bundle', embeds: ['operator'], seal: 'referrer' },
            { role: 'catalog', component: 'catalog', embeds: ['bundle'] },
          ],
        },
      },
    },
  ]);
  expect(JSON.stringify(spec)).not.toContain('daemon');
  const daemon = { image: `quay.io/org/daemon:1@${ONES}`, component: 'daemon' };
  const { spec: named } = policyOf({ ...chain, external: { daemon } }).EnterpriseContractPolicy ?? {};
  expect(named?.sources).toMatchObject([
    { ruleData: { image_chain: { external: [{ role: 'daemon', component: 'daemon' }] } } },
  ]);
});

test('Conforma is asked about what may be released, and not about the Snapshot of one build of a chain', () => {
  const { pipelines } = checkDocuments(renderConfig({ ...TWO, policy: 'source' }));
  const [look, verify] = pipelines.get('pipeline/judge-by-policy.yaml')?.spec.tasks ?? [];
  expect(verify).toMatchObject({
    when: [{ input: '$(tasks.look.results.RELEASED)', operator: 'in', values: ['true'] }],
    params: expect.arrayContaining([{ name: 'IMAGES', value: '$(params.SNAPSHOT)' }]),
  });
  // Else the one of the cluster would be taken in place of the config's.
  expect(JSON.stringify(verify)).not.toContain('PUBLIC_KEY');
  expect(JSON.stringify(look)).toContain("metadata.labels['custom.appstudio.openshift.io/chain']");
  const folder = mkdtempSync(join(tmpdir(), 'policy-test-'));
  const outcome = (labels: { TYPE?: string; CHAIN?: string; RELEASE?: string }) => {
    const [RELEASED, TEST_OUTPUT] = ['RELEASED', 'TEST_OUTPUT'].map((name) => join(folder, name)) as [string, string];
    writeFileSync(TEST_OUTPUT, '');
    const env = { RELEASE: 'chain', TYPE: '', CHAIN: '', ...labels, RELEASED, TEST_OUTPUT, PATH: process.env.PATH };
    execFileSync('bash', ['-c', MAY_BE_RELEASED], { env, stdio: 'pipe' });
    const said = readFileSync(TEST_OUTPUT, 'utf8');
    return [readFileSync(RELEASED, 'utf8'), said === '' ? undefined : JSON.parse(said).result];
  };
  try {
    expect(outcome({ TYPE: 'component', CHAIN: 'app' })).toEqual(['false', 'SKIPPED']);
    // The chain's own has no type; a component beside it has no chain; by hand it may be an override.
    for (const labels of [{ CHAIN: 'app' }, { TYPE: 'component' }, { TYPE: 'override', CHAIN: 'app' }]) {
      expect(outcome(labels)).toEqual(['true', undefined]);
    }
    expect(outcome({ TYPE: 'component', CHAIN: 'app', RELEASE: 'components' })).toEqual(['true', undefined]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a policy by tag is refused', () => {
  expect(checkConfig({ ...TWO, policy: { bundle: 'quay.io/org/chain-policy:1' } }).issues).toMatchObject([
    { path: expect.stringContaining('policy') },
  ]);
});
