import { KONFLUX } from '@multi-image/kit/konflux';
import { startsOf } from '../chain/linking.ts';
import { fileOptions } from '../chain/naming-files.ts';
import type { ChainPlan, PlannedImage } from '../chain/plan.ts';
import type { Pins } from '../pins.ts';
import { noted, type Yaml, type YamlMap } from '../yaml/write.ts';
import { KEY_VARIABLE } from './demands.ts';
import { type DigestChainFrom, digestChain, digestChainFrom, ownTaskRef } from './own-tasks.ts';
import { declare, param, params, resources, result, STEP_TEMPLATE, WORKDIR, WORKDIR_VOLUME } from './wiring.ts';

const OUTPUT = `${WORKDIR}/test-output`;

/** Fetches one commit of the verifier's source. */
export const FETCH_SOURCE = `#!/usr/bin/env bash
set -euo pipefail
git init --quiet ${WORKDIR}/source
cd ${WORKDIR}/source
git fetch --quiet --depth=1 -- "$GIT_URL" "$REVISION"
commit="$(git rev-parse --verify 'FETCH_HEAD^{commit}')"
if [[ "$REVISION" =~ ^[0-9a-f]{40,64}$ && "$commit" != "$REVISION" ]]; then
  echo "asked for $REVISION, got $commit" >&2
  exit 1
fi
git checkout --quiet "$commit"
`;

/** Hands on what was judged, in Konflux's format; where nothing was, that is no success. */
export const REPORT = `#!/usr/bin/env bash
set -euo pipefail
if [[ -s ${OUTPUT} ]]; then
  cat ${OUTPUT} >"$TEST_OUTPUT"
else
  printf '{"result":"ERROR","timestamp":"%s","note":"%s","successes":0,"failures":1,"warnings":0}' \\
    "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "nothing was judged: see the log of the step before" >"$TEST_OUTPUT"
fi
cat "$TEST_OUTPUT"
`;

/** What a test of Snapshots needs to know beside the Snapshot. */
export interface SnapshotTest {
  readonly name: string;
  readonly description: string;
  /** The verb of digest-chain. */
  readonly verb: string;
  /** What it is told beside what every such test is: by parameters, of these names and meanings. */
  readonly options: Readonly<Record<string, string>>;
  /** And always. */
  readonly args: readonly string[];
  /** Labels of the Snapshot that its pod has, beside those that every such test reads, by variable. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Steps before the verb. */
  readonly before?: readonly YamlMap[];
}

const LISTS = {
  components: 'The components of the chain, and those from elsewhere, as options of digest-chain',
  starts: 'The images that link to others, likewise',
  files: 'Which files of the images name what they embed, likewise',
  demands: 'What the proof has to have beyond the link, likewise',
};
const TEXTS = { SNAPSHOT: 'The Snapshot, as JSON', 'public-key': 'Public key (PEM) of the build system' };
const OUTPUTS = { name: 'TEST_OUTPUT', description: 'The outcome, as Konflux reads it' };

/**
 * The spec of a Pipeline of one task, which asks digest-chain about a Snapshot and answers with `TEST_OUTPUT`.
 *
 * @param values Of the test's options.
 * @param bundled Whether the task is one of the bundle, where the config has one.
 */
export function snapshotTest(
  test: SnapshotTest,
  chain: ChainPlan,
  pins: Pins,
  { values, bundled = false }: { values: Readonly<Record<string, string>>; bundled?: boolean },
): YamlMap {
  const from = digestChainFrom(chain);
  const verifier = 'source' in from ? verifierParams(chain, pins) : [];
  const fetched = 'source' in from ? FETCHED : {};
  const byDefault = {
    components: [...componentOptions(chain.images), ...externalOptions(chain)],
    starts: startOptions(chain),
    files: filesOf(chain),
    demands: demandsOf(chain),
  };
  const { description, name } = test;
  return {
    description,
    params: [
      declare('SNAPSHOT', TEXTS.SNAPSHOT),
      ...Object.entries(LISTS).map(([list, what]) => array(list, what, byDefault[list as keyof typeof LISTS])),
      declare('public-key', TEXTS['public-key'], chain.buildSystem?.publicKey ?? ''),
      ...verifier,
    ],
    results: [{ ...OUTPUTS, value: result(name, 'TEST_OUTPUT') }],
    tasks: [
      {
        name,
        params: params({
          ...Object.fromEntries(Object.keys({ ...TEXTS, ...fetched }).map((text) => [text, param(text)])),
          ...values,
          ...Object.fromEntries(Object.keys(LISTS).map((list) => [list, [`$(params.${list}[*])`]])),
        }),
        ...(bundled && chain.ownTasks !== 'source'
          ? { taskRef: ownTaskRef(name, chain) }
          : { taskSpec: snapshotTask(test, from, pins) }),
      },
    ],
  };
}

/** The task itself, the same for every chain. */
export function snapshotTask(test: SnapshotTest, from: DigestChainFrom, pins: Pins): YamlMap {
  const texts = { ...TEXTS, ...('source' in from ? FETCHED : {}), ...test.options };
  const fetch = script(pins, 'fetch-source', FETCH_SOURCE, { GIT_URL: param('git-url'), REVISION: param('revision') });
  return {
    params: [
      ...Object.entries(texts).map(([name, description]) => ({ name, type: 'string', description })),
      ...Object.entries(LISTS).map(([name, description]) => ({ name, type: 'array', description })),
    ],
    results: [OUTPUTS],
    stepTemplate: STEP_TEMPLATE,
    steps: [
      ...('source' in from ? [fetch] : []),
      ...(test.before ?? []),
      askStep(test, from, pins),
      script(pins, 'report', REPORT, { TEST_OUTPUT: '$(results.TEST_OUTPUT.path)' }),
    ],
    volumes: [WORKDIR_VOLUME],
  };
}

const FETCHED = { 'git-url': 'Repository that has digest-chain', revision: 'Its commit' };

function verifierParams(chain: ChainPlan, pins: Pins): Yaml[] {
  return [
    declare('git-url', FETCHED['git-url'], chain.gitUrl),
    noted(
      'One commit that was reviewed: a verifier which the code under test brings along proves nothing against its author.',
      declare('revision', FETCHED.revision, pins.verifier ?? chain.branch),
    ),
  ];
}

function askStep({ verb, options, args, labels = {} }: SnapshotTest, from: DigestChainFrom, pins: Pins): YamlMap {
  const { name, ...step } = digestChain(from, pins, verb, [
    ...['snapshot', 'built', 'event', 'pull-request'].map((option) => `--${option}=env://${variable(option)}`),
    ...args,
    ...Object.keys(options).map((option) => `--${option}=${param(option)}`),
    `--test-output=${OUTPUT}`,
    ...Object.keys(LISTS).map((list) => `$(params.${list}[*])`),
  ]);
  return {
    name,
    onError: noted('What is wrong with a Snapshot is an outcome to report, not a broken test.', 'continue'),
    ...step,
    env: noted('What event a Snapshot is of is not in it, but in the labels of its tests.', [
      ...params({ SNAPSHOT: param('SNAPSHOT'), [KEY_VARIABLE]: param('public-key') }),
      BUILT,
      label('EVENT', KONFLUX.event),
      label('PULL_REQUEST', KONFLUX.pullRequest),
      ...Object.entries(labels).map(([name, key]) => label(name, key)),
    ]),
  };
}

/** A label of the pod, as a variable: empty where there is none. */
export function label(name: string, key: string): YamlMap {
  return { name, valueFrom: { fieldRef: { fieldPath: `metadata.labels['${key}']` } } };
}

/** The component whose build a Snapshot was made from. */
export const BUILT: YamlMap = label('BUILT', KONFLUX.component);

const variable = (option: string): string => option.toUpperCase().replaceAll('-', '_');

/** Parameters reach a script as environment, never by substitution into it. */
export function script(
  pins: Pins,
  name: string,
  text: string,
  env: Readonly<Record<string, Yaml>>,
  labels: readonly YamlMap[] = [],
): YamlMap {
  return {
    name,
    image: pins.images['task-runner'],
    env: [...params(env), ...labels],
    script: text,
    computeResources: resources('256Mi', '50m'),
  };
}

/** The images that are components: what a Snapshot has of the chain. */
export function componentOptions(images: readonly PlannedImage[]): readonly string[] {
  return images.flatMap(({ role, component }) => (component === undefined ? [] : [`--component=${role}=${component}`]));
}

/** Images that were built elsewhere, and are components: the Snapshot has them as the chain was built with them. */
function externalOptions({ external, release }: ChainPlan): readonly string[] {
  if (release === 'components') return [];
  return external.flatMap(({ role, component }) =>
    component === undefined ? [] : [`--external-component=${role}=${component}`],
  );
}

const startOptions = (chain: ChainPlan): readonly string[] => startsOf(chain).map(({ role }) => `--start=${role}`);

const filesOf = (chain: ChainPlan): readonly string[] => [
  ...new Set(startsOf(chain).flatMap((image) => fileOptions(image, chain))),
];

/** With the build system's key the repository and the branch are proved; without one it is compared with what the Snapshot says. */
function demandsOf({ buildSystem, gitUrl, branch }: ChainPlan): readonly string[] {
  if (buildSystem === undefined) return [`--git-url=${gitUrl}`];
  const builder = buildSystem.builderId === undefined ? [] : [`--builder-id=${buildSystem.builderId}`];
  return [`--key=env://${KEY_VARIABLE}`, `--source=${gitUrl}`, `--branch=${branch}`, ...builder];
}

function array(name: string, description: string, byDefault: readonly string[]): YamlMap {
  return { name, type: 'array', description, default: byDefault };
}
