import { extract } from '../extract.ts';
import { parseReference } from '../reference.ts';
import { createRegistry } from '../registry/client.ts';
import { COMMON, parseArguments, parseDuration, single, usage, writeOutput } from './arguments.ts';
import { readKeys } from './keys.ts';
import { printable, printableJson } from './terminal.ts';

export const HELP: string = `Usage: digest-chain extract <image> --role <role> [options]

Verifies an image of a chain and answers with another one of it.

Options:
  --role <role>         which other image
  --wait                wait until the image is published
  --deadline <time>     how long to wait: 90s, 30m, 2h (default: 30m)
  --key <file>          public keys (PEM) of the build system: ask for its signatures
                        and provenance too; can be repeated
  --revision <commit>   the git commit that all images must have been built from
  --prefix <prefix>     of the labels (default: io.konflux.poc)
  --result-url <file>   write the linked image's url there
  --result-digest <file>  write the linked image's digest there
  --json                print the result, with the proof, as JSON
  -h, --help            print this

Examples:
  digest-chain extract quay.io/org/app:latest --role metadata
  digest-chain extract quay.io/org/app:$COMMIT --role metadata --wait --deadline 20m --revision $COMMIT
`;

export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArguments('extract', args, {
    ...COMMON,
    role: { type: 'string' },
    wait: { type: 'boolean' },
    deadline: { type: 'string' },
    revision: { type: 'string' },
    key: { type: 'string', multiple: true },
    'result-url': { type: 'string' },
    'result-digest': { type: 'string' },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const image = parseReference(single('extract', 'image', positionals));
  if (values.role === undefined) throw usage('extract', 'no --role given');
  if (values.deadline !== undefined && !values.wait) throw usage('extract', '--deadline needs --wait');
  const result = await extract(createRegistry(), image, {
    role: values.role,
    ...(await readKeys(values.key)),
    ...(values.wait ? { deadline: parseDuration('extract', values.deadline ?? '30m'), onWait: announce() } : {}),
    ...(values.revision === undefined ? {} : { revision: values.revision }),
    ...(values.prefix === undefined ? {} : { prefix: values.prefix }),
  });
  await writeOutput(values['result-url'], result.url);
  await writeOutput(values['result-digest'], result.digest);
  process.stdout.write(values.json ? `${printableJson(result)}\n` : `${printable(`${result.url}@${result.digest}`)}\n`);
  return 0;
}

/** Says on stderr what is waited for: at once, and then every half minute. */
function announce(): (progress: { waited: number; reason: string }) => void {
  let next = 0;
  return ({ waited, reason }) => {
    if (waited < next) return;
    next = waited + 30_000;
    process.stderr.write(`waiting (${Math.round(waited / 1000)} s): ${printable(reason)}\n`);
  };
}
