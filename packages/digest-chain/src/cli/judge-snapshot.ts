import { isCodedError } from '../../../kit/src/errors.ts';
import { describe, type JudgeOptions, judgeSnapshot } from '../snapshot/judge.ts';
import { testOutput } from '../snapshot/test-output.ts';
import { COMMON, connect, parseArguments, usage } from './arguments.ts';
import { answer, COMPONENTS, optionOf, readGitUrl, readTest, TEST } from './chain-options.ts';
import { DEMANDS, readDemands } from './demands.ts';
import { FILES, readFileDemands } from './files.ts';

const VERB = 'judge-snapshot';

export async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values } = parseArguments(VERB, args, {
    ...COMMON,
    ...DEMANDS,
    ...FILES,
    ...COMPONENTS,
    ...TEST,
    type: { type: 'string' },
    release: { type: 'string' },
  });
  const release = values.release ?? 'chain';
  if (release !== 'chain' && release !== 'components') {
    throw usage(VERB, `--release is neither chain nor components: ${release}`);
  }
  const gitUrl = readGitUrl(VERB, values);
  const { revision: _, source: __, allowPullRequest: ___, ...signed } = await readDemands(VERB, values);
  const demands = { ...signed, ...readFileDemands(VERB, values) };
  const file = values['test-output'];
  try {
    const { tested, components, external, starts } = readTest(VERB, values);
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
