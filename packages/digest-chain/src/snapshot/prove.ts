import type { Digest } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import { assertVerified } from '../extract.ts';
import type { NamingFiles } from '../files/named-in-files.ts';
import { isAtLeast, type Level } from '../level.ts';
import { parseReference, type Reference } from '../reference.ts';
import type { Registry } from '../registry/registry.ts';
import { type Verification, type VerifyOptions, verify } from '../verify.ts';
import type { SnapshotEntry } from './read.ts';

/** Images that are proved to be one chain, all built from one commit. */
export interface ProvedChain {
  readonly level: Exclude<Level, 'none'>;
  readonly revision: string;
  readonly images: readonly ProvedImage[];
}

export type ProvedImage = Verification['images'][number];

export interface ProveOptions extends VerifyOptions {
  /** The roles of images that link to others, the one that leads to the rest first; by default the first entry's. */
  readonly starts?: readonly string[] | undefined;
}

/**
 * Proves that these images are of one chain, from the registry's bytes; those that were built elsewhere are the ones that
 * it was built with. Throws `SNAPSHOT_MIXED` with what is mixed, and
 * what {@link assertVerified} throws of a chain that is broken.
 */
export async function proveTogether(
  client: Registry,
  entries: readonly SnapshotEntry[],
  options: ProveOptions,
): Promise<ProvedChain> {
  const built = entries.filter(({ external }) => !external);
  const [first] = built;
  if (first === undefined) throw new RangeError('a chain of no images');
  const revision = sameCommit(built);
  const proved = new Map<string, ProvedImage>();
  let level: ProvedChain['level'] = 'attested';
  for (const role of startsOf(built, options.starts)) {
    const start = startAt(role, built, proved);
    if (start === undefined) continue;
    const files = options.files?.filter((each) => startOf(each, options.starts) === role);
    const proof = await verify(client, start, { ...options, files, revision });
    assertVerified(proof, options);
    if (!isAtLeast(proof.level, level)) level = 'linked';
    for (const image of proof.images) {
      const known = proved.get(image.role);
      if (known !== undefined && known.digest !== image.digest) throw twoOf(image.role, known.digest, image.digest);
      proved.set(image.role, image);
    }
  }
  for (const entry of entries) checkMember(entry, first, proved);
  return { level, revision, images: [...proved.values()] };
}

/** One that none of the entries is can only be started from once another proof has led to it. */
function startsOf(entries: readonly SnapshotEntry[], starts: readonly string[] = []): readonly string[] {
  const first = entries.find(({ role }) => starts[0] === role) ?? entries[0];
  return [...new Set([first?.role ?? '', ...starts])];
}

/** Labels say of an image what embeds it, a statement all that it is about: those come last. */
function startOf({ embeds = [] }: NamingFiles, starts: readonly string[] = []): string | undefined {
  return starts.find((role) => embeds.includes(role)) ?? starts.at(-1);
}

function startAt(
  role: string,
  entries: readonly SnapshotEntry[],
  proved: ReadonlyMap<string, ProvedImage>,
): Reference | undefined {
  const known = proved.get(role);
  if (known !== undefined) return { ...parseReference(known.place), digest: known.digest };
  return entries.find((entry) => entry.role === role)?.image;
}

function sameCommit(entries: readonly SnapshotEntry[]): string {
  const commits = new Set(entries.map(({ revision }) => revision));
  const [commit = ''] = commits;
  if (commits.size === 1) return commit;
  const named = entries.map(({ component, revision }) => `${component} of ${revision}`).join(', ');
  throw mixed(`the images are of ${commits.size} commits: ${named}`, 'images of one commit', named);
}

function checkMember(
  { role, component, image, external = false }: SnapshotEntry,
  first: SnapshotEntry,
  proved: ReadonlyMap<string, ProvedImage>,
): void {
  const found = proved.get(role);
  if (found !== undefined && (found.external ?? false) !== external) {
    const [here, elsewhere] = [`${component} as an image of the chain`, `${component} as one that was built elsewhere`];
    const [expected, said] = external ? [elsewhere, here] : [here, elsewhere];
    throw mixed(`what the chain says of ${component} is not what is asked for`, expected, said);
  }
  if (found?.digest === image.digest) return;
  if (found !== undefined) {
    const other = external
      ? `${component} is not the image that the chain of ${first.component} was built with`
      : `${component} is of another build than ${first.component}`;
    const message = component === first.component ? `${component} is not the image that its chain has` : other;
    throw mixed(message, `${role}: ${found.digest}, as ${first.component}'s chain has it`, image.digest);
  }
  const roles = [...proved.keys()].join(', ');
  throw mixed(`${component} is of no chain of ${first.component}`, `an image of the role ${role}`, `roles ${roles}`);
}

function twoOf(role: string, one: Digest, other: Digest): DigestChainError {
  return mixed(`the chain leads to two images of the role ${role}`, one, other);
}

function mixed(message: string, expected: string, found: string): DigestChainError {
  return new DigestChainError('SNAPSHOT_MIXED', message, {
    expected,
    found,
    hint: 'nothing is released from it: the next Snapshot of one build has a whole chain',
  });
}
