import { isCodedError } from '../../../kit/src/errors.ts';
import { DigestChainError } from '../errors.ts';
import { readHistory } from '../snapshot/history.ts';
import { describe, isPullRequest, type TestedSnapshot } from '../snapshot/judge.ts';
import { KubernetesApi, readPodAccess, SERVICE_ACCOUNT } from '../snapshot/kubernetes.ts';
import { type Components, readEntries } from '../snapshot/read.ts';
import { releaseChain } from '../snapshot/release.ts';
import { type TestOutput, testOutput } from '../snapshot/test-output.ts';
import { COMMON, connect, parseArguments } from './arguments.ts';
import { answer, COMPONENTS, checkName, needed, readGitUrl, readTest, TEST } from './chain-options.ts';
import { DEMANDS, readDemands } from './demands.ts';

export async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values } = parseArguments(args, {
    ...COMMON,
    ...DEMANDS,
    ...COMPONENTS,
    ...TEST,
    application: { type: 'string' },
    history: { type: 'string' },
    'service-account': { type: 'string' },
  });
  const application = needed('application', values.application);
  const chain = needed('chain', values.chain);
  for (const name of [application, chain]) checkName(name);
  const gitUrl = readGitUrl(values);
  const history = needed('history', values.history);
  const { revision: _, allowPullRequest: __, ...demands } = await readDemands(values);
  const file = values['test-output'];
  const make = async (): Promise<TestOutput> => {
    const { tested, components, external, starts } = readTest(values);
    const none = reasonForNone(tested, components);
    if (none !== undefined) return testOutput('SKIPPED', none);
    const revision = builtRevision(tested, components);
    const api = new KubernetesApi(await readPodAccess(values['service-account'] ?? SERVICE_ACCOUNT), { signal });
    const { outcome, note } = await releaseChain(connect(values), api, {
      ...demands,
      application,
      chain,
      components,
      external,
      starts,
      gitUrl,
      history: await readHistory(history, revision),
      prefix: values.prefix,
      signal,
    });
    return testOutput(outcome === 'created' || outcome === 'exists' ? 'SUCCESS' : 'SKIPPED', note);
  };
  try {
    return await answer(file, await make());
  } catch (error) {
    if (!isCodedError(error) || error.code === 'USAGE' || file === undefined) throw error;
    await answer(file, testOutput('FAILURE', describe(error)));
    throw error;
  }
}

/** Why no Snapshot comes of this one. */
function reasonForNone(tested: TestedSnapshot, components: Components): string | undefined {
  if (isPullRequest(tested)) return 'what is built of a pull request is not released';
  const isOwn = [...components.values()].some((component) => component !== undefined && component === tested.built);
  return isOwn ? undefined : `the Snapshot is of no build of this chain (${tested.built ?? 'of none'})`;
}

/** The commit of the build; what else is in the Snapshot may be of another. */
function builtRevision({ spec, built }: TestedSnapshot, components: Components): string {
  const [entry] = readEntries(spec, new Map([...components].filter(([, component]) => component === built)));
  if (entry !== undefined) return entry.revision;
  throw new DigestChainError('SNAPSHOT_INVALID', `the Snapshot does not have the component that was built`, {
    expected: built,
    found: 'no such component in it',
  });
}
