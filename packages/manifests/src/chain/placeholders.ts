import type { ChainPlan } from './plan.ts';

/** Whether a value is one that the template came with, to be replaced. */
export function isPlaceholder(value: string): boolean {
  return /(?:^|[/.])your-/.test(value);
}

/** The fields of the config that nobody has set yet, with their values. */
export function findPlaceholders(chain: ChainPlan): { field: string; value: string }[] {
  const { application, namespace, gitUrl, registry } = chain;
  return Object.entries({ application, namespace, 'git.url': gitUrl, registry })
    .map(([field, value]) => ({ field, value }))
    .filter(({ value }) => isPlaceholder(value));
}

/** Names that the template came with, with the option of `configure` that sets them. */
export function findOwnNames(chain: ChainPlan): { field: string; value: string; option: string }[] {
  const { application, displayName } = chain;
  return [
    ...(application === 'multi-image-poc' ? [{ field: 'application', value: application, option: 'application' }] : []),
    ...(displayName === 'Multi-Image PoC'
      ? [{ field: 'displayName', value: displayName, option: 'display-name' }]
      : []),
  ];
}
