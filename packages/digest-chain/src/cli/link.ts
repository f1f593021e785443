import { link } from '../link.ts';
import { parseDigestReference, parseTagReference } from '../reference.ts';
import { COMMON, connect, parseAllLinked, parseArguments, printResult, RESULTS, runName, usage } from './arguments.ts';

export async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, positionals } = parseArguments(args, {
    ...COMMON,
    tag: { type: 'string' },
    external: { type: 'string', multiple: true },
    'pipeline-run': { type: 'string' },
    ...RESULTS,
  });
  const [image, ...images] = positionals;
  if (image === undefined) throw usage('no image given');
  if (images.length === 0) throw usage('no <role>=<image> given');
  const external = values.external ?? [];
  const all = parseAllLinked([...images, ...external]);
  const result = await link(connect(values), parseDigestReference(image), all.slice(0, images.length), {
    tag: values.tag === undefined ? undefined : parseTagReference(values.tag),
    prefix: values.prefix,
    external: all.slice(images.length),
    statement: { pipelineRun: runName(values['pipeline-run']) },
    signal,
  });
  return printResult(values, result, [
    `linked  ${result.url}@${result.digest}`,
    ...result.links.map(({ role, url, digest }) => `link    ${role}: ${url}@${digest}`),
  ]);
}
