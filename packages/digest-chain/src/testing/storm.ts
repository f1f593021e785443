import { REVISION, type TestChain } from '@multi-image/testing/chain';
import { pushChain } from '@multi-image/testing/pushed-chain';
import { mapConcurrently } from '../../../kit/src/concurrent.ts';
import type { Digest } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import { parseDigestReference, parseReference, parseTagReference } from '../reference.ts';
import type { Registry } from '../registry/registry.ts';
import { seal } from '../seal.ts';
import { verify } from '../verify.ts';
import type { QuirkProxy, Rule } from './profiles.ts';

// Many seals at once at a registry of which connections are cut, and a judge of what is there afterwards.

/** Of the exchanges of a storm. */
const SHARE_CUT = 0.05;
/** Of seals that may fail where each is of another image: one request in twenty is cut, and each is tried five times. */
const SHARE_FAILED = 0.05;

export interface Storm {
  readonly proxy: QuirkProxy;
  readonly rules: readonly Rule[];
  /** How many seals there are at once. */
  readonly seals: number;
  /** The clients: of a seal each its own, as of pipelines that know nothing of each other. */
  readonly clientOf: () => Registry;
}

/** One seal of a storm, and what came of it. */
interface Run {
  readonly name: string;
  readonly chain: TestChain;
  /** Of the image that was published; undefined where the seal failed. */
  readonly digest: Digest | undefined;
  readonly failure: unknown;
}

/**
 * Seals as many different images as it says, all at once; answers with what is wrong afterwards: an image that is published
 * in part, a statement that is lost, a failure without a name, more failures than there should be.
 */
export async function sealDifferent(storm: Storm): Promise<readonly string[]> {
  const repository = freshPlace(storm);
  const chains = await mapConcurrently(runNames(storm), (run) => pushChain(storm.proxy.host, `${repository}/${run}`));
  const runs = await weather(storm, chains);
  const failed = runs.filter(({ digest }) => digest === undefined);
  const faults = runs.flatMap(unnamed);
  if (failed.length > storm.seals * SHARE_FAILED) faults.push(`${failed.length} failed:\n${reasonsOf(failed)}`);
  await mapConcurrently(runs, async (run) => {
    const client = storm.clientOf();
    const published = await publishedAs(client, run.chain);
    // Whoever failed may have failed after the tag was there; then all else has to be there, too.
    if (published === undefined) {
      if (run.digest !== undefined) faults.push(`${run.name} said that it is done, and there is no tag`);
      return;
    }
    faults.push(...(await halfPublished(client, run)));
    if (takesStatements(storm)) faults.push(...(await lostStatements(client, [run], run.chain, published)));
  });
  return faults;
}

/** As {@link sealDifferent}, of one image into one tag: all who are done have to agree, and nobody's statement is lost. */
export async function sealSame(storm: Storm): Promise<readonly string[]> {
  const chain = await pushChain(storm.proxy.host, freshPlace(storm));
  const runs = await weather(
    storm,
    runNames(storm).map(() => chain),
  );
  const done = runs.filter(({ digest }) => digest !== undefined);
  const faults = runs.flatMap(unnamed);
  if (done.length === 0) faults.push(`all failed:\n${reasonsOf(runs)}`);
  if (new Set(done.map(({ digest }) => digest)).size > 1) faults.push('one image became several');
  const client = storm.clientOf();
  const published = await publishedAs(client, chain);
  if (published === undefined) {
    if (done.length > 0) faults.push('some said that they are done, and there is no tag');
    return faults;
  }
  faults.push(...(await halfPublished(client, { name: 'the tag', chain })));
  if (takesStatements(storm)) faults.push(...(await lostStatements(client, done, chain, published)));
  return faults;
}

/** All seals at once, with connections that are cut, until the last of them has ended. */
async function weather(storm: Storm, chains: readonly TestChain[]): Promise<readonly Run[]> {
  const { proxy, rules, clientOf } = storm;
  proxy.quirks = rules.map(({ quirk }) => quirk);
  proxy.cuts = () => Math.random() < SHARE_CUT;
  const seals = chains.map(async (chain, index): Promise<Run> => {
    const name = `run-${index}`;
    const image = parseDigestReference(`${chain.image2}:${REVISION}@${chain.metadata}`);
    const origin = parseDigestReference(`${chain.image1}@${chain.origin}`);
    const statement = takesStatements(storm) && { pipelineRun: name };
    const options = { tag: parseTagReference(`${chain.image1}:v1`), statement };
    return seal(clientOf(), origin, [{ role: 'metadata', image }], options).then(
      ({ digest }) => ({ name, chain, digest, failure: undefined }),
      (failure: unknown) => ({ name, chain, digest: undefined, failure }),
    );
  });
  const runs = await Promise.all(seals);
  proxy.cuts = () => false;
  return runs;
}

/** Every failure says by this package's error what failed; nobody stopped anything. */
function unnamed({ name, digest, failure }: Run): string[] {
  if (digest !== undefined || (failure instanceof DigestChainError && failure.code !== 'ABORTED')) return [];
  return [`${name} failed without a name: ${failure}`];
}

async function publishedAs(client: Registry, chain: TestChain): Promise<Digest | undefined> {
  return (await client.headManifest(parseReference(chain.image1), 'v1'))?.digest;
}

async function halfPublished(client: Registry, { name, chain }: Pick<Run, 'name' | 'chain'>): Promise<string[]> {
  const level = await verify(client, parseReference(`${chain.image1}:v1`)).then(
    (proof) => proof.level,
    (error: unknown) => error,
  );
  return level === 'linked' ? [] : [`${name} is half published: ${level}`];
}

/** Which statements are not attached to each image of the chain: to both that it names, and to the origin. */
async function lostStatements(
  client: Registry,
  runs: readonly Run[],
  chain: TestChain,
  published: Digest,
): Promise<string[]> {
  const images = [
    [chain.image2, chain.metadata],
    [chain.image1, chain.origin],
    [chain.image1, published],
  ] as const;
  const faults = await mapConcurrently(images, async ([repository, digest]) => {
    const place = parseReference(repository);
    const found = await mapConcurrently(await client.listReferrers(place, digest), async (referrer) => {
      const { bytes } = await client.getManifest(place, referrer.digest);
      const [layer] = JSON.parse(Buffer.from(bytes).toString()).layers;
      return Buffer.from(await client.getBlob(place, layer)).toString();
    });
    const lost = runs.filter(({ name }) => !found.some((text) => text.includes(`"${name}"`)));
    return lost.map(({ name }) => `${name} lost its statement at ${repository}@${digest}`);
  });
  return faults.flat();
}

function reasonsOf(runs: readonly Run[]): string {
  return runs.map(({ name, failure }) => `${name}: ${failure}`).join('\n');
}

function takesStatements({ rules }: Storm): boolean {
  return !rules.some(({ does }) => does.includes('to a manifest with a `subject`'));
}

function runNames({ seals }: Storm): readonly string[] {
  return Array.from({ length: seals }, (_, index) => `run-${index}`);
}

let storms = 0;

/** A place for repositories that no other storm has, at a registry like any other: its quirks come with the storm. */
function freshPlace({ proxy }: Storm): string {
  proxy.quirks = [];
  return `storm${storms++}`;
}
