import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { command, hasCommand } from '@multi-image/testing/command';
import { configOf, imageOf } from '@multi-image/testing/image';
import {
  annotationsOf,
  bundleOf,
  ISSUER,
  type KeylessInstance,
  type KeylessOptions,
  type KeylessSignature,
  SUBJECT,
  startKeylessInstance,
} from '@multi-image/testing/keyless-signer';
import { provenanceV02 } from '@multi-image/testing/provenance';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { pushSigned, simpleSigning } from '@multi-image/testing/signer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IN_TOTO, SIMPLE_SIGNING } from '../media-types.ts';
import { parseReference } from '../reference.ts';
import { createRegistry } from '../registry/client.ts';
import type { RawManifest } from '../registry/registry.ts';
import { parseTrustedRoot, type TrustedRoot } from '../signature/keyless-root.ts';
import { EvidenceReader } from './evidence.ts';

describe.skipIf(!hasCommand('cosign'))('what cosign says of the same signature (needs cosign)', () => {
  const registry = createRegistry();
  const home = { HOME: '' };
  let server: TestRegistry;
  let folder: string;
  let file: string;
  let instance: KeylessInstance;
  let trustedRoot: TrustedRoot;
  let images = 0;

  beforeAll(async () => {
    server = await startTestRegistry();
    folder = await mkdtemp(join(tmpdir(), 'digest-chain-keyless-cosign-'));
    home.HOME = folder;
    instance = await startKeylessInstance();
    trustedRoot = await parseTrustedRoot(instance.trustedRoot);
    file = join(folder, 'trusted_root.json');
    await writeFile(file, instance.trustedRoot);
  });
  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Pushes an image with a signature or an attestation of the kind; answers with what this and what cosign thinks of it. */
  async function judge(
    kind: Kind,
    options: KeylessOptions,
    spoil: (made: KeylessSignature) => KeylessSignature,
    issuer = ISSUER,
  ): Promise<{ ours: boolean; cosign: boolean; why: string }> {
    const place = parseReference(`${server.host}/keyless/${images++}`);
    const image = imageOf(configOf());
    await registry.putBlob(place, image.config);
    await registry.putManifest(place, image.manifest.digest, image.manifest);
    const subject = {
      manifest: image.manifest,
      place,
      text: `${server.host}/${place.repository}@${image.manifest.digest}`,
    };
    const flags = await KINDS[kind](subject, options, spoil);
    const reader = new EvidenceReader(registry, [], [{ subject: SUBJECT, issuer, trustedRoot }]);
    const { claims, rejected } = await reader.read(place, image.manifest);
    const identity = ['--certificate-identity', SUBJECT, '--certificate-oidc-issuer', issuer];
    const offline = ['--trusted-root', file, '--offline', '--allow-http-registry'];
    const said = await command('cosign', [...flags, ...identity, ...offline, subject.text], home).then(
      () => '',
      (error: Error) => error.message,
    );
    return { ours: claims.length === 1, cosign: said === '', why: `${JSON.stringify(rejected)} ${said}` };
  }

  interface Subject {
    readonly place: ReturnType<typeof parseReference>;
    readonly manifest: RawManifest;
    readonly text: string;
  }

  const KINDS = {
    async 'a signature at a tag'({ place, manifest }, options, spoil) {
      const bytes = simpleSigning(manifest.digest);
      const annotations = annotationsOf(spoil(await instance.sign(bytes, options)));
      const tag = `${manifest.digest.replace(':', '-')}.sig`;
      await pushSigned(registry, place, tag, [{ mediaType: SIMPLE_SIGNING, bytes, annotations }]);
      return ['verify', '--new-bundle-format=false'];
    },
    async 'an attestation in a bundle'({ manifest, text }, options, spoil) {
      const payload = Buffer.from(JSON.stringify(provenanceV02([manifest.digest], [])));
      const made = spoil(await instance.signEnvelope(IN_TOTO, payload, options));
      const bundle = join(folder, 'bundle.json');
      await writeFile(bundle, JSON.stringify(bundleOf(made, { payloadType: IN_TOTO, payload })));
      await command('cosign', ['attach', 'attestation', '--attestation', bundle, '--allow-http-registry', text], home);
      return ['verify-attestation', '--type', 'slsaprovenance02', '--new-bundle-format'];
    },
  } as const satisfies Record<string, (subject: Subject, options: KeylessOptions, spoil: Spoil) => Promise<string[]>>;

  type Spoil = (made: KeylessSignature) => KeylessSignature;
  type Kind = keyof typeof KINDS;
  const asMade: Spoil = (made) => made;

  describe.each(['a signature at a tag', 'an attestation in a bundle'] as const satisfies Kind[])('%s', (kind) => {
    it('is taken by both', async () => {
      const { ours, cosign, why } = await judge(kind, {}, asMade);
      expect({ ours, cosign }, why).toEqual({ ours: true, cosign: true });
    });

    it.each<[string, KeylessOptions, Spoil, string?]>([
      ['of another subject', { subject: 'https://github.com/evil/repo' }, asMade],
      ['of another issuer', {}, asMade, 'https://other.example'],
      ['without an entry in a certificate log', { noSct: true }, asMade],
      ['without an entry in a transparency log', { noLogEntry: true }, asMade],
      [
        'with a promise that the log did not make',
        {},
        (made) => ({ ...made, entry: made.entry && { ...made.entry, logIndex: made.entry.logIndex + 1 } }),
      ],
    ])('is refused by both %s', async (_, options, spoil, issuer) => {
      const { ours, cosign, why } = await judge(kind, options, spoil, issuer);
      expect({ ours, cosign }, why).toEqual({ ours: false, cosign: false });
    });
  });
});
