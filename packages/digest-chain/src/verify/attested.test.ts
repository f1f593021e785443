import {
  attest,
  buildArgsOf,
  type SealedChain,
  sealedChain,
  sign,
  signBoth,
  tasksOf,
} from '@multi-image/testing/attested-chain';
import { REVISION } from '@multi-image/testing/chain';
import { startCountingProxy } from '@multi-image/testing/counting-proxy';
import { ONES, ZERO } from '@multi-image/testing/image';
import { provenanceV1, provenanceV02, RUN_UID, type TestTask } from '@multi-image/testing/provenance';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { createSigner, envelope, pushSigned, type Signer, simpleSigning } from '@multi-image/testing/signer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Check } from '../check.ts';
import type { Digest } from '../digest.ts';
import { DSSE_ENVELOPE } from '../media-types.ts';
import { attachmentTag, parseReference } from '../reference.ts';
import { createRegistry } from '../registry/client.ts';
import { type Verification, verify } from '../verify.ts';

let server: TestRegistry;
const registry = createRegistry();
const signer = createSigner();

beforeAll(async () => {
  server = await startTestRegistry();
});
afterAll(async () => {
  await server.stop();
});

function verifyChain(chain: SealedChain, keys = signer.keys, host?: string): Promise<Verification> {
  const image = parseReference(`${chain.image1}:${REVISION}`);
  return verify(registry, host === undefined ? image : { ...image, registry: host }, { keys });
}

function checkOf(proof: Verification, id: Check['id'], role?: string): Check | undefined {
  return proof.checks.find((check) => check.id === id && (role === undefined || check.role === role));
}

describe('a chain that the build system signed', () => {
  it.each([
    ['SLSA v0.2', provenanceV02],
    ['SLSA v1', provenanceV1],
  ] as const)('is attested (%s)', async (name, provenance) => {
    const chain = await sealedChain(server.host, `good-${name.slice(-1)}`);
    await signBoth(chain, signer);
    const subjects = [chain.sealed, chain.origin, chain.metadata];
    await attest(chain.image2, chain.metadata, signer, provenance(subjects, tasksOf(chain, buildArgsOf(chain))));
    const proof = await verifyChain(chain);
    expect(proof.checks.filter((check) => check.status !== 'passed')).toEqual([]);
    expect(proof.level).toBe('attested');
    expect(checkOf(proof, 'signature', 'primary')?.evidence).toContain('no transparency log was checked');
    expect(checkOf(proof, 'build-args', 'metadata')?.evidence).toContain(
      `build-image-2 was called with IMAGE1_DIGEST=`,
    );

    const fromImage2 = await verify(registry, parseReference(`${chain.image2}:${REVISION}`), { keys: signer.keys });
    expect(fromImage2.level).toBe('attested');
    expect((await verifyChain(chain, [])).level).toBe('linked');
  });

  it('is attested as an index where each of its images was built so', async () => {
    const chain = await sealedChain(server.host, 'index', ['linux/amd64', 'linux/arm64']);
    await signBoth(chain, signer);
    const place = parseReference(chain.image2);
    const index = JSON.parse(Buffer.from((await registry.getManifest(place, chain.metadata)).bytes).toString());
    const builds: TestTask[] = index.manifests.map(({ digest }: { digest: Digest }, each: number) => ({
      name: `build-image-2-${each}`,
      params: { BUILD_ARGS: buildArgsOf(chain) },
      results: { IMAGE_DIGEST: digest },
    }));
    const origin = JSON.parse(
      Buffer.from((await registry.getManifest(parseReference(chain.image1), chain.origin)).bytes).toString(),
    );
    const origins: TestTask[] = origin.manifests.map(({ digest }: { digest: Digest }, each: number) => ({
      name: `build-image-1-${each}`,
      results: { IMAGE_URL: chain.image1, IMAGE_DIGEST: digest },
    }));
    const others = [...tasksOf(chain, []).filter((task) => task.name !== 'build-image-2'), ...origins];
    const subjects = [chain.sealed, chain.metadata];
    await attest(chain.image2, chain.metadata, signer, provenanceV02(subjects, [...others, ...builds]));
    expect((await verifyChain(chain)).level).toBe('attested');

    await attest(chain.image2, chain.metadata, signer, provenanceV02(subjects, [...others, ...builds.slice(1)]));
    const proof = await verifyChain(chain);
    expect(checkOf(proof, 'built-by', 'metadata')).toMatchObject({
      status: 'failed',
      expected: expect.stringContaining(index.manifests[0].digest),
    });
    expect(proof.level).toBe('none');
  });

  it('is attested where another key signed as well', async () => {
    const chain = await sealedChain(server.host, 'two-keys');
    const other = createSigner('Ed25519');
    await sign(chain.image1, chain.sealed, other);
    await sign(chain.image2, chain.metadata, signer);
    await attest(
      chain.image1,
      chain.sealed,
      signer,
      provenanceV02([chain.sealed, chain.metadata], tasksOf(chain, buildArgsOf(chain))),
    );
    expect((await verifyChain(chain, [...other.keys, ...signer.keys])).level).toBe('attested');
    expect(checkOf(await verifyChain(chain), 'signature', 'primary')?.status).toBe('failed');
  });
});

describe('signature', () => {
  it('fails where an image is not signed, and names what was expected', async () => {
    const chain = await sealedChain(server.host, 'unsigned');
    await sign(chain.image1, chain.sealed, signer);
    const proof = await verifyChain(chain);
    expect(proof.level).toBe('none');
    expect(checkOf(proof, 'signature', 'primary')?.status).toBe('passed');
    expect(checkOf(proof, 'signature', 'metadata')).toMatchObject({
      status: 'failed',
      expected: expect.stringContaining(chain.metadata),
      found: 'nothing that is signed',
    });
  });

  it('fails with another key, and with the signature of another image', async () => {
    const chain = await sealedChain(server.host, 'wrong');
    await sign(chain.image1, chain.sealed, createSigner());
    await sign(chain.image2, chain.metadata, signer, simpleSigning(chain.sealed));
    const proof = await verifyChain(chain);
    expect(checkOf(proof, 'signature', 'primary')?.found).toContain('none of the keys made this signature');
    expect(checkOf(proof, 'signature', 'metadata')?.found).toContain('it is about another image');
  });

  it('fails where only what was sealed is signed, not the sealed image', async () => {
    const chain = await sealedChain(server.host, 'origin-signed');
    await sign(chain.image1, chain.origin, signer);
    await sign(chain.image2, chain.metadata, signer);
    expect(checkOf(await verifyChain(chain), 'signature', 'primary')?.status).toBe('failed');
  });
});

describe('provenance', () => {
  it('fails where no statement has both images as subjects', async () => {
    const chain = await sealedChain(server.host, 'apart');
    await signBoth(chain, signer);
    const tasks = tasksOf(chain, buildArgsOf(chain));
    const of = (image: string): readonly TestTask[] => tasks.filter(({ name }) => name.endsWith(image));
    await attest(chain.image1, chain.sealed, signer, provenanceV02([chain.sealed, ONES], of('image-1')));
    await attest(chain.image2, chain.metadata, signer, provenanceV02([chain.metadata, ZERO], of('image-2')));
    const proof = await verifyChain(chain);
    expect(checkOf(proof, 'provenance')).toMatchObject({
      status: 'failed',
      expected: `one run that has all of them: ${chain.sealed}, ${chain.origin}, ${chain.metadata}`,
      found: expect.stringContaining(`the nearest of 2, PipelineRun ${RUN_UID}, does not name ${chain.metadata}`),
    });
    expect(checkOf(proof, 'build-args')?.status).toBe('skipped');
    expect(proof.level).toBe('none');
  });

  it('fails where the statement is of another kind', async () => {
    const chain = await sealedChain(server.host, 'kind');
    await signBoth(chain, signer);
    const statement = provenanceV02([chain.sealed, chain.metadata], tasksOf(chain, buildArgsOf(chain)));
    await attest(chain.image2, chain.metadata, signer, { ...statement, predicateType: 'https://spdx.dev/Document' });
    expect(checkOf(await verifyChain(chain), 'provenance')?.status).toBe('failed');
  });
});

describe('a registry full of signatures', () => {
  it('is read up to a limit, and says so', async () => {
    const chain = await sealedChain(server.host, 'flood');
    await signBoth(chain, signer);
    const junk = Array.from({ length: 200 }, (_, index) => ({
      mediaType: DSSE_ENVELOPE,
      bytes: envelope(createJunkSigner(index), { index }),
    }));
    await pushSigned(registry, parseReference(chain.image2), attachmentTag(chain.metadata, 'att'), junk);
    const proxy = await startCountingProxy(server.host);
    try {
      const started = process.cpuUsage();
      const options = { keys: signer.keys, statement: false };
      const reader = registryThrough(proxy.host, chain.metadata);
      const proof = await verify(reader, parseReference(`${chain.image1}:${REVISION}`), options);
      expect(checkOf(proof, 'signature', 'metadata')?.status).toBe('passed');
      expect(checkOf(proof, 'provenance')).toMatchObject({
        status: 'failed',
        found: expect.stringContaining('of them were not read'),
      });
      expect(proxy.requests.length).toBeLessThan(200);
      expect(process.cpuUsage(started).user / 1e6).toBeLessThan(20);
    } finally {
      await proxy.stop();
    }
  });
});

/** Signs nothing, fast: what it makes verifies with no key. */
function createJunkSigner(index: number): Signer {
  return { pem: '', keys: [], sign: () => Buffer.from(`${index}`) };
}

/**
 * The same registry, asked through a proxy: the images' own names stay what the proof compares. Ten thousand referrers
 * are listed at one image.
 */
function registryThrough(host: string, flooded: Digest): typeof registry {
  const through = createRegistry();
  const at = <T extends { registry: string }>(place: T): T => ({ ...place, registry: host });
  const referrers = Array.from({ length: 10_000 }, (_, index) => ({
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: `sha256:${index.toString(16).padStart(64, '0')}` as const,
    size: 500,
    artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
  }));
  return {
    ...through,
    getManifest: (place, reference) => through.getManifest(at(place), reference),
    async listReferrers(place, subject) {
      return subject === flooded ? referrers : through.listReferrers(at(place), subject);
    },
    getBlob: (place, descriptor, options) => through.getBlob(at(place), descriptor, options),
  };
}
