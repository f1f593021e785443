/** What labels and annotations of Pipelines as Code begin with. */
export const PAC = 'pipelinesascode.tekton.dev/';

/** Labels and annotations of Tekton's, of Pipelines (its docs/labels.md) and of Chains. */
export const TEKTON = {
  pipeline: 'tekton.dev/pipeline',
  pipelineRun: 'tekton.dev/pipelineRun',
  pipelineRunUid: 'tekton.dev/pipelineRunUID',
  pipelineTask: 'tekton.dev/pipelineTask',
  /** `tasks` or `finally`. */
  memberOf: 'tekton.dev/memberOf',
  task: 'tekton.dev/task',
  taskRun: 'tekton.dev/taskRun',
  /** `true` where Chains signed the run. */
  signed: 'chains.tekton.dev/signed',
} as const;
