import { execFile, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer as createProxy, type Server } from 'node:http';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { type Digest, parseReference } from '@multi-image/digest-chain/oci';
import { mapConcurrently } from '@multi-image/kit/concurrent';
import { findProgram } from '@multi-image/kit/find-program';
import { createCertificate, type TestCertificate } from '@multi-image/testing/certificate';
import { close, listen } from '@multi-image/testing/http-server';
import type { MemoryRegistry } from '@multi-image/testing/memory-registry';
import { provenanceV02 } from '@multi-image/testing/provenance';
import { makeScratch } from '@multi-image/testing/scratch';
import { attestImage, createSigner, type Signer, signImage } from '@multi-image/testing/signer';
import { HAS_GO, REGO } from './opa.ts';
import { type Judge, OpaJudge, type Release, snapshotOf, together, type Verdict } from './verdicts.ts';

/** Conforma's own program, where this machine has it; others are called `ec`, too. */
const EC = findProgram(['ec']);
const HAS_CONFORMA =
  EC !== undefined && spawnSync(EC, ['validate', 'image', '--help'], { stdio: 'ignore' }).status === 0;

/** Who can be asked on this machine: Open Policy Agent, and Conforma. */
export const JUDGES: readonly { readonly name: string; readonly isThere: boolean; readonly start: () => Judge }[] = [
  { name: 'the policy (skipped where there is no Go)', isThere: HAS_GO, start: () => new OpaJudge() },
  {
    name: 'the policy in Conforma itself (skipped where there is no ec)',
    isThere: HAS_CONFORMA,
    start: () => new Conforma(),
  },
];

/** Milliseconds for a test that asks about a hundred releases: Conforma takes a second for each, on a busy machine ten. */
export const ALL_AT_ONCE = 1_800_000;

/** The policy's package. */
const OWN_RULE = /^image_chain\./;

/** What `ec` prints of a Snapshot, as far as it is read here. */
interface Printed {
  readonly components?: readonly {
    readonly violations?: readonly { readonly msg: string; readonly metadata: { readonly code: string } }[];
  }[];
}

/** Conforma itself: it reads the images and their signatures from a registry, and asks the policy as in a release. */
class Conforma implements Judge {
  readonly #scratch = makeScratch('conforma');
  readonly #signer: Signer = createSigner();
  readonly #certificate: Promise<TestCertificate> = createCertificate();

  /** Judges releases, of each its components' verdicts together. */
  judge(releases: readonly Release[]): Promise<Verdict[]> {
    return mapConcurrently(releases, (release, id) => this.#judgeOne(release, `${id}`), 2);
  }

  async close(): Promise<void> {
    await this.#scratch.remove();
    await (await this.#certificate).remove();
  }

  async #judgeOne(release: Release, id: string): Promise<Verdict> {
    await this.#sign(release);
    const certificate = await this.#certificate;
    const registry = createServer(
      { key: certificate.key, cert: certificate.certificate },
      serve(release.registry),
    ) as unknown as Server;
    // The registries' names lead nowhere: whatever is asked of them goes to a proxy, and is answered there.
    const proxy = createProxy(serve(release.registry)).on('connect', (_, socket) => {
      socket.write('HTTP/1.1 200 Connected\r\n\r\n');
      registry.emit('connection', socket);
    });
    const address = `http://${await listen(proxy)}`;
    const env = {
      PATH: process.env.PATH,
      HOME: this.#scratch.folder,
      HTTP_PROXY: address,
      HTTPS_PROXY: address,
      SSL_CERT_FILE: certificate.file,
    };
    try {
      const printed = await ec(this.#arguments(release, id), env);
      const violations = (printed.components ?? []).flatMap((component) => component.violations ?? []);
      return together(
        violations.map(({ msg, metadata: { code } }) =>
          OWN_RULE.test(code)
            ? { rules: [code.replace(OWN_RULE, '')], messages: [msg], itself: [] }
            : { rules: [], messages: [], itself: [`${code}: ${msg}`] },
        ),
      );
    } finally {
      await Promise.all([close(proxy), close(registry)]);
    }
  }

  #arguments({ components, ruleData }: Release, id: string): readonly string[] {
    const file = (name: string, content: string): string => {
      const path = join(this.#scratch.folder, `${id}-${name}`);
      writeFileSync(path, content);
      return path;
    };
    const policy = { sources: [{ policy: [REGO], ruleData: { image_chain: ruleData } }] };
    return [
      ...['validate', 'image', '--ignore-rekor', '--strict=false', '--output', 'json'],
      ...['--images', file('snapshot.json', JSON.stringify(snapshotOf(components)))],
      ...['--policy', file('policy.json', JSON.stringify(policy))],
      ...['--public-key', file('cosign.pub', this.#signer.pem)],
    ];
  }

  /**
   * Signs every image of the Snapshot, those of an index as well, and statements about each: Conforma asks the policy about
   * no other.
   */
  async #sign({ registry, components, statements }: Release): Promise<void> {
    for (const { image, digest } of components) {
      const manifest = await registry.getManifest(parseReference(image), digest).catch(() => undefined);
      if (manifest === undefined) continue;
      const { manifests = [] } = JSON.parse(Buffer.from(manifest.bytes).toString()) as {
        manifests?: { digest: Digest }[];
      };
      for (const one of [manifest, ...manifests]) {
        await signImage(registry, image, one.digest, this.#signer);
        const about = statements.filter((statement) => subjectsOf(statement).includes(one.digest));
        const ofAnotherRun = provenanceV02([one.digest], [{ name: 'elsewhere', results: {} }]);
        await attestImage(registry, image, one.digest, this.#signer, about.length > 0 ? about : [ofAnotherRun]);
      }
    }
  }
}

function subjectsOf(statement: object): readonly string[] {
  const { subject = [] } = statement as { subject?: readonly { digest: { sha256?: string } }[] };
  return subject.map(({ digest: { sha256 } }) => `sha256:${sha256}`);
}

function ec(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Printed> {
  return new Promise((resolve, reject) => {
    execFile(EC ?? 'ec', args, { env, maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      if (error === null) resolve(JSON.parse(stdout));
      else reject(new Error(`ec ended with ${error.code}: ${stderr}`));
    });
  });
}

/** Answers as a registry that nobody writes to. */
function serve({ manifests, tags, blobs }: MemoryRegistry): Parameters<typeof createServer>[1] {
  return ({ method, url = '', headers: { host } }, response) => {
    const { pathname } = new URL(url, 'https://registry.example');
    const [, repository, kind, name = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(pathname) ?? [];
    const place = `${host}/${repository}`;
    const manifest = manifests.get(`${place}@${name.includes(':') ? name : tags.get(`${place}:${name}`)}`);
    const bytes = kind === 'manifests' ? manifest?.bytes : kind === 'blobs' ? blobs.get(`${place}@${name}`) : undefined;
    if (bytes === undefined) {
      response.writeHead(pathname === '/v2/' ? 200 : 404).end();
      return;
    }
    const type = manifest?.mediaType ?? 'application/octet-stream';
    response.writeHead(200, {
      'content-type': type,
      'content-length': bytes.length,
      ...(manifest === undefined ? {} : { 'docker-content-digest': manifest.digest }),
    });
    response.end(method === 'HEAD' ? undefined : bytes);
  };
}
