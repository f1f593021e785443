import { type ChainPlan, type LoadedConfig, render } from '@multi-image/manifests';
import { MADE_BY_US, NAMES, type Resource } from '../resource.ts';
import { componentsOf, type RunLabels } from '../runs.ts';
import { embed, identify, RUN_LABELS } from './embed.ts';

export interface AssembleOptions {
  revision: string;
  /** The word in the names of the runs. */
  invocation: string;
  serviceAccount: string;
  gitSecret?: string | undefined;
  standIns: boolean;
  plainHttp: boolean;
}

/** The PipelineRun of each component, as a push would start it. */
export function assemble(
  chain: ChainPlan,
  { pins, folder }: LoadedConfig,
  options: AssembleOptions,
): Promise<readonly Resource[]> {
  const { revision, invocation, serviceAccount, gitSecret, standIns, plainHttp } = options;
  const { application, namespace, gitUrl, branch, digestChain } = chain;
  const files = render(chain, pins, folder);
  const variables = {
    revision,
    source_url: gitUrl,
    repo_url: gitUrl,
    target_branch: branch,
    source_branch: branch,
  };
  return Promise.all(
    componentsOf(chain).map(async ({ component }) => {
      const path = `.tekton/${component}-push.yaml`;
      const run = await embed(path, { files, folder, pins, variables, standIns, plainHttp, digestChain });
      const identity = { namespace, application, component, invocation, revision, serviceAccount, gitSecret };
      return identify(run, identity, { [NAMES.madeBy]: MADE_BY_US });
    }),
  );
}

/** How the runs of one invocation are found. */
export function labelsOf(invocation: string): RunLabels {
  const selector = `${RUN_LABELS.invocation}=${invocation}`;
  return { runs: selector, tasks: selector, component: RUN_LABELS.component };
}
