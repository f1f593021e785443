export { judge } from './criteria/criteria.ts';
export type { Criterion, Evidence, Status } from './criteria/criterion.ts';
export type { ImageView, Observation, ObservedImage, RunFacts, TaskFacts } from './criteria/observation.ts';
export { E2eError, type E2eErrorCode } from './errors.ts';
export { renderPage } from './report/html/page.ts';
export type { Report, ReportImage } from './report/report.ts';
