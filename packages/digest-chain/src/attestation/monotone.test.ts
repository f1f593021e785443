import { buildArgsOf, tasksOf } from '@multi-image/testing/attested-chain';
import { REVISION } from '@multi-image/testing/chain';
import { ONES } from '@multi-image/testing/image';
import { type MemoryChain, memoryChain } from '@multi-image/testing/memory-chain';
import { type MemoryRegistry, memoryRegistry } from '@multi-image/testing/memory-registry';
import {
  gitMaterial,
  provenanceV1,
  provenanceV02,
  type TestRun,
  type TestTask,
  taskProvenanceV02,
} from '@multi-image/testing/provenance';
import { createSigner, envelope, pushSigned, type Signer, simpleSigning } from '@multi-image/testing/signer';
import { assert, asyncProperty, boolean, constantFrom, option, record, shuffledSubarray, subarray } from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { LEVELS } from '../level.ts';
import { DSSE_ENVELOPE, OCI_MANIFEST, SIGNATURE_ANNOTATION, SIMPLE_SIGNING } from '../media-types.ts';
import { attachmentTag, parseReference } from '../reference.ts';
import { verify } from '../verify.ts';

// A registry can hide anything, and whoever may push can add anything: neither may make a proof out of what is none.

const signer = createSigner();
const slow = Number(process.env.SLOW ?? 0) > 0;
const runs = slow ? 1_000 : 100;

interface Layer {
  readonly image: string;
  readonly tag: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly annotations?: Record<string, string>;
}

let chain: MemoryChain;
let base: MemoryRegistry;
let all: readonly Layer[];

const place = (at: 1 | 2, digest: MemoryChain['origin'], kind: 'sig' | 'att') => ({
  image: at === 1 ? chain.image1 : chain.image2,
  tag: attachmentTag(digest, kind),
});

function signature(at: 1 | 2, by: Signer = signer): Layer {
  const digest = at === 1 ? chain.sealed : chain.metadata;
  const bytes = simpleSigning(digest);
  const annotations = { [SIGNATURE_ANNOTATION]: Buffer.from(by.sign(bytes)).toString('base64') };
  return { ...place(at, digest, 'sig'), mediaType: SIMPLE_SIGNING, bytes, annotations };
}

function statement(at: 1 | 2, content: object, digest = at === 1 ? chain.sealed : chain.metadata, by = signer): Layer {
  return { ...place(at, digest, 'att'), mediaType: DSSE_ENVELOPE, bytes: envelope(by, content) };
}

beforeAll(async () => {
  base = memoryRegistry();
  chain = await memoryChain(base, 'app');
  const subjects = [chain.sealed, chain.origin, chain.metadata];
  const tasks = tasksOf(chain, buildArgsOf(chain));
  const change = (name: string, more: Partial<TestTask>) =>
    tasks.map((task) => (task.name === name ? { ...task, ...more } : task));
  const runOf = (run: TestRun, its: readonly TestTask[] = tasks) => provenanceV02(subjects, its, run);
  const build2 = tasks.find(({ name }) => name === 'build-image-2') as TestTask;
  const build1 = tasks.find(({ name }) => name === 'build-image-1') as TestTask;
  all = [
    signature(1),
    signature(2),
    statement(2, runOf({})),
    statement(1, runOf({})),
    statement(1, runOf({ builder: 'https://ci.example' })),
    statement(2, runOf({ materials: [gitMaterial('https://git.example/mallory/repo')] })),
    statement(2, runOf({}, change('build-image-2', { params: { BUILD_ARGS: [`IMAGE1_DIGEST=${ONES}`] } }))),
    statement(1, runOf({}, change('build-image-1', { status: 'Failed' }))),
    statement(2, provenanceV1(subjects, [], false)),
    statement(2, taskProvenanceV02([chain.metadata], build2)),
    statement(2, taskProvenanceV02([chain.metadata], { ...build2, params: {} })),
    statement(1, taskProvenanceV02([chain.origin], build1), chain.origin),
    statement(2, provenanceV02([chain.metadata], [build2], { uid: 'another' })),
  ];
});

async function levelOf(layers: readonly Layer[], more: (registry: MemoryRegistry) => Promise<void> = async () => {}) {
  const registry = memoryRegistry();
  for (const [key, value] of base.manifests) registry.manifests.set(key, value);
  for (const [key, value] of base.blobs) registry.blobs.set(key, value);
  for (const [key, value] of base.tags) registry.tags.set(key, value);
  const places = new Map<string, Layer[]>();
  for (const layer of layers) {
    const key = `${layer.image} ${layer.tag}`;
    places.set(key, [...(places.get(key) ?? []), layer]);
  }
  for (const [first, ...others] of places.values()) {
    if (first !== undefined) await pushSigned(registry, parseReference(first.image), first.tag, [first, ...others]);
  }
  await more(registry);
  const proof = await verify(registry, parseReference(`${chain.image1}:${REVISION}`), { keys: signer.keys });
  return LEVELS.indexOf(proof.level);
}

describe('a proof', () => {
  it('of all documents is attested, and of none is none', async () => {
    expect(await levelOf(all)).toBe(2);
    expect(await levelOf([])).toBe(0);
  });

  it('is never more by fewer documents and signatures', async () => {
    // In the slow suite every set of them; else those that have both signatures, without which nothing is proved, and of
    // the other documents a few or nearly all.
    const levels = new Map<number, number>();
    const isOfSample = (set: number): boolean => {
      const others = all.filter((_, index) => index > 1 && set & (1 << index)).length;
      return (set & 0b11) === 0b11 && (others <= 3 || others >= all.length - 4);
    };
    for (let set = 0; set < 1 << all.length; set++) {
      if (slow || isOfSample(set)) levels.set(set, await levelOf(all.filter((_, index) => set & (1 << index))));
    }
    const raised = [...levels].flatMap(([set, level]) =>
      all.flatMap((_, index) => {
        const fewer = levels.get(set & ~(1 << index));
        return fewer !== undefined && fewer > level ? [{ set: set.toString(2), without: index, level, fewer }] : [];
      }),
    );
    expect(raised).toEqual([]);
    expect(new Set(levels.values())).toEqual(new Set([0, 1, 2]));
  });

  it('is the same in whatever order', async () => {
    const orders = shuffledSubarray(Array.from({ length: 13 }, (_, index) => index));
    await assert(
      asyncProperty(orders, async (order) => {
        const pick = (indexes: readonly number[]) => indexes.flatMap((index) => all[index] ?? []);
        const sorted = order.toSorted((a, b) => a - b);
        expect(await levelOf(pick(order))).toBe(await levelOf(pick(sorted)));
      }),
      { numRuns: runs },
    );
  });

  it('is never another by documents that nobody signed, or with another key, at the tags and among the referrers', async () => {
    const stranger = createSigner();
    const junk = record({
      signed: subarray([0, 1, 2, 3, 4, 8, 9, 11]),
      strange: subarray(Array.from({ length: 13 }, (_, index) => index)),
      referrer: option(
        constantFrom('application/vnd.dev.sigstore.bundle.v0.3+json', 'application/vnd.konflux.image-chain.v1+json'),
      ),
      first: boolean(),
    });
    await assert(
      asyncProperty(junk, async ({ signed, strange, referrer, first }) => {
        const honest = signed.flatMap((index) => all[index] ?? []);
        const added = strange.flatMap((index) => {
          const layer = all[index];
          return layer === undefined ? [] : [byAnother(layer, stranger)];
        });
        const attach = async (registry: MemoryRegistry): Promise<void> => {
          if (referrer === null) return;
          const bytes = Buffer.from(
            JSON.stringify({
              schemaVersion: 2,
              mediaType: OCI_MANIFEST,
              artifactType: referrer,
              layers: [{ mediaType: referrer, digest: ONES, size: 2 }],
              subject: { mediaType: OCI_MANIFEST, digest: chain.sealed, size: 1 },
            }),
          );
          await registry.putReferrer(parseReference(chain.image1), { bytes, mediaType: OCI_MANIFEST });
        };
        const layers = first ? [...added, ...honest] : [...honest, ...added];
        expect(await levelOf(layers, attach)).toBe(await levelOf(honest));
      }),
      { numRuns: runs },
    );
  });
});

/** The same document with a signature of somebody else. */
function byAnother(layer: Layer, stranger: Signer): Layer {
  if (layer.mediaType === SIMPLE_SIGNING) {
    const annotations = { [SIGNATURE_ANNOTATION]: Buffer.from(stranger.sign(layer.bytes)).toString('base64') };
    return { ...layer, annotations };
  }
  const document = JSON.parse(Buffer.from(layer.bytes).toString());
  const content = JSON.parse(Buffer.from(document.payload, 'base64').toString());
  return { ...layer, bytes: envelope(stranger, content) };
}
