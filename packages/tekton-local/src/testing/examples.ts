// What a test of another package needs to run Tekton's own examples, and to compare statements with those of Chains.
export { rowsOfPage } from './conformance-page.ts';
export { comparable, type RecordedRun, type Statement, writtenOf } from './recorded-run.ts';
export { makeStandInImages } from './stand-in-image.ts';
export { type Example, tektonExamples } from './tekton-examples.ts';
