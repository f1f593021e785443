import { printable, printableJson } from '../../../kit/src/terminal.ts';
import { link } from '../link.ts';
import { parseDigestReference, parseTagReference } from '../reference.ts';
import { COMMON, connect, parseArguments, parseLinked, usage, writeOutput } from './arguments.ts';

export async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, positionals } = parseArguments('link', args, {
    ...COMMON,
    tag: { type: 'string' },
    'pipeline-run': { type: 'string' },
    'result-url': { type: 'string' },
    'result-digest': { type: 'string' },
  });
  const [image, ...images] = positionals;
  if (image === undefined) throw usage('link', 'no image given');
  if (images.length === 0) throw usage('link', 'no <role>=<image> given');
  const linked = images.map((text) => parseLinked('link', text));
  const result = await link(connect(values), parseDigestReference(image), linked, {
    tag: values.tag === undefined ? undefined : parseTagReference(values.tag),
    prefix: values.prefix,
    statement: { pipelineRun: values['pipeline-run'] },
    signal,
  });
  await writeOutput(values['result-url'], result.url);
  await writeOutput(values['result-digest'], result.digest);
  if (values.json) process.stdout.write(`${printableJson(result)}\n`);
  else {
    const links = result.links.map(({ role, url, digest }) => `link    ${role}: ${url}@${digest}`);
    const lines = [`linked  ${result.url}@${result.digest}`, ...links];
    process.stdout.write(`${lines.map((line) => printable(line)).join('\n')}\n`);
  }
  return 0;
}
