import type { Check } from '../check.ts';
import { parseReference } from '../reference.ts';
import { createRegistry } from '../registry/client.ts';
import { type Verification, verify } from '../verify.ts';
import { COMMON, parseArguments, single } from './arguments.ts';
import { printable, printableJson } from './terminal.ts';

export const HELP: string = `Usage: digest-chain verify <image> [options]

Proves from the registry alone that a sealed image and the images it links to name
each other by digest. Reports every check; exits 1 where one did not pass.

Options:
  --revision <commit>   the git commit that all images must have been built from
  --prefix <prefix>     of the labels (default: io.konflux.poc)
  --json                print the proof as JSON
  -h, --help            print this

Examples:
  digest-chain verify quay.io/org/app:latest
  digest-chain verify quay.io/org/app@sha256:… --revision $(git rev-parse HEAD) --json
`;

export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArguments('verify', args, { ...COMMON, revision: { type: 'string' } });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const image = parseReference(single('verify', 'image', positionals));
  const result = await verify(createRegistry(), image, {
    ...(values.revision === undefined ? {} : { revision: values.revision }),
    ...(values.prefix === undefined ? {} : { prefix: values.prefix }),
  });
  process.stdout.write(values.json ? `${printableJson(result)}\n` : formatVerification(result));
  return result.level === 'linked' ? 0 : 1;
}

/** The proof for a terminal: a line for each check, and what it comes to. */
function formatVerification(result: Verification): string {
  const { reference, digest } = result.image;
  const name = reference.includes('@') ? reference : `${reference}@${digest}`;
  const verdict = result.level === 'linked' ? 'linked' : 'NOT PROVED';
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
