import { printable, printableJson } from '../../../kit/src/terminal.ts';
import { parseDigestReference, parseTagReference } from '../reference.ts';
import { seal } from '../seal.ts';
import { COMMON, connect, parseArguments, parseLinked, parseRepository, usage, writeOutput } from './arguments.ts';

export async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, positionals } = parseArguments('seal', args, {
    ...COMMON,
    tag: { type: 'string' },
    'no-check': { type: 'boolean' },
    'no-statement': { type: 'boolean' },
    to: { type: 'string' },
    carry: { type: 'boolean' },
    'no-carry': { type: 'boolean' },
    'pipeline-run': { type: 'string' },
    'result-url': { type: 'string' },
    'result-digest': { type: 'string' },
  });
  const [origin, ...images] = positionals;
  if (origin === undefined) throw usage('seal', 'no origin given');
  if (images.length === 0) throw usage('seal', 'no <role>=<image> given');
  if (values.carry && values['no-carry']) throw usage('seal', 'either --carry or --no-carry');
  const result = await seal(
    connect(values),
    parseDigestReference(origin),
    images.map((text) => parseLinked('seal', text)),
    {
      tag: values.tag === undefined ? undefined : parseTagReference(values.tag),
      prefix: values.prefix,
      to: values.to === undefined ? undefined : parseRepository('seal', '--to', values.to),
      carry: values['no-carry'] ? false : values.carry,
      check: values['no-check'] !== true,
      statement: values['no-statement'] ? false : { pipelineRun: values['pipeline-run'] },
      signal,
    },
  );
  await writeOutput(values['result-url'], result.url);
  await writeOutput(values['result-digest'], result.digest);
  if (values.json) process.stdout.write(`${printableJson(result)}\n`);
  else {
    const links = result.links.map((link) => `link    ${link.role}: ${link.url}@${link.digest}`);
    const { carried, left } = result.attachments ?? { carried: [], left: [] };
    const lines = [
      `sealed  ${result.url}@${result.digest}`,
      `origin  ${result.origin}`,
      ...links,
      ...carried.map(({ from, to }) => `carried ${from} as ${to}`),
      ...left.map(({ name, reason }) => `left    ${name}: ${reason}`),
    ];
    process.stdout.write(`${lines.map((line) => printable(line)).join('\n')}\n`);
  }
  return 0;
}
