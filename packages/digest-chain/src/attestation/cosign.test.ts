import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { command, hasCommand } from '@multi-image/testing/command';
import { configOf, imageOf } from '@multi-image/testing/image';
import { provenanceV02 } from '@multi-image/testing/provenance';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { createSigner, envelope, pushSigned, simpleSigning } from '@multi-image/testing/signer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DSSE_ENVELOPE, SIGNATURE_ANNOTATION, SIMPLE_SIGNING } from '../media-types.ts';
import { parseReference } from '../reference.ts';
import { createRegistry } from '../registry/client.ts';
import type { RawManifest } from '../registry/registry.ts';
import { parsePublicKeys } from '../signature/keys.ts';
import { isSignature } from './document.ts';
import { type Evidence, EvidenceReader } from './evidence.ts';

const KINDS = {
  'P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'P-384': () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  RSA: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  Ed25519: () => generateKeyPairSync('ed25519'),
} as const;

// The bundle is what cosign 3 writes by default, among the referrers; the tags are what Chains and cosign 2 write.
const FORMATS = { 'the tag scheme': ['--new-bundle-format=false'], 'a bundle': [] } as const;
const OFFLINE = ['--use-signing-config=false', '--tlog-upload=false', '--allow-http-registry', '--yes'];

describe.skipIf(!hasCommand('cosign'))('what cosign signs (needs cosign)', () => {
  const registry = createRegistry();
  const home = { COSIGN_PASSWORD: '', HOME: '' };
  let server: TestRegistry;
  let folder: string;

  beforeAll(async () => {
    server = await startTestRegistry();
    folder = await mkdtemp(join(tmpdir(), 'digest-chain-cosign-'));
    home.HOME = folder;
  });
  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function pushImage(
    name: string,
  ): Promise<{ place: ReturnType<typeof parseReference>; text: string; manifest: RawManifest }> {
    const place = parseReference(`${server.host}/${name}`);
    const image = imageOf(configOf());
    await registry.putBlob(place, image.config);
    await registry.putManifest(place, image.manifest.digest, image.manifest);
    return { place, text: `${server.host}/${name}@${image.manifest.digest}`, manifest: image.manifest };
  }

  /** A key pair in cosign's own form, from one that Node made. */
  async function keyPair(kind: keyof typeof KINDS): Promise<{ key: string; pem: string }> {
    const pem = join(folder, `${kind}.pem`);
    await writeFile(pem, KINDS[kind]().privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await command(
      'cosign',
      ['import-key-pair', '--key', pem, '--output-key-prefix', join(folder, kind), '--yes'],
      home,
    );
    return { key: join(folder, `${kind}.key`), pem: await readFile(join(folder, `${kind}.pub`), 'utf8') };
  }

  function read(place: ReturnType<typeof parseReference>, manifest: RawManifest, pem: string): Promise<Evidence> {
    return new EvidenceReader(registry, parsePublicKeys(pem)).read(place, manifest);
  }

  describe.each(Object.keys(FORMATS) as (keyof typeof FORMATS)[])('in %s', (format) => {
    it.each(Object.keys(KINDS) as (keyof typeof KINDS)[])('is a signature with %s', async (kind) => {
      const { place, text, manifest } = await pushImage(`sign/${kind.toLowerCase()}-${format.length}`);
      const { key, pem } = await keyPair(kind);
      await command('cosign', ['sign', '--key', key, ...OFFLINE, ...FORMATS[format], text], home);
      const { claims, rejected } = await read(place, manifest, pem);
      expect(rejected).toEqual([]);
      expect(claims.map(isSignature)).toEqual([true]);
      const other = await read(place, manifest, createSigner().pem);
      expect(other.claims).toEqual([]);
      expect(other.rejected[0]?.reason).toContain('SIGNATURE_MISSING');
    });

    // With an Ed25519 key cosign makes Ed25519ph signatures, of envelopes as well.
    it.each(['P-256', 'Ed25519'] as const)('is an attestation with %s', async (kind) => {
      const { place, text, manifest } = await pushImage(`attest/${kind.toLowerCase()}-${format.length}`);
      const { key, pem } = await keyPair(kind);
      const predicate = join(folder, 'predicate.json');
      const tasks = [{ name: 'build', params: { BUILD_ARGS: ['A=b'] }, results: { IMAGE_DIGEST: manifest.digest } }];
      const { predicate: content } = provenanceV02([], tasks) as { predicate: unknown };
      await writeFile(predicate, JSON.stringify(content));
      const what = ['--predicate', predicate, '--type', 'slsaprovenance02'];
      await command('cosign', ['attest', '--key', key, ...what, ...OFFLINE, ...FORMATS[format], text], home);
      const { claims, rejected } = await read(place, manifest, pem);
      expect(rejected).toEqual([]);
      expect(claims).toMatchObject([
        {
          predicateType: 'https://slsa.dev/provenance/v0.2',
          provenance: { tasks: [{ name: 'build', params: new Map([['BUILD_ARGS', ['A=b']]]) }] },
        },
      ]);
      expect(claims.map(isSignature)).toEqual([false]);
    });
  });

  it('does not count where it was tampered with', async () => {
    const { place, text, manifest } = await pushImage('tampered');
    const { key, pem } = await keyPair('P-256');
    await command('cosign', ['sign', '--key', key, ...OFFLINE, '--new-bundle-format=false', text], home);
    const tag = `${manifest.digest.replace(':', '-')}.sig`;
    const { bytes, mediaType } = await registry.getManifest(place, tag);
    const signature = /(?<="dev.cosignproject.cosign\/signature":")[^"]+/;
    const changed = Buffer.from(bytes)
      .toString()
      .replace(signature, (text) => text.replace(/(?<=.{30})./, (c) => (c === 'A' ? 'B' : 'A')));
    await registry.putManifest(place, tag, { bytes: Buffer.from(changed), mediaType });
    expect((await read(place, manifest, pem)).claims).toEqual([]);
  });

  it('is accepted by cosign where the tests sign: signatures and attestations alike', async () => {
    const { place, text, manifest } = await pushImage('ours');
    const signer = createSigner();
    const pub = join(folder, 'ours.pub');
    await writeFile(pub, signer.pem);
    const tag = manifest.digest.replace(':', '-');
    const payload = simpleSigning(manifest.digest);
    const annotations = { [SIGNATURE_ANNOTATION]: Buffer.from(signer.sign(payload)).toString('base64') };
    await pushSigned(registry, place, `${tag}.sig`, [{ mediaType: SIMPLE_SIGNING, bytes: payload, annotations }]);
    const bytes = envelope(signer, provenanceV02([manifest.digest], []));
    // cosign wants the annotation at attestations too, and leaves it empty.
    const attested = { [SIGNATURE_ANNOTATION]: '', predicateType: 'https://slsa.dev/provenance/v0.2' };
    await pushSigned(registry, place, `${tag}.att`, [{ mediaType: DSSE_ENVELOPE, bytes, annotations: attested }]);
    const flags = ['--key', pub, '--insecure-ignore-tlog', '--allow-http-registry', '--new-bundle-format=false'];
    expect(await command('cosign', ['verify', ...flags, text], home)).toContain(manifest.digest);
    await command('cosign', ['verify-attestation', '--type', 'slsaprovenance02', ...flags, text], home);
  });
});
