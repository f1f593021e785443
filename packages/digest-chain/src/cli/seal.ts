import { parseDigestReference, parseTagReference } from '../reference.ts';
import { seal } from '../seal.ts';
import { COMMON, parseArguments, parseRepository, usage, writeOutput } from './arguments.ts';
import { parseLinked, statementOptions } from './linked.ts';
import { connect } from './registry.ts';
import { printable, printableJson } from './terminal.ts';

export async function run(args: readonly string[]): Promise<number> {
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
      ...(values.tag === undefined ? {} : { tag: parseTagReference(values.tag) }),
      ...(values.prefix === undefined ? {} : { prefix: values.prefix }),
      ...(values.to === undefined ? {} : { to: parseRepository('seal', '--to', values.to) }),
      ...(values.carry || values['no-carry'] ? { carry: values.carry === true } : {}),
      check: values['no-check'] !== true,
      statement: values['no-statement'] ? false : statementOptions(values['pipeline-run']),
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
    process.stdout.write(`${lines.map(printable).join('\n')}\n`);
  }
  return 0;
}
