// What a test of another package needs to run Tekton's own examples.
export { rowsOfPage } from './conformance-page.ts';
export { makeStandInImages } from './stand-in-image.ts';
export { type Example, tektonExamples } from './tekton-examples.ts';
