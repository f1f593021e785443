import type { ChainPlan } from '../chain/plan.ts';
import { chainName, releaseAccount } from '../chain/release.ts';
import type { Pins } from '../pins.ts';
import { noted, type YamlMap } from '../yaml/write.ts';
import { BUILT, script, snapshotTest } from './snapshot-test.ts';
import { clock, param, TEKTON_HOME, WORKDIR } from './wiring.ts';

/**
 * Writes the commit that was built and those before it, with their times. Where that can't be, there is no such file, and
 * whoever needs it says so.
 */
export const FETCH_HISTORY = `#!/usr/bin/env bash
set -euo pipefail
revision="$(jq -er --arg name "$BUILT" '.components[] | select(.name == $name) | .source.git.revision' <<<"$SNAPSHOT")" || exit 0
if [[ ! "$revision" =~ ^([0-9a-f]{40}|[0-9a-f]{64})$ ]]; then exit 0; fi
git init --quiet ${WORKDIR}/commits
cd ${WORKDIR}/commits
git fetch --quiet --depth=201 --filter=tree:0 -- "$SOURCE" "$revision" || exit 0
git log --max-count=201 --format='%H %ct' "$revision" >${WORKDIR}/history
`;

/**
 * The PipelineRun of the IntegrationTestScenario that creates the Snapshot of the chain: a run and no Pipeline, since it
 * names the account that may do so. Everything that it runs is in it. Of a pull request the integration service would take
 * it from there, account and all, so its scenario is one for pushes alone.
 */
export function createSnapshot(chain: ChainPlan, pins: Pins): YamlMap {
  const name = 'create-snapshot';
  const history = script(
    pins,
    'fetch-history',
    FETCH_HISTORY,
    // Tekton puts the account's credentials for git there.
    { HOME: TEKTON_HOME, SNAPSHOT: param('SNAPSHOT'), SOURCE: chain.gitUrl },
    [BUILT],
  );
  return {
    apiVersion: 'tekton.dev/v1',
    kind: 'PipelineRun',
    metadata: { name: `${name}-${chainName(chain)}`, namespace: chain.namespace },
    spec: {
      timeouts: { pipeline: clock(30) },
      taskRunTemplate: {
        serviceAccountName: noted('It may create Snapshots: konflux/release-access.yaml.', releaseAccount(chain)),
      },
      pipelineSpec: snapshotTest(
        {
          name,
          description: 'Creates the Snapshot of a chain once all its components are built and it is proved',
          verb: name,
          options: {
            application: 'The Konflux application',
            chain: 'What the chain is called beside others of it',
            prefix: 'Prefix of the labels',
          },
          args: [`--history=${WORKDIR}/history`],
          before: [history],
        },
        chain,
        pins,
        { values: { application: chain.application, chain: chainName(chain), prefix: chain.labelPrefix } },
      ),
    },
  };
}
