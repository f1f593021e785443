import { parseDigestReference, parseReference, parseTagReference, repositoryName } from '../reference.ts';
import { seal } from '../seal.ts';
import {
  COMMON,
  connect,
  parseAllLinked,
  parseArguments,
  parseRepository,
  printResult,
  RESULTS,
  runName,
  usage,
  writeOutput,
} from './arguments.ts';
import { SBOM_RESULT, writeSbomUrl } from './sbom-result.ts';

export async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, positionals } = parseArguments(args, {
    ...COMMON,
    tag: { type: 'string' },
    'no-check': { type: 'boolean' },
    'no-statement': { type: 'boolean' },
    to: { type: 'string' },
    carry: { type: 'boolean' },
    'no-carry': { type: 'boolean' },
    'pipeline-run': { type: 'string' },
    'result-images': { type: 'string' },
    ...RESULTS,
    ...SBOM_RESULT,
  });
  const [origin, ...images] = positionals;
  if (origin === undefined) throw usage('no origin given');
  if (images.length === 0) throw usage('no <role>=<image> given');
  if (values.carry && values['no-carry']) throw usage('either --carry or --no-carry');
  const registry = connect(values);
  const result = await seal(registry, parseDigestReference(origin), parseAllLinked(images), {
    tag: values.tag === undefined ? undefined : parseTagReference(values.tag),
    prefix: values.prefix,
    to: values.to === undefined ? undefined : parseRepository('--to', values.to),
    carry: values['no-carry'] ? false : values.carry,
    check: values['no-check'] !== true,
    statement: values['no-statement'] ? false : { pipelineRun: runName(values['pipeline-run']) },
    signal,
  });
  await writeSbomUrl(values, registry, result, signal);
  if (result.images.length > 0) {
    const repository = repositoryName(parseReference(result.url));
    await writeOutput(values['result-images'], result.images.map((digest) => `${repository}@${digest}`).join(','));
  }
  const { carried, left } = result.attachments ?? { carried: [], left: [] };
  return printResult(values, result, [
    `sealed  ${result.url}@${result.digest}`,
    ...result.images.map((digest) => `image   ${digest}`),
    `origin  ${result.origin}`,
    ...result.links.map(({ role, url, digest }) => `link    ${role}: ${url}@${digest}`),
    ...carried.map(({ from, to }) => `carried ${from} as ${to}`),
    ...left.map(({ name, reason }) => `left    ${name}: ${reason}`),
  ]);
}
