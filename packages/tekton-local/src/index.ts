export { LOCAL_BUILDER } from './chains/provenance.ts';
export { buildNodeBase } from './containers/base-image.ts';
export { type Containers, probeContainers } from './containers/containers.ts';
export { type Problem, TektonLocalError, type TektonLocalErrorCode } from './errors.ts';
export type { ChainsOutcome, PipelineRunOutcome, RunEvent, StepOutcome, TaskOutcome } from './outcome.ts';
export { resolvePipelineRun } from './plan/resolve.ts';
export type { Selection } from './plan/selection.ts';
export type { StepProgram, StepProgramContext } from './run/step-program.ts';
export { type RunOptions, runPipeline } from './run-pipeline.ts';
