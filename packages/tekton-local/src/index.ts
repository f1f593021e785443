export { buildNodeBase } from './base-image.ts';
export type { ChainsOutcome } from './chains/chains.ts';
export { type Containers, probeContainers } from './containers.ts';
export { formatProblem, type Problem, TektonLocalError, type TektonLocalErrorCode } from './errors.ts';
export type { PipelineRunOutcome, RunEvent, StepOutcome, TaskOutcome } from './outcome.ts';
export { removeFolder } from './remove-folder.ts';
export { type RunOptions, runPipeline } from './run-pipeline.ts';
export type { Selection } from './selection.ts';
export type { ParamType, ParamValue, StandIn, StandInContext, StepStandIn, StepStandInContext } from './stand-in.ts';
