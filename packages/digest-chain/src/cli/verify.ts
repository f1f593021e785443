import { reasonOf } from '../../../kit/src/errors.ts';
import { printable, printableJson } from '../../../kit/src/terminal.ts';
import { UNASKED } from '../attestation/git-source.ts';
import { readUpTo } from '../bounded-file.ts';
import type { Check } from '../check.ts';
import { isDigest } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import { isAtLeast, type Level } from '../level.ts';
import { parseReference, type Reference } from '../reference.ts';
import { MAX_STATEMENT_SIZE } from '../statement/statement.ts';
import { type Verification, verify, wantedLevel } from '../verify.ts';
import { COMMON, connect, durationOf, oneImage, parseArguments, usage } from './arguments.ts';
import { DEMANDS, parsePlaces, readDemands } from './demands.ts';

export async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  // What is read of an image is soon forgotten; V8 would rather let the heap grow than clear it up as often as that takes
  // no time. Without it a thousand images take 20 MB more.
  process.getBuiltinModule('node:v8').setFlagsFromString('--semi-space-growth-factor=1');
  const { values, positionals } = parseArguments(args, {
    ...COMMON,
    ...DEMANDS,
    at: { type: 'string', multiple: true },
    'no-statement': { type: 'boolean' },
    statement: { type: 'string' },
    'digest-from': { type: 'string' },
    deadline: { type: 'string' },
  });
  const image = await exactly(parseReference(oneImage(positionals)), values['digest-from']);
  const demands = await readDemands(values);
  const wanted = wantedLevel(demands);
  const result = await verify(connect(values), image, {
    ...demands,
    at: parsePlaces('--at', values.at),
    statement: await readStatement(values),
    prefix: values.prefix,
    deadline: values.deadline === undefined ? undefined : durationOf(values.deadline),
    signal,
  });
  process.stdout.write(values.json ? `${printableJson(result)}\n` : formatVerification(result, wanted));
  return isAtLeast(result.level, wanted) ? 0 : 1;
}

/** The chain statement of `--statement`, or whether one is looked for. */
async function readStatement(values: {
  readonly statement?: string | undefined;
  readonly 'no-statement'?: boolean | undefined;
}): Promise<boolean | Uint8Array> {
  const { statement: file, 'no-statement': without = false } = values;
  if (file === undefined) return !without;
  if (without) throw usage('--statement and --no-statement exclude each other');
  // One byte more than there may be is told from as many.
  return readUpTo(file, MAX_STATEMENT_SIZE + 1).catch((cause) => {
    throw new DigestChainError('USAGE', `the chain statement could not be read: ${reasonOf(cause)}`, { cause });
  });
}

/** Bytes. */
const MAX_DIGEST_FILE = 4096;

/** The image of the digest that a step before wrote into a file: what a tag says may have changed since. */
async function exactly(image: Reference, file: string | undefined): Promise<Reference> {
  if (file === undefined) return image;
  const text = await readUpTo(file, MAX_DIGEST_FILE).catch((cause) => {
    throw new DigestChainError('USAGE', `the digest could not be read: ${reasonOf(cause)}`, { cause });
  });
  const digest = text.toString().trim();
  if (!isDigest(digest)) throw usage(`${file} holds no digest: ${digest.slice(0, 100)}`);
  if (image.digest !== undefined && image.digest !== digest) {
    throw usage(`the image has another digest than ${file}: ${digest}`);
  }
  return { ...image, tag: undefined, digest };
}

/** The proof for a terminal: a line for each check, and what it comes to. */
function formatVerification(result: Verification, wanted: Level): string {
  const { reference, digest } = result.image;
  const name = reference.includes('@') ? reference : `${reference}@${digest}`;
  const missed = isAtLeast(result.level, wanted) ? '' : `, NOT ${wanted}`;
  const verdict = result.level === 'none' ? 'NOT PROVED' : `${result.level}${missed}`;
  const lines = [...result.checks.flatMap(formatCheck), `${verdict}: ${printable(name)}`, ...unasked(result)];
  return `${lines.join('\n')}\n`;
}

/** A key that builds everybody's code proves that somebody's code was built: whoever does not ask whose is told. */
function unasked({ checks, level }: Verification): string[] {
  const source =
    level === 'attested' ? checks.find(({ id, evidence }) => id === 'source' && evidence.includes(UNASKED)) : undefined;
  return source === undefined ? [] : [`NOTE: ${printable(source.evidence)}`];
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
