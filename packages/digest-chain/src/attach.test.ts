import { TestClock } from '@multi-image/testing/clock';
import { memoryRegistry } from '@multi-image/testing/memory-registry';
import { expect, it } from 'vitest';
import { attachFindably, failedPart } from './attach.ts';
import { digestOf } from './digest.ts';
import { DigestChainError } from './errors.ts';
import { OCI_MANIFEST } from './media-types.ts';

const at = { registry: 'registry.example', repository: 'some/image' };
const subject = digestOf(Buffer.from('subject'));
const manifest = {
  mediaType: OCI_MANIFEST,
  bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, subject: { digest: subject } })),
};

/** A registry that says that it indexed what it takes, and lists it from the given look on. */
function listingFrom(look: number) {
  const registry = memoryRegistry();
  let looks = 0;
  return {
    ...registry,
    putReferrer: async (...args: Parameters<typeof registry.putReferrer>) => ({
      ...(await registry.putReferrer(...args)),
      listed: false,
    }),
    listReferrers: async (...args: Parameters<typeof registry.listReferrers>) =>
      looks++ < look ? [] : registry.listReferrers(...args),
  };
}

it.each([0, 1, 3])('what a registry says that it indexed is waited for (%i looks)', async (look) => {
  await attachFindably(listingFrom(look), at, manifest, subject, new TestClock());
});

it('what a registry never lists is not taken for attached', async () => {
  const attached = attachFindably(listingFrom(Number.POSITIVE_INFINITY), at, manifest, subject, new TestClock());
  await expect(attached).rejects.toMatchObject({
    code: 'REGISTRY_ERROR',
    message: expect.stringContaining('does not list what it took'),
  });
});

it.each(['TOO_LARGE', 'JSON_DUPLICATE_KEY', 'JSON_INVALID'] as const)(
  'a list of referrers that nothing can be added to (%s) says which part can be left out',
  (code) => {
    const error = failedPart(
      new DigestChainError(code, 'the list'),
      'the statement could not be attached',
      'leave it out',
    );
    expect(error).toMatchObject({
      code,
      message: 'the statement could not be attached: the list',
      hint: 'leave it out',
    });
  },
);
