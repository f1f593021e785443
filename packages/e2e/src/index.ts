export { E2eError, type E2eErrorCode } from './errors.ts';
export { judge } from './judge/criteria.ts';
export type { Criterion, Evidence, Status } from './judge/criterion.ts';
export type { ImageView, Observation, ObservedImage, RunFacts, TaskFacts } from './judge/observation.ts';
export { renderPage } from './report/html/page.ts';
export type { Report, ReportImage } from './report/report.ts';
