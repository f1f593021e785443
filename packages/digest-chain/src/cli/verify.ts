import type { Check } from '../check.ts';
import { parseReference } from '../reference.ts';
import { createRegistry } from '../registry/client.ts';
import { type Verification, verify } from '../verify.ts';
import { COMMON, parseArguments, single } from './arguments.ts';
import { readKeys } from './keys.ts';
import { printable, printableJson } from './terminal.ts';

export const HELP: string = `Usage: digest-chain verify <image> [options]

Proves from the registry alone that the images of a chain name each other by
digest; with a key, also that the build system signed that it built them so. Starts
from any image of the chain. Reports every check; exits 1 where what was asked for
does not hold.

Options:
  --key <file>          public keys (PEM) of the build system; can be repeated. No
                        certificate and no transparency log is checked
  --no-statement        don't look for a chain statement beside the labels
  --revision <commit>   the git commit that all images must have been built from
  --prefix <prefix>     of the labels (default: io.konflux.poc)
  --json                print the proof as JSON
  -h, --help            print this

Examples:
  digest-chain verify quay.io/org/app:latest
  digest-chain verify quay.io/org/app:latest --key cosign.pub
  digest-chain verify quay.io/org/app@sha256:… --revision $(git rev-parse HEAD) --json
`;

export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArguments('verify', args, {
    ...COMMON,
    key: { type: 'string', multiple: true },
    'no-statement': { type: 'boolean' },
    revision: { type: 'string' },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const image = parseReference(single('verify', 'image', positionals));
  const result = await verify(createRegistry(), image, {
    ...(await readKeys(values.key)),
    statement: values['no-statement'] !== true,
    ...(values.revision === undefined ? {} : { revision: values.revision }),
    ...(values.prefix === undefined ? {} : { prefix: values.prefix }),
  });
  process.stdout.write(values.json ? `${printableJson(result)}\n` : formatVerification(result));
  return result.level === 'none' ? 1 : 0;
}

/** The proof for a terminal: a line for each check, and what it comes to. */
function formatVerification(result: Verification): string {
  const { reference, digest } = result.image;
  const name = reference.includes('@') ? reference : `${reference}@${digest}`;
  const verdict = result.level === 'none' ? 'NOT PROVED' : result.level;
  return `${[...result.checks.flatMap(formatCheck), `${verdict}: ${printable(name)}`].join('\n')}\n`;
}

function formatCheck(check: Check): string[] {
  const status = check.status === 'failed' ? 'FAILED' : check.status;
  const about = check.role === undefined ? check.id : `${check.id} (${check.role})`;
  const lines = [`${status.padEnd(8)}${printable(about).padEnd(32)} ${printable(check.evidence)}`];
  for (const name of ['expected', 'found', 'hint'] as const) {
    const text = check[name];
    if (text !== undefined) lines.push(`        ${`${name}:`.padEnd(10)}${printable(text)}`);
  }
  return lines;
}
