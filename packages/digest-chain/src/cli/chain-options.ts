import { isGitUrl } from '../attestation/git-source.ts';
import { isRole } from '../label-names.ts';
import type { TestedSnapshot } from '../snapshot/judge.ts';
import { type Components, parseSnapshotSpec } from '../snapshot/read.ts';
import type { TestOutput } from '../snapshot/test-output.ts';
import { parseRole, usage, type Values, writeOutput } from './arguments.ts';

/** The options that say which components a chain has. */
export const COMPONENTS = {
  component: { type: 'string', multiple: true },
  'git-url': { type: 'string' },
} as const;

/** The options of the verbs that run in an integration test: what that is told, and what it answers. */
export const TEST = {
  chain: { type: 'string' },
  'external-component': { type: 'string', multiple: true },
  start: { type: 'string', multiple: true },
  snapshot: { type: 'string' },
  built: { type: 'string' },
  event: { type: 'string' },
  'pull-request': { type: 'string' },
  'test-output': { type: 'string' },
} as const;

/** Reads `--component <role>=<name>`, or `<role>=-` for none, and options like it. */
export function parseComponents(texts: readonly string[] = [], option: string = '--component'): Components {
  const components = new Map<string, string | undefined>();
  for (const text of texts) {
    const { role, named } = parseRole(`${option} is not <role>=<name>`, text);
    if (components.has(role)) throw usage(`${option} is given twice for ${role}`);
    if (named !== '-') checkName(named);
    if (named !== '-' && [...components.values()].includes(named)) {
      throw usage(`the component ${named} is given for two roles`);
    }
    components.set(role, named === '-' ? undefined : named);
  }
  return components;
}

export function checkName(name: string): void {
  if (/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) return;
  throw usage(`not a Kubernetes name: ${name}`);
}

/** An option that has to be given. */
export function needed(name: string, value: string | undefined): string {
  if (value !== undefined) return value;
  throw usage(`no --${name} given`);
}

/** An option, or what the variable has that `env://<variable>` names; undefined where that is empty, as labels of pods are. */
export function optionOf(text: string | undefined): string | undefined {
  if (!text?.startsWith('env://')) return text;
  return process.env[text.slice('env://'.length)] || undefined;
}

/** What is proved is named; naming it beside what is not would leave open which of them goes into a Snapshot. */
export function refuseTwoSources(values: { 'git-url'?: string | undefined; source?: string | undefined }): void {
  if (values['git-url'] === undefined || values.source === undefined) return;
  throw usage('--git-url and --source exclude each other: what is proved is named');
}

/** The repository that pushes are built from, proved or not. */
export function readGitUrl(values: Values<typeof COMPONENTS> & { source?: string | undefined }): string {
  refuseTwoSources(values);
  const url = needed('git-url', values['git-url'] ?? values.source);
  if (!isGitUrl(url)) throw usage(`--git-url is no git URL: ${url}`);
  return url;
}

/** What every integration test of a chain is told. */
export function readTest(values: Values<typeof TEST & typeof COMPONENTS>): {
  tested: TestedSnapshot;
  components: Components;
  external: Components;
  starts: readonly string[];
} {
  const components = parseComponents(values.component);
  if (components.size === 0) throw usage('no --component given');
  const external = parseComponents(values['external-component'], '--external-component');
  for (const [role, component] of external) {
    if (component === undefined) throw usage(`--external-component names no component: ${role}=-`);
    if (components.has(role)) throw usage(`${role} is given as an image of the chain, and as an external one`);
    if (![...components.values()].includes(component)) continue;
    throw usage(`the component ${component} is given for two roles`);
  }
  const odd = values.start?.find((role) => !isRole(role));
  if (odd !== undefined) throw usage(`--start is no role: ${odd}`);
  const text = optionOf(needed('snapshot', values.snapshot)) ?? '';
  const tested = {
    spec: parseSnapshotSpec(text),
    built: optionOf(values.built),
    event: optionOf(values.event),
    pullRequest: optionOf(values['pull-request']),
  };
  return { tested, components, external, starts: values.start ?? [] };
}

/** Prints the outcome of a test, and writes it where Tekton reads it; answers with the exit code. */
export async function answer(file: string | undefined, output: TestOutput): Promise<number> {
  await writeOutput(file, JSON.stringify(output));
  process.stdout.write(`${JSON.stringify(output, null, 2)}\n`);
  return output.failures === 0 ? 0 : 1;
}
