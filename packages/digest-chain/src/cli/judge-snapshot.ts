import { isCodedError } from '../../../kit/src/errors.ts';
import { describe, type JudgeOptions, judgeSnapshot } from '../snapshot/judge.ts';
import { testOutput } from '../snapshot/test-output.ts';
import { COMMON, connect, parseArguments, usage } from './arguments.ts';
import { answer, COMPONENTS, optionOf, readGitUrl, readTest, TEST } from './chain-options.ts';
import { DEMANDS, readDemands } from './demands.ts';

export async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values } = parseArguments(args, {
    ...COMMON,
    ...DEMANDS,
    ...COMPONENTS,
    ...TEST,
    type: { type: 'string' },
    release: { type: 'string' },
  });
  const release = values.release ?? 'chain';
  if (release !== 'chain' && release !== 'components') {
    throw usage(`--release is neither chain nor components: ${release}`);
  }
  const gitUrl = readGitUrl(values);
  const { revision: _, source: __, allowPullRequest: ___, ...demands } = await readDemands(values);
  const file = values['test-output'];
  try {
    const { tested, components, external, starts } = readTest(values);
    const labels = { type: optionOf(values.type), chain: optionOf(values.chain) };
    const options: JudgeOptions = {
      ...demands,
      components,
      external,
      starts,
      gitUrl,
      release,
      prefix: values.prefix,
      signal,
    };
    return await answer(file, await judgeSnapshot(connect(values), { ...tested, ...labels }, options));
  } catch (error) {
    if (!isCodedError(error) || error.code === 'USAGE' || file === undefined) throw error;
    // What could not be judged has not passed.
    const result = error.code === 'SNAPSHOT_INVALID' ? 'FAILURE' : 'ERROR';
    return answer(file, testOutput(result, describe(error)));
  }
}
