import { isSealed } from '../chain/linking.ts';
import type { ChainPlan } from '../chain/plan.ts';
import type { Pins } from '../pins.ts';
import { noted, type Yaml, type YamlMap } from '../yaml/write.ts';
import { params } from './wiring.ts';

/** Where this repository has the policy. */
export const POLICY_FOLDER: string = 'packages/policy/rego';

/** Of the rule data `image_chain`; the policy refuses others. */
const RULE_DATA_VERSION = 1;

/** Conforma's own pipeline, which judges a Snapshot by an EnterpriseContractPolicy. */
const CONFORMA = {
  url: 'https://github.com/conforma/cli',
  revision: 'main',
  pathInRepo: 'pipelines/enterprise-contract/0.1/enterprise-contract.yaml',
};

/** What is called after a chain's policy. */
const policyName = (chain: ChainPlan): string => `policy-${chain.primary.component}`;

/** The policy by which Conforma proves the chain, from the images' bytes and what Chains signed. */
export function chainPolicy(chain: ChainPlan, pins: Pins): YamlMap {
  return {
    apiVersion: 'appstudio.redhat.com/v1alpha1',
    kind: 'EnterpriseContractPolicy',
    metadata: { name: policyName(chain), namespace: chain.namespace },
    spec: {
      description: 'Releases the chain as one run built it, or nothing',
      publicKey: chain.buildSystem?.publicKey ?? 'k8s://openshift-pipelines/public-key',
      sources: [
        {
          name: 'image-chain',
          policy: [policySource(chain, pins)],
          ruleData: { image_chain: ruleData(chain) },
        },
      ],
    },
  };
}

function policySource({ policy, gitUrl, branch }: ChainPlan, pins: Pins): Yaml {
  if (typeof policy === 'object') return `oci::${policy.bundle}`;
  return noted(
    'One commit that was reviewed: a policy which the code under test brings along proves nothing against its author.',
    `git::${gitUrl}//${POLICY_FOLDER}?ref=${pins.verifier ?? branch}`,
  );
}

/** Which images belong together: what the policy compares a Snapshot with. External images have a policy of their own. */
function ruleData(chain: ChainPlan): YamlMap {
  const { builderId } = chain.buildSystem ?? {};
  return {
    version: RULE_DATA_VERSION,
    prefix: chain.labelPrefix,
    source: chain.gitUrl,
    builders: builderId === undefined ? undefined : [builderId],
    images: chain.images.map((image) => ({
      role: image.role,
      component: image.component,
      embeds: image.embeds.length === 0 ? undefined : image.embeds.map(({ role }) => role),
      seal: image.embeddedBy.length === 0 ? undefined : isSealed(image) ? 'label' : image.seal,
    })),
  };
}

/** Judges the Snapshots of pushes by the policy; a required scenario, so a ReleasePlan waits for it. */
export function policyScenario(chain: ChainPlan): YamlMap {
  return {
    apiVersion: 'appstudio.redhat.com/v1beta2',
    kind: 'IntegrationTestScenario',
    metadata: { name: policyName(chain), namespace: chain.namespace },
    spec: {
      application: chain.application,
      contexts: noted(
        "Of pushes: a pull request is not released. A component's own Snapshot fails where it mixes two builds.",
        [{ name: 'push', description: 'Snapshots of pushes' }],
      ),
      params: params({ POLICY_CONFIGURATION: `${chain.namespace}/${policyName(chain)}` }),
      resolverRef: { resolver: 'git', resourceKind: 'pipeline', params: params(CONFORMA) },
    },
  };
}
