export type { Source } from './artifact.ts';
export { checkBundle } from './check-bundle.ts';
export { BundlesError, type BundlesErrorCode } from './errors.ts';
export { type Published, publish, REPOSITORIES } from './publish.ts';
export type { TektonObject } from './tekton-bundle.ts';
