import { readFile } from 'node:fs/promises';
import { reasonOf } from '../../../kit/src/errors.ts';
import { printable, printableJson } from '../../../kit/src/terminal.ts';
import { UNASKED } from '../attestation/git-source.ts';
import type { Check } from '../check.ts';
import { isDigest } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import type { NamingFiles } from '../files/named-in-files.ts';
import { isRole } from '../label-names.ts';
import { isAtLeast, type Level } from '../level.ts';
import { parseReference, type Reference } from '../reference.ts';
import type { Repository } from '../registry/registry.ts';
import { type Verification, verify, wantedLevel } from '../verify.ts';
import { COMMON, connect, durationOf, parseArguments, parseRepository, parseRole, single, usage } from './arguments.ts';
import { DEMANDS, readDemands } from './demands.ts';

export async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  // What is read of an image is soon forgotten; V8 would rather let the heap grow than clear it up as often as that takes
  // no time. Without it a thousand images take 20 MB more.
  process.getBuiltinModule('node:v8').setFlagsFromString('--semi-space-growth-factor=1');
  const { values, positionals } = parseArguments('verify', args, {
    ...COMMON,
    ...DEMANDS,
    at: { type: 'string', multiple: true },
    'no-statement': { type: 'boolean' },
    statement: { type: 'string' },
    files: { type: 'string', multiple: true },
    released: { type: 'string', multiple: true },
    'digest-from': { type: 'string' },
    deadline: { type: 'string' },
  });
  const image = await exactly(parseReference(single('verify', 'image', positionals)), values['digest-from']);
  const demands = await readDemands('verify', values);
  const wanted = wantedLevel(demands);
  const result = await verify(connect(values), image, {
    ...demands,
    at: parsePlaces('--at', values.at),
    released: parsePlaces('--released', values.released),
    files: parseFiles(values.files),
    statement: await readStatement(values),
    prefix: values.prefix,
    deadline: values.deadline === undefined ? undefined : durationOf('verify', values.deadline),
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
  if (without) throw usage('verify', '--statement and --no-statement exclude each other');
  return readFile(file).catch((cause) => {
    throw new DigestChainError('USAGE', `the chain statement could not be read: ${reasonOf(cause)}`, { cause });
  });
}

/** The image of the digest that a step before wrote into a file: what a tag says may have changed since. */
async function exactly(image: Reference, file: string | undefined): Promise<Reference> {
  if (file === undefined) return image;
  const text = await readFile(file, 'utf8').catch((cause) => {
    throw new DigestChainError('USAGE', `the digest could not be read: ${reasonOf(cause)}`, { cause });
  });
  const digest = text.trim();
  if (!isDigest(digest)) throw usage('verify', `${file} holds no digest: ${digest.slice(0, 100)}`);
  if (image.digest !== undefined && image.digest !== digest) {
    throw usage('verify', `the image has another digest than ${file}: ${digest}`);
  }
  return { ...image, tag: undefined, digest };
}

/** Reads `--at <role>=<repository>`, and options like it. */
function parsePlaces(option: string, texts: readonly string[] = []): ReadonlyMap<string, Repository> {
  const places = new Map<string, Repository>();
  for (const text of texts) {
    const { role, named } = parseRole('verify', `${option} is not <role>=<repository>`, text);
    if (places.has(role)) throw usage('verify', `${option} is given twice for ${role}`);
    places.set(role, parseRepository('verify', option, named));
  }
  return places;
}

/** Reads `--files <role>=<pattern>` and `<role>/<embedded>=<pattern>`; several of the same are patterns of the same files. */
function parseFiles(texts: readonly string[] = []): readonly NamingFiles[] {
  const read = texts.map((text) => {
    const [, role = '', embedded, pattern = ''] = /^([^=/]*)(?:\/([^=/]*))?=(.*)$/su.exec(text) ?? [];
    if (isRole(role) && (embedded === undefined || isRole(embedded)) && pattern !== '')
      return { role, embedded, pattern };
    throw usage('verify', `--files is not <role>=<pattern> or <role>/<embedded>=<pattern>: ${text}`);
  });
  return [...Map.groupBy(read, ({ role, embedded = '' }) => `${role}/${embedded}`).values()].flatMap((all) => {
    const [first] = all;
    if (first === undefined) return [];
    const { role, embedded } = first;
    return { role, embeds: embedded === undefined ? undefined : [embedded], in: all.map(({ pattern }) => pattern) };
  });
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
