import { findOtherRegistry } from '../chain/konflux-registry.ts';
import { isPlaceholder } from '../chain/placeholders.ts';
import { planChain } from '../chain/plan.ts';
import { checkConfig } from '../config/check.ts';
import type { ConfigIssue } from '../config/issue.ts';
import type { ChainConfig } from '../config/schema.ts';

/** What a fork says about itself: by the field of the config, with the option that gives it and what to ask. */
export const FIELDS = {
  application: { option: 'application', word: 'NAME', question: 'The Konflux Application' },
  displayName: { option: 'display-name', word: 'TEXT', question: 'Its name for people' },
  namespace: { option: 'namespace', word: 'NAME', question: 'Your tenant namespace' },
  'git.url': { option: 'git-url', word: 'URL', question: 'The git repository' },
  'git.branch': { option: 'branch', word: 'NAME', question: 'The branch that is built' },
  registry: { option: 'registry', word: 'PATH', question: 'Where the images go: registry/organisation/tenant' },
  labelPrefix: { option: 'label-prefix', word: 'TEXT', question: 'What the labels of the link start with' },
} as const;
export type Field = keyof typeof FIELDS;

/** Text by dotted path: `git.url`, `images.0.component`. */
export type Answers = Readonly<Record<string, string | undefined>>;

/** What a config says in a field. */
export function textAt(config: ChainConfig, field: string): string | undefined {
  const found = field
    .split('.')
    .reduce<unknown>((at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined), config);
  return typeof found === 'string' ? found : undefined;
}

/** What would be right in place of an answer, as `doctor` and the config's check see it; undefined where it is right. */
export function problemWith(config: ChainConfig, answers: Answers, field: string): string | undefined {
  const value = answers[field] ?? '';
  if (isPlaceholder(value)) return 'your own value: this is the placeholder that the template came with';
  const { config: checked, issues } = checkConfig(apply(config, answers));
  const { issues: before } = checkConfig(apply(config, { ...answers, [field]: undefined }));
  const path = field.replaceAll(/\.(\d+)/g, '[$1]');
  const isNew = (issue: ConfigIssue): boolean => !before.some((known) => known.path === issue.path);
  // Of two that may not be the same, the later one is named, whichever of them is changed.
  const issue = issues.find((found) => found.path === path) ?? issues.find(isNew);
  if (issue !== undefined) return issue.path === path ? issue.expected : `${issue.expected} (${issue.path})`;
  if (field !== 'registry' || checked === undefined) return undefined;
  const other = findOtherRegistry(planChain(checked));
  return other === undefined ? undefined : `${other}: Konflux puts the repositories below the namespace`;
}

/** The config with these answers. */
export function apply(config: ChainConfig, answers: Answers): ChainConfig {
  const copy = structuredClone(config);
  for (const [field, value] of Object.entries(answers)) {
    if (value === undefined) continue;
    const keys = field.split('.');
    const last = keys.pop() ?? '';
    const at = keys.reduce<object>((inner, key) => Reflect.get(inner, key) as object, copy);
    Reflect.set(at, last, value);
  }
  return copy;
}
