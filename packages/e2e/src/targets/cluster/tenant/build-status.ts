import { KONFLUX } from '@multi-image/kit/konflux';
import { type Resource, text } from '../api/resource.ts';

export interface BuildStatus {
  /** Of Pipelines as Code: enabled, disabled or error. */
  state: string;
  /** What went wrong last, in setting up or in a build that was asked for. */
  error: string | undefined;
  message: string;
}

/** What the build service says of a component; undefined where it has said nothing yet. */
export function buildStatus(component: Resource): BuildStatus | undefined {
  const raw = component.metadata.annotations?.[KONFLUX.buildStatus];
  if (raw === undefined || raw === '') return undefined;
  try {
    const parsed: unknown = JSON.parse(raw);
    const state = text(parsed, 'pac', 'state') ?? '';
    const said = text(parsed, 'message');
    // What is wrong with the pipeline that Konflux would build with, it says beside: by number, like all its errors.
    const error = text(parsed, 'pac', 'error-message') ?? (/^\d+: /.test(said ?? '') ? said : undefined);
    const message = state === 'disabled' ? 'disabled: Pipelines as Code was unconfigured' : said;
    return { state, error, message: error ?? message ?? '' };
  } catch {
    return { state: '', error: undefined, message: raw.slice(0, 300) };
  }
}

/** Whether builds of a component can be asked for, and an error in its status would be that of the build asked for. */
export function isConfigured({ state, error }: BuildStatus): boolean {
  return state === 'enabled' && error === undefined;
}

/** What is asked of the build service, which takes the annotation away when it wrote its answer. */
export function requestOf(component: Resource): string | undefined {
  return component.metadata.annotations?.[KONFLUX.request];
}

/** Whether it is asked to set up Pipelines as Code, or not to: what its status says then is of before. */
export function isAsked(component: Resource): boolean {
  return requestOf(component)?.includes('configure-pac') === true;
}
