import { printable, printableJson } from '../../../kit/src/terminal.ts';
import { isGitUrl } from '../attestation/git-source.ts';
import { parseReference } from '../reference.ts';
import { type Snapshot, snapshotOf } from '../snapshot/document.ts';
import { COMMON, connect, oneImage, parseArguments, usage } from './arguments.ts';
import { COMPONENTS, checkName, needed, parseComponents, refuseTwoSources } from './chain-options.ts';
import { DEMANDS, namesSigner, readDemands, UNSIGNED } from './demands.ts';

export async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, positionals } = parseArguments(args, {
    ...COMMON,
    ...DEMANDS,
    ...COMPONENTS,
    application: { type: 'string' },
    namespace: { type: 'string' },
  });
  const image = parseReference(oneImage(positionals));
  const { namespace, 'git-url': gitUrl } = values;
  const application = needed('application', values.application);
  for (const name of [application, namespace ?? application]) checkName(name);
  refuseTwoSources(values);
  if (gitUrl !== undefined && !isGitUrl(gitUrl)) throw usage(`--git-url is no git URL: ${gitUrl}`);
  const snapshot = await snapshotOf(connect(values), image, {
    ...(await readDemands(values)),
    application,
    components: parseComponents(values.component),
    namespace,
    gitUrl,
    prefix: values.prefix,
    signal,
  });
  if (!namesSigner(values)) process.stderr.write(`${UNSIGNED}\n`);
  process.stdout.write(values.json ? `${printableJson(snapshot)}\n` : yamlOf(snapshot));
  return 0;
}

/** Its values are JSON strings, which every reader of YAML takes for what they are. */
function yamlOf({ apiVersion, kind, metadata, spec }: Snapshot): string {
  const text = (value: string): string => JSON.stringify(printable(value));
  const { name, namespace, labels } = metadata;
  return [
    `apiVersion: ${apiVersion}`,
    `kind: ${kind}`,
    'metadata:',
    `  name: ${name}`,
    ...(namespace === undefined ? [] : [`  namespace: ${namespace}`]),
    '  labels:',
    ...Object.entries(labels).map(([key, value]) => `    ${key}: ${value}`),
    'spec:',
    `  application: ${spec.application}`,
    `  components:${spec.components.length === 0 ? ' []' : ''}`,
    ...spec.components.flatMap(({ name: component, containerImage, source: { git } }) => [
      `    - name: ${component}`,
      `      containerImage: ${text(containerImage)}`,
      '      source:',
      '        git:',
      `          url: ${text(git.url)}`,
      `          revision: ${text(git.revision)}`,
    ]),
    '',
  ].join('\n');
}
