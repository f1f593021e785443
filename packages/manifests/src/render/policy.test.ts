import { ONES } from '@multi-image/testing/image';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { checkConfig } from '../config/check.ts';
import type { ChainConfig } from '../config/schema.ts';
import { readPins } from '../pins.ts';
import { chainOf, image, TWO } from '../testing/chains.ts';
import { checkDocuments, renderConfig } from '../testing/documents.ts';

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
  });
  const { EnterpriseContractPolicy: bundled } = policyOf({ ...TWO, policy: { bundle: BUNDLE } });
  expect(bundled?.spec.sources).toMatchObject([{ policy: [`oci::${BUNDLE}`] }]);
});

test('it knows how each image is linked, but none that was built elsewhere', () => {
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
});

test('a policy by tag is refused', () => {
  expect(checkConfig({ ...TWO, policy: { bundle: 'quay.io/org/chain-policy:1' } }).issues).toMatchObject([
    { path: expect.stringContaining('policy') },
  ]);
});
