import { buildArgsOf, tasksOf } from '@multi-image/testing/attested-chain';
import { REVISION } from '@multi-image/testing/chain';
import { type MemoryChain, memoryChain, signChain } from '@multi-image/testing/memory-chain';
import { type MemoryRegistry, memoryRegistry } from '@multi-image/testing/memory-registry';
import { provenanceV02, type TestTask, taskProvenanceV02 } from '@multi-image/testing/provenance';
import { createSigner } from '@multi-image/testing/signer';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Digest } from '../digest.ts';
import { extract } from '../extract.ts';
import { LEVELS } from '../level.ts';
import { link } from '../link.ts';
import { attachmentTag, parseDigestReference, parseReference } from '../reference.ts';
import type { Registry } from '../registry/registry.ts';
import { verify } from '../verify.ts';

// What a registry may leave out of its answers, one by one and together, none of which may raise what is proved.

const signer = createSigner();
const { keys } = signer;

type Hide = (shown: MemoryRegistry) => Registry | undefined;

let shown: MemoryRegistry;
let sealed: MemoryChain;
let hiding: Readonly<Record<string, Hide>>;

const withoutTag =
  (name: string): Hide =>
  (shown) =>
    void shown.tags.delete(name);
const withoutManifest =
  (name: string): Hide =>
  (shown) =>
    void shown.manifests.delete(name);
/** The list alone: what it names is still there for whoever knows it. */
const withoutReferrers =
  (subject: Digest): Hide =>
  (shown) => ({
    ...shown,
    listReferrers: async (repository, of, options) =>
      of === subject ? [] : shown.listReferrers(repository, of, options),
  });

beforeAll(async () => {
  shown = memoryRegistry();
  sealed = await memoryChain(shown, 'sealed');
  const { image1, image2, origin, metadata } = sealed;
  const role = 'metadata';
  const linked = [{ role, image: parseDigestReference(`${image2}:${REVISION}@${metadata}`) }];
  const { artifacts } = await link(shown, parseDigestReference(`${image1}@${sealed.sealed}`), linked);
  const tasks = tasksOf(sealed, buildArgsOf(sealed));
  const task = (name: string): TestTask => tasks.find((candidate) => candidate.name === name) as TestTask;
  const sealing: TestTask = {
    name: 'label-image-1',
    params: { ORIGIN: `${image1}:x@${origin}`, LINKS: [`metadata=${image2}:x@${metadata}`], REVISION },
  };
  const run = provenanceV02([sealed.sealed, origin, metadata], tasks);
  await signChain(shown, sealed, signer, [
    { image: image1, digest: sealed.sealed, statement: run },
    { image: image1, digest: sealed.sealed, statement: taskProvenanceV02([sealed.sealed], sealing) },
    { image: image2, digest: metadata, statement: run },
    { image: image2, digest: metadata, statement: taskProvenanceV02([metadata], task('build-image-2')) },
  ]);
  hiding = {
    revision: withoutTag(`${image1}:${REVISION}`),
    'signature of the sealed': withoutTag(`${image1}:${attachmentTag(sealed.sealed, 'sig')}`),
    'documents of the sealed': withoutTag(`${image1}:${attachmentTag(sealed.sealed, 'att')}`),
    'signature of the linked': withoutTag(`${image2}:${attachmentTag(metadata, 'sig')}`),
    'documents of the linked': withoutTag(`${image2}:${attachmentTag(metadata, 'att')}`),
    'referrers of the sealed': withoutReferrers(sealed.sealed),
    'referrers of the linked': withoutReferrers(metadata),
    'a statement': withoutManifest(`${image1}@${artifacts[0]}`),
  };
});

/** What is shown where these are hidden. */
function without(hidden: readonly string[]): Registry {
  const copy = memoryRegistry();
  for (const [key, value] of shown.manifests) copy.manifests.set(key, value);
  for (const [key, value] of shown.blobs) copy.blobs.set(key, value);
  for (const [key, value] of shown.tags) copy.tags.set(key, value);
  let registry: Registry = copy;
  // The lists last: they are laid over what the others have taken away.
  for (const name of hidden) {
    const hide = hiding[name];
    if (!name.startsWith('referrers')) hide?.(copy);
  }
  for (const name of hidden.filter((entry) => entry.startsWith('referrers'))) {
    const list = hiding[name]?.({ ...copy, listReferrers: registry.listReferrers })?.listReferrers;
    if (list !== undefined) registry = { ...registry, listReferrers: list };
  }
  return registry;
}

const atTag = () => parseReference(`${sealed.image1}:${REVISION}`);
const levelAt = async (registry: Registry, reference: ReturnType<typeof parseReference>): Promise<number> =>
  LEVELS.indexOf((await verify(registry, reference, { keys, revision: REVISION })).level);

interface Way {
  /** The answer where nothing is hidden. */
  readonly whole: number;
  readonly ask: (registry: Registry) => Promise<number>;
}

const verifying = (reference: () => ReturnType<typeof parseReference>): Way => ({
  whole: LEVELS.indexOf('attested'),
  ask: (registry) => levelAt(registry, reference()),
});
const extracting = (until: 'signed' | 'attested'): Way => ({
  whole: 1,
  ask: async (registry) => {
    await extract(registry, atTag(), { role: 'metadata', keys, until, revision: REVISION });
    return 1;
  },
});

/** Each way to ask: a higher answer is more, and an error is nothing at all. */
const WAYS: Readonly<Record<string, Way>> = {
  'verify by tag': verifying(atTag),
  'verify by digest': verifying(() => parseReference(`${sealed.image1}@${sealed.sealed}`)),
  'verify from the linked image': verifying(() => parseReference(`${sealed.image2}@${sealed.metadata}`)),
  'extract once the tasks are signed': extracting('signed'),
  'extract once the run is': extracting('attested'),
};

describe('what a registry hides', () => {
  it.each(Object.entries(WAYS))('never raises the answer of %s', async (_, { whole, ask }) => {
    const names = Object.keys(hiding);
    const answers = new Map<number, number>();
    for (let set = 0; set < 1 << names.length; set++) {
      const hidden = names.filter((_, index) => set & (1 << index));
      answers.set(set, await ask(without(hidden)).catch(() => -1));
    }
    expect(answers.get(0)).toBe(whole);
    // Something matters, or nothing was tried.
    expect(Math.min(...answers.values())).toBeLessThan(whole);
    const raised = [...answers].flatMap(([set, answer]) =>
      names.flatMap((name, index) => {
        const more = answers.get(set | (1 << index)) ?? -1;
        return more > answer ? [{ hidden: names.filter((_, bit) => set & (1 << bit)), and: name, answer, more }] : [];
      }),
    );
    expect(raised).toEqual([]);
  });
});
