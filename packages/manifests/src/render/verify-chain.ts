import type { ChainPlan } from '../chain/plan.ts';
import type { Pins } from '../pins.ts';
import { noted, type Yaml, type YamlMap } from '../yaml/write.ts';
import { declare, param, params, resources, result, STEP_TEMPLATE, WORKDIR_VOLUME } from './wiring.ts';

/** Writes what a Snapshot says about two of its components into the task's results. */
export const READ_SNAPSHOT = `#!/usr/bin/env bash
set -euo pipefail
image_of() {
  jq -er --arg name "$1" '.components[] | select(.name == $name) | .containerImage' <<<"$SNAPSHOT"
}
entry="$(image_of "$ENTRY_COMPONENT")"
image="$(image_of "$COMPONENT")"
printf '%s' "$entry" >"$ENTRY_RESULT"
printf '%s' "\${image##*@}" >"$DIGEST_RESULT"
`;

/** Fetches one commit of the verifier's source. */
export const FETCH_SOURCE = `#!/usr/bin/env bash
set -euo pipefail
git init --quiet /var/workdir/source
cd /var/workdir/source
git fetch --quiet --depth=1 -- "$GIT_URL" "$REVISION"
git checkout --quiet FETCH_HEAD
`;

/** Compares the digest that the verified link leads to with the Snapshot's, and says so in Konflux's format. */
export const REPORT = `#!/usr/bin/env bash
set -euo pipefail
found="$(cat /var/workdir/linked-digest 2>/dev/null || true)"
if [[ -n "$found" && "$found" == "$EXPECTED" ]]; then
  result=SUCCESS successes=1 failures=0
  note="the chain is linked, and the Snapshot holds it"
elif [[ -n "$found" ]]; then
  result=FAILURE successes=0 failures=1
  note="the Snapshot mixes two builds: the link leads to $found, the Snapshot has $EXPECTED"
else
  result=FAILURE successes=0 failures=1
  note="the chain is not linked: see the log of the step extract"
fi
jq -jn --arg result "$result" --arg note "$note" --arg timestamp "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \\
  --argjson successes "$successes" --argjson failures "$failures" \\
  '{result: $result, timestamp: $timestamp, note: $note, successes: $successes, failures: $failures, warnings: 0}' \\
  >"$TEST_OUTPUT"
cat "$TEST_OUTPUT"
`;

/** The Pipeline of an IntegrationTestScenario: proves the chain that a Snapshot holds, result TEST_OUTPUT. */
export function verifyChain(chain: ChainPlan, pins: Pins): YamlMap {
  return {
    apiVersion: 'tekton.dev/v1',
    kind: 'Pipeline',
    metadata: { name: 'verify-chain' },
    spec: {
      description: 'Proves that two images of a Snapshot are one chain',
      params: [
        declare('SNAPSHOT', 'The Snapshot, as JSON'),
        declare('component', 'The component whose Snapshot it is'),
        declare('entry-component', 'The component whose image links to that one'),
        declare('role', "The image's role in the chain"),
        noted(
          'The verifier comes from the branch, so that no pull request brings its own.',
          declare('git-url', 'Repository that has digest-chain', chain.gitUrl),
        ),
        declare('revision', 'Its branch or commit', chain.branch),
      ],
      results: [
        {
          name: 'TEST_OUTPUT',
          description: 'The outcome, as Konflux reads it',
          value: result('verify-chain', 'TEST_OUTPUT'),
        },
      ],
      tasks: [
        {
          name: 'read-snapshot',
          params: params({
            SNAPSHOT: param('SNAPSHOT'),
            COMPONENT: param('component'),
            ENTRY_COMPONENT: param('entry-component'),
          }),
          taskSpec: {
            params: ['SNAPSHOT', 'COMPONENT', 'ENTRY_COMPONENT'].map((name) => ({ name, type: 'string' })),
            results: [
              { name: 'ENTRY_IMAGE', description: 'The image that links to the other, by digest' },
              { name: 'DIGEST', description: 'Digest of the other' },
            ],
            steps: [
              script(pins, 'read-snapshot', READ_SNAPSHOT, {
                SNAPSHOT: param('SNAPSHOT'),
                COMPONENT: param('COMPONENT'),
                ENTRY_COMPONENT: param('ENTRY_COMPONENT'),
                ENTRY_RESULT: '$(results.ENTRY_IMAGE.path)',
                DIGEST_RESULT: '$(results.DIGEST.path)',
              }),
            ],
          },
        },
        {
          name: 'verify-chain',
          params: params({
            ENTRY_IMAGE: result('read-snapshot', 'ENTRY_IMAGE'),
            DIGEST: result('read-snapshot', 'DIGEST'),
            ROLE: param('role'),
            GIT_URL: param('git-url'),
            REVISION: param('revision'),
          }),
          taskSpec: {
            params: ['ENTRY_IMAGE', 'DIGEST', 'ROLE', 'GIT_URL', 'REVISION'].map((name) => ({ name, type: 'string' })),
            results: [{ name: 'TEST_OUTPUT', description: 'The outcome, as Konflux reads it' }],
            stepTemplate: STEP_TEMPLATE,
            steps: [
              script(pins, 'fetch-source', FETCH_SOURCE, { GIT_URL: param('GIT_URL'), REVISION: param('REVISION') }),
              {
                name: 'extract',
                image: pins.images.node,
                onError: noted('A chain that is not linked is an outcome to report, not a broken test.', 'continue'),
                command: ['node', `/var/workdir/source/${chain.digestChain}`],
                args: [
                  'extract',
                  `--role=${param('ROLE')}`,
                  `--prefix=${chain.labelPrefix}`,
                  '--result-digest=/var/workdir/linked-digest',
                  '--',
                  param('ENTRY_IMAGE'),
                ],
                computeResources: resources('512Mi', '100m'),
              },
              script(pins, 'report', REPORT, { EXPECTED: param('DIGEST'), TEST_OUTPUT: '$(results.TEST_OUTPUT.path)' }),
            ],
            volumes: [WORKDIR_VOLUME],
          },
        },
      ],
    },
  };
}

/** Parameters reach a script as environment, never by substitution into it. */
function script(pins: Pins, name: string, text: string, env: Readonly<Record<string, Yaml>>): YamlMap {
  return {
    name,
    image: pins.images['task-runner'],
    env: params(env),
    script: text,
    computeResources: resources('256Mi', '50m'),
  };
}
