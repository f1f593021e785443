import { KONFLUX, KONFLUX_API } from '@multi-image/kit/konflux';
import { isSealed } from '../chain/linking.ts';
import type { ChainPlan } from '../chain/plan.ts';
import type { Pins } from '../pins.ts';
import { noted, type Yaml, type YamlMap } from '../yaml/write.ts';
import { scenario } from './konflux.ts';
import { label, script } from './snapshot-test.ts';
import { declare, param, params, result, STEP_TEMPLATE, WORKDIR_VOLUME } from './wiring.ts';

/** Where this repository has the policy. */
export const POLICY_FOLDER: string = 'packages/policy/rego';

/** The Pipeline of the scenario that asks Conforma. */
export const POLICY_PIPELINE: string = 'pipeline/judge-by-policy.yaml';

/** Of the rule data `image_chain`; the policy refuses others. */
const RULE_DATA_VERSION = 1;

/** Conforma's own task, which judges a Snapshot by an EnterpriseContractPolicy. */
const CONFORMA = {
  url: 'https://github.com/conforma/cli',
  revision: 'main',
  pathInRepo: 'tasks/verify-enterprise-contract/0.1/verify-enterprise-contract.yaml',
};

/** Whether a Snapshot may be released at all: of the builds of a chain none is, where the chain's own is what goes out. */
export const MAY_BE_RELEASED = `#!/usr/bin/env bash
set -euo pipefail
if [[ $RELEASE == chain && $TYPE == component && -n $CHAIN ]]; then
  printf 'false' >"$RELEASED"
  printf '{"result":"SKIPPED","timestamp":"%s","note":"%s","successes":0,"failures":0,"warnings":0}' \\
    "$(date -u +%Y-%m-%dT%H:%M:%SZ)" 'the Snapshot of one build is not released: the one of its chain is judged' \\
    | tee "$TEST_OUTPUT"
else
  printf 'true' >"$RELEASED"
fi
`;

/** What is called after a chain's policy. */
const policyName = (chain: ChainPlan): string => `policy-${chain.primary.component}`;

/** The policy by which Conforma proves the chain, from the images' bytes and what Chains signed. */
export function chainPolicy(chain: ChainPlan, pins: Pins): YamlMap {
  return {
    apiVersion: KONFLUX_API,
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

/**
 * Which images belong together: what the policy compares a Snapshot with. Of external images, which
 * components the chain was built with; they have a policy of their own.
 */
function ruleData(chain: ChainPlan): YamlMap {
  const { builderId } = chain.buildSystem ?? {};
  const external = chain.external.flatMap(({ role, component }) =>
    component === undefined ? [] : [{ role, component }],
  );
  return {
    version: RULE_DATA_VERSION,
    prefix: chain.labelPrefix,
    source: chain.gitUrl,
    branch: chain.branch,
    builders: builderId === undefined ? undefined : [builderId],
    images: chain.images.map((image) => ({
      role: image.role,
      component: image.component,
      embeds: image.embeds.length === 0 ? undefined : image.embeds.map(({ role }) => role),
      seal: image.embeddedBy.length === 0 ? undefined : isSealed(image) ? 'label' : image.seal,
    })),
    external: external.length === 0 ? undefined : external,
  };
}

/** Asks Conforma about what may be released; no context of a scenario is for these Snapshots alone. */
export function policyPipeline(chain: ChainPlan, pins: Pins): YamlMap {
  const results = [
    { name: 'RELEASED', description: 'Whether the Snapshot may be released' },
    { name: 'TEST_OUTPUT', description: 'The outcome where nothing has to be judged' },
  ];
  const step = script(
    pins,
    'look',
    MAY_BE_RELEASED,
    { RELEASE: chain.release, ...Object.fromEntries(results.map(({ name }) => [name, `$(results.${name}.path)`])) },
    [label('TYPE', KONFLUX.snapshotType), label('CHAIN', KONFLUX.chain)],
  );
  return {
    apiVersion: 'tekton.dev/v1',
    kind: 'Pipeline',
    metadata: { name: 'judge-by-policy' },
    spec: {
      description: 'Asks Conforma whether a Snapshot may go out by the policy of the chain',
      params: [declare('SNAPSHOT', 'The Snapshot, as JSON'), declare('POLICY_CONFIGURATION', 'The policy')],
      results: [{ name: 'TEST_OUTPUT', description: 'What Conforma says', value: result('verify', 'TEST_OUTPUT') }],
      tasks: [
        {
          name: 'look',
          taskSpec: { params: [], results, stepTemplate: STEP_TEMPLATE, steps: [step], volumes: [WORKDIR_VOLUME] },
        },
        {
          name: 'verify',
          when: [{ input: result('look', 'RELEASED'), operator: 'in', values: ['true'] }],
          params: noted(
            'The key is the one in the policy. Konflux signs without a transparency log.',
            params({
              IMAGES: param('SNAPSHOT'),
              POLICY_CONFIGURATION: param('POLICY_CONFIGURATION'),
              IGNORE_REKOR: 'true',
            }),
          ),
          taskRef: { resolver: 'git', params: params(CONFORMA) },
        },
      ],
    },
  };
}

/** Judges the Snapshots of pushes by the policy; a required scenario, so a ReleasePlan waits for it. */
export function policyScenario(chain: ChainPlan, folder: string): YamlMap {
  const file = { pathInRepo: `${folder}${POLICY_PIPELINE}`, kind: 'pipeline' } as const;
  return scenario(policyName(chain), chain, file, {
    contexts: noted('A pull request is not released.', [{ name: 'push', description: 'Snapshots of pushes' }]),
    params: params({ POLICY_CONFIGURATION: `${chain.namespace}/${policyName(chain)}` }),
  });
}
