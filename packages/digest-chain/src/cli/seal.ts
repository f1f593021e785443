import { parseDigestReference, parseTagReference } from '../reference.ts';
import { createRegistry } from '../registry/client.ts';
import { seal } from '../seal.ts';
import { COMMON, parseArguments, usage, writeOutput } from './arguments.ts';
import { parseLinked, statementOptions } from './linked.ts';
import { printable, printableJson } from './terminal.ts';

export const HELP: string = `Usage: digest-chain seal <origin> <role>=<image>... [options]

Writes the digests of the images that embed <origin> into its labels, and pushes
the result to the same repository. Every byte but the seal's own labels stays,
so that unsealing gives the origin back, with its digest.

  <origin>, <image>     references with a digest: repo@sha256:…, repo:tag@sha256:…
  <role>                the linked image's part in the chain, such as metadata

Options:
  --tag <reference>     publish under this tag (repo:tag, the origin's repository).
                        Each linked image is checked first: it exists, and embeds
                        the origin. The chain statement is attached to all of
                        them. The tag is written last.
  --no-check            don't check the linked images; no statement is attached
  --no-statement        attach no chain statement
  --pipeline-run <name>  what the statement names as the run that built the images
  --prefix <prefix>     of the labels (default: io.konflux.poc)
  --result-url <file>   write the sealed image's url there
  --result-digest <file>  write the sealed image's digest there
  --json                print the result as JSON
  -h, --help            print this

Examples:
  digest-chain seal quay.io/org/app@sha256:… metadata=quay.io/org/meta:1.0@sha256:… --tag quay.io/org/app:1.0
  digest-chain seal quay.io/org/app@sha256:… bundle=quay.io/org/bundle@sha256:… catalog=quay.io/org/catalog@sha256:…
`;

export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArguments('seal', args, {
    ...COMMON,
    tag: { type: 'string' },
    'no-check': { type: 'boolean' },
    'no-statement': { type: 'boolean' },
    'pipeline-run': { type: 'string' },
    'result-url': { type: 'string' },
    'result-digest': { type: 'string' },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const [origin, ...images] = positionals;
  if (origin === undefined) throw usage('seal', 'no origin given');
  if (images.length === 0) throw usage('seal', 'no <role>=<image> given');
  const result = await seal(
    createRegistry(),
    parseDigestReference(origin),
    images.map((text) => parseLinked('seal', text)),
    {
      ...(values.tag === undefined ? {} : { tag: parseTagReference(values.tag) }),
      ...(values.prefix === undefined ? {} : { prefix: values.prefix }),
      check: values['no-check'] !== true,
      statement: values['no-statement'] ? false : statementOptions(values['pipeline-run']),
    },
  );
  await writeOutput(values['result-url'], result.url);
  await writeOutput(values['result-digest'], result.digest);
  if (values.json) process.stdout.write(`${printableJson(result)}\n`);
  else {
    const links = result.links.map((link) => `link    ${link.role}: ${link.url}@${link.digest}`);
    const lines = [`sealed  ${result.url}@${result.digest}`, `origin  ${result.origin}`, ...links];
    process.stdout.write(`${lines.map(printable).join('\n')}\n`);
  }
  return 0;
}
