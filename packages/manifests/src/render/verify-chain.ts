import type { ChainPlan } from '../chain/plan.ts';
import type { Pins } from '../pins.ts';
import { noted, type Yaml, type YamlMap } from '../yaml/write.ts';
import { KEY_VARIABLE } from './demands.ts';
import { type DigestChainFrom, digestChain, OWN_TASKS_VERSION, ownTaskRef } from './own-tasks.ts';
import { declare, param, params, resources, result, STEP_TEMPLATE, WORKDIR_VOLUME } from './wiring.ts';

/**
 * Writes what a Snapshot says about two of its components into the task's results, and what has to hold of it: built from
 * the config's repository (of a pull request, from wherever that comes from) at the commit that the Snapshot names.
 */
export const READ_SNAPSHOT = `#!/usr/bin/env bash
set -euo pipefail
field() {
  jq -er --arg name "$1" --argjson path "$2" '.components[] | select(.name == $name) | getpath($path)' <<<"$SNAPSHOT"
}
normal() {
  local url="\${1%/}"
  url="\${url%.git}"
  printf '%s' "\${url,,}"
}
entry="$(field "$ENTRY_COMPONENT" '["containerImage"]')"
image="$(field "$COMPONENT" '["containerImage"]')"
source="$(field "$COMPONENT" '["source", "git", "url"]')"
revision="$(field "$COMPONENT" '["source", "git", "revision"]')"
problem=""
if [[ ! "$revision" =~ ^([0-9a-f]{40}|[0-9a-f]{64})$ ]]; then
  problem="the Snapshot names no commit"
  revision=0000000000000000000000000000000000000000
fi
demands=("--revision=$revision")
pull_request=""
if [[ -n "$PULL_REQUEST" || "\${EVENT,,}" == pull?request || "\${EVENT,,}" == merge?request ]]; then
  pull_request=true
elif [[ "$(normal "$source")" != "$(normal "$SOURCE")" ]]; then
  problem="the Snapshot was built from another repository"
fi
if [[ -n "$PUBLIC_KEY" ]]; then
  demands+=(--key=env://${KEY_VARIABLE})
  if [[ -n "$BUILDER_ID" ]]; then demands+=("--builder-id=$BUILDER_ID"); fi
  if [[ -n "$pull_request" ]]; then
    [[ "$source" =~ ^https?://[^[:space:]]+$ ]] || problem="the Snapshot names no repository"
    demands+=("--source=\${source//[[:space:]]/}" --allow-pull-request)
  else
    demands+=("--source=$SOURCE")
  fi
fi
printf '%s' "$entry" >"$ENTRY_RESULT"
printf '%s' "\${image##*@}" >"$DIGEST_RESULT"
printf '%s' "$problem" >"$PROBLEM_RESULT"
printf '%s\\n' "\${demands[@]}" | jq -Rnc '[inputs]' >"$DEMANDS_RESULT"
`;

/** Fetches one commit of the verifier's source. */
export const FETCH_SOURCE = `#!/usr/bin/env bash
set -euo pipefail
git init --quiet /var/workdir/source
cd /var/workdir/source
git fetch --quiet --depth=1 -- "$GIT_URL" "$REVISION"
commit="$(git rev-parse --verify 'FETCH_HEAD^{commit}')"
if [[ "$REVISION" =~ ^[0-9a-f]{40,64}$ && "$commit" != "$REVISION" ]]; then
  echo "asked for $REVISION, got $commit" >&2
  exit 1
fi
git checkout --quiet "$commit"
`;

/** Compares the digest that the verified link leads to with the Snapshot's, and says so in Konflux's format. */
export const REPORT = `#!/usr/bin/env bash
set -euo pipefail
found="$(cat /var/workdir/linked-digest 2>/dev/null || true)"
proved="attested by the build system"
warnings=0
if [[ -z "$PUBLIC_KEY" ]]; then
  proved="linked (who built it is not known: the config has no public key)"
  warnings=1
fi
result=FAILURE successes=0 failures=1
if [[ -n "$PROBLEM" ]]; then
  note="$PROBLEM"
elif [[ -n "$found" && "$found" == "$EXPECTED" ]]; then
  result=SUCCESS successes=1 failures=0
  note="the chain is $proved, and the Snapshot holds it"
elif [[ -n "$found" ]]; then
  note="the Snapshot mixes two builds: the link leads to $found, the Snapshot has $EXPECTED"
else
  note="the chain is not proved: see the log of the step extract"
fi
jq -jn --arg result "$result" --arg note "$note" --arg timestamp "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \\
  --argjson successes "$successes" --argjson failures "$failures" --argjson warnings "$warnings" \\
  '{result: $result, timestamp: $timestamp, note: $note, successes: $successes, failures: $failures, warnings: $warnings}' \\
  >"$TEST_OUTPUT"
cat "$TEST_OUTPUT"
`;

const PUBLIC_KEY = 'Public key (PEM) of the build system; empty where it is not known';
const SNAPSHOT_RESULTS: readonly YamlMap[] = [
  { name: 'ENTRY_IMAGE', description: 'The image that links to the other, by digest' },
  { name: 'DIGEST', description: 'Digest of the other' },
  { name: 'PROBLEM', description: 'What is wrong with the Snapshot itself; empty for nothing' },
  { name: 'DEMANDS', type: 'array', description: 'What the proof has to have, as options of digest-chain extract' },
];

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
        {
          name: 'files',
          type: 'array',
          description: 'Which files of the images name what they embed, as options of digest-chain extract',
          default: [],
        },
        declare('source', 'Repository that pushes are built from', chain.gitUrl),
        declare('public-key', PUBLIC_KEY, chain.buildSystem?.publicKey ?? ''),
        declare(
          'builder-id',
          'What the build system calls itself; empty for what Chains does',
          chain.buildSystem?.builderId ?? '',
        ),
        ...(chain.ownTasks === 'source' ? verifierParams(chain, pins) : []),
      ],
      results: [
        {
          name: 'TEST_OUTPUT',
          description: 'The outcome, as Konflux reads it',
          value: result('verify-chain', 'TEST_OUTPUT'),
        },
      ],
      tasks: [readSnapshot(pins), proveSnapshot(chain, pins)],
    },
  };
}

function readSnapshot(pins: Pins): YamlMap {
  const given = {
    SNAPSHOT: param('SNAPSHOT'),
    COMPONENT: param('component'),
    ENTRY_COMPONENT: param('entry-component'),
    SOURCE: param('source'),
    PUBLIC_KEY: param('public-key'),
    BUILDER_ID: param('builder-id'),
  };
  const step = script(pins, 'read-snapshot', READ_SNAPSHOT, {
    ...Object.fromEntries(Object.keys(given).map((name) => [name, param(name)])),
    ENTRY_RESULT: '$(results.ENTRY_IMAGE.path)',
    DIGEST_RESULT: '$(results.DIGEST.path)',
    PROBLEM_RESULT: '$(results.PROBLEM.path)',
    DEMANDS_RESULT: '$(results.DEMANDS.path)',
  });
  const labels = [
    label('EVENT', 'pac.test.appstudio.openshift.io/event-type'),
    label('PULL_REQUEST', 'pac.test.appstudio.openshift.io/pull-request'),
  ];
  return {
    name: 'read-snapshot',
    params: params(given),
    taskSpec: {
      params: Object.keys(given).map((name) => ({ name, type: 'string' })),
      results: SNAPSHOT_RESULTS,
      steps: [
        {
          ...step,
          env: noted('What event a Snapshot is of is in no Snapshot, but in the labels of its tests.', [
            ...(step.env as Yaml[]),
            ...labels,
          ]),
        },
      ],
    },
  };
}

function verifierParams(chain: ChainPlan, pins: Pins): YamlMap[] {
  return [
    declare('git-url', 'Repository that has digest-chain', chain.gitUrl),
    noted(
      'One commit that was reviewed: a verifier which the code under test brings along proves nothing against its author.',
      declare('revision', 'Its commit', pins.verifier ?? chain.branch),
    ) as YamlMap,
  ];
}

function proveSnapshot(chain: ChainPlan, pins: Pins): YamlMap {
  const inSource = chain.ownTasks === 'source';
  const given = {
    ENTRY_IMAGE: result('read-snapshot', 'ENTRY_IMAGE'),
    DIGEST: result('read-snapshot', 'DIGEST'),
    PROBLEM: result('read-snapshot', 'PROBLEM'),
    ROLE: param('role'),
    PUBLIC_KEY: param('public-key'),
    GIT_URL: inSource ? param('git-url') : undefined,
    REVISION: inSource ? param('revision') : undefined,
    LABEL_PREFIX: inSource ? undefined : chain.labelPrefix,
  };
  const lists = {
    DEMANDS: ['$(tasks.read-snapshot.results.DEMANDS[*])'],
    FILES: ['$(params.files[*])'],
  };
  return {
    name: 'verify-chain',
    params: params({ ...given, ...lists }),
    ...(inSource
      ? {
          taskSpec: {
            params: [
              ...Object.entries(given).flatMap(([name, value]) =>
                value === undefined ? [] : [{ name, type: 'string' }],
              ),
              ...Object.keys(lists).map((name) => ({ name, type: 'array' })),
            ],
            ...proofSteps({ source: chain.digestChain }, pins, chain.labelPrefix),
          },
        }
      : { taskRef: ownTaskRef('verify-chain', chain) }),
  };
}

/** The Task that proves the chain of a Snapshot, for a bundle: whose digest-chain it runs, no commit decides. */
export function verifyChainTask(from: DigestChainFrom, pins: Pins): YamlMap {
  return {
    apiVersion: 'tekton.dev/v1',
    kind: 'Task',
    metadata: { name: 'verify-chain', labels: { 'app.kubernetes.io/version': OWN_TASKS_VERSION } },
    spec: {
      description: 'Proves that two images of a Snapshot are one chain',
      params: [
        declare('ENTRY_IMAGE', 'The image that links to the other, by digest'),
        declare('DIGEST', 'Digest of the other, as the Snapshot has it'),
        declare('PROBLEM', 'What is wrong with the Snapshot itself; empty for nothing'),
        declare('ROLE', "The other's role in the chain"),
        declare('PUBLIC_KEY', PUBLIC_KEY),
        declare('LABEL_PREFIX', 'Prefix of the labels'),
        {
          name: 'DEMANDS',
          type: 'array',
          description: 'What the proof has to have, as options of digest-chain extract',
        },
        {
          name: 'FILES',
          type: 'array',
          description: 'Which files of the images name what they embed, as options of digest-chain extract',
        },
      ],
      ...proofSteps(from, pins, param('LABEL_PREFIX')),
    },
  };
}

function proofSteps(from: DigestChainFrom, pins: Pins, prefix: string): YamlMap {
  const { name, ...extract } = digestChain(from, pins, 'extract', [
    `--role=${param('ROLE')}`,
    `--prefix=${prefix}`,
    '--result-digest=/var/workdir/linked-digest',
    '$(params.DEMANDS[*])',
    '$(params.FILES[*])',
    '--',
    param('ENTRY_IMAGE'),
  ]);
  const fetched = { GIT_URL: param('GIT_URL'), REVISION: param('REVISION') };
  return {
    results: [{ name: 'TEST_OUTPUT', description: 'The outcome, as Konflux reads it' }],
    stepTemplate: STEP_TEMPLATE,
    steps: [
      ...('source' in from ? [script(pins, 'fetch-source', FETCH_SOURCE, fetched)] : []),
      {
        name,
        onError: noted('A chain that is not proved is an outcome to report, not a broken test.', 'continue'),
        ...extract,
        env: params({ [KEY_VARIABLE]: param('PUBLIC_KEY') }),
      },
      script(pins, 'report', REPORT, {
        EXPECTED: param('DIGEST'),
        PROBLEM: param('PROBLEM'),
        PUBLIC_KEY: param('PUBLIC_KEY'),
        TEST_OUTPUT: '$(results.TEST_OUTPUT.path)',
      }),
    ],
    volumes: [WORKDIR_VOLUME],
  };
}

function label(name: string, key: string): YamlMap {
  return { name, valueFrom: { fieldRef: { fieldPath: `metadata.labels['${key}']` } } };
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
