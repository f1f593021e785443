import { link } from '../link.ts';
import { parseDigestReference, parseTagReference } from '../reference.ts';
import { createRegistry } from '../registry/client.ts';
import { COMMON, parseArguments, usage, writeOutput } from './arguments.ts';
import { parseLinked, statementOptions } from './linked.ts';
import { printable, printableJson } from './terminal.ts';

export const HELP: string = `Usage: digest-chain link <image> <role>=<image>... [options]

Links an image to the images that embed it without changing it: attaches the chain
statement to each of them. Its digest stays what the others name.

  <image>               references with a digest: repo@sha256:…, repo:tag@sha256:…
  <role>                the linked image's part in the chain, such as bundle

Options:
  --tag <reference>     publish under this tag (repo:tag, the image's repository), last
  --pipeline-run <name>  what the statement names as the run that built the images
  --prefix <prefix>     of the labels (default: io.konflux.poc)
  --result-url <file>   write the image's url there
  --result-digest <file>  write the image's digest there
  --json                print the result as JSON
  -h, --help            print this

Examples:
  digest-chain link quay.io/org/operator@sha256:… bundle=quay.io/org/bundle:1.0@sha256:… --tag quay.io/org/operator:1.0
`;

export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArguments('link', args, {
    ...COMMON,
    tag: { type: 'string' },
    'pipeline-run': { type: 'string' },
    'result-url': { type: 'string' },
    'result-digest': { type: 'string' },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const [image, ...images] = positionals;
  if (image === undefined) throw usage('link', 'no image given');
  if (images.length === 0) throw usage('link', 'no <role>=<image> given');
  const linked = images.map((text) => parseLinked('link', text));
  const result = await link(createRegistry(), parseDigestReference(image), linked, {
    ...(values.tag === undefined ? {} : { tag: parseTagReference(values.tag) }),
    ...(values.prefix === undefined ? {} : { prefix: values.prefix }),
    statement: statementOptions(values['pipeline-run']),
  });
  await writeOutput(values['result-url'], result.url);
  await writeOutput(values['result-digest'], result.digest);
  if (values.json) process.stdout.write(`${printableJson(result)}\n`);
  else {
    const links = result.links.map(({ role, url, digest }) => `link    ${role}: ${url}@${digest}`);
    const lines = [`linked  ${result.url}@${result.digest}`, ...links];
    process.stdout.write(`${lines.map(printable).join('\n')}\n`);
  }
  return 0;
}
