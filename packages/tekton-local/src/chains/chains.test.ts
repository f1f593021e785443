import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync, verify } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type BlobDescriptor,
  createRegistry,
  formatReference,
  OCI_CONFIG,
  OCI_MANIFEST,
  parseReference,
  SIGNATURE_ANNOTATION,
} from '@multi-image/digest-chain/oci';
import { busyboxImage, hasBusybox } from '@multi-image/testing/busybox';
import { makeCheckout, pipelineRun, scriptTask } from '@multi-image/testing/checkout';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PipelineRunOutcome } from '../outcome.ts';
import { type RunOptions, runPipeline } from '../run-pipeline.ts';
import { imagesInResults } from './image-results.ts';

const client = createRegistry();
const digest = `sha256:${'a'.repeat(64)}`;

describe('imagesInResults', () => {
  it.each([
    [{ IMAGE_URL: 'h:5000/a/b:tag', IMAGE_DIGEST: `${digest}\n` }, [`h:5000/a/b@${digest}`]],
    [{ X_IMAGE_URL: 'quay.io/a/b', X_IMAGE_DIGEST: digest, IMAGE_URL: 'quay.io/other' }, [`quay.io/a/b@${digest}`]],
    [{ IMAGES: `quay.io/a/b:t@${digest},quay.io/a/c@${digest}\n` }, [`quay.io/a/b@${digest}`, `quay.io/a/c@${digest}`]],
    [{ MY_ARTIFACT_OUTPUTS: { uri: 'quay.io/a/b', digest } }, [`quay.io/a/b@${digest}`]],
    [{ IMAGE_URL: 'quay.io/a/b', IMAGE_DIGEST: 'sha256:short' }, []],
    [{ IMAGE_URL: 'not an image', IMAGE_DIGEST: digest }, []],
  ])('%j', (results, expected) => {
    expect(imagesInResults([{ results: results as never }]).map(formatReference)).toEqual(expected);
  });
});

describe.skipIf(!hasBusybox)('signing a run (needs busybox-static)', () => {
  let busybox: string;
  let registry: TestRegistry;
  let files: ReturnType<typeof makeCheckout>;
  const images: { one: string; two: string } = { one: '', two: '' };

  beforeAll(async () => {
    busybox = busyboxImage();
    registry = await startTestRegistry();
    for (const name of ['one', 'two'] as const) images[name] = await pushImage(`${registry.host}/chain/${name}:v1`);
    files = makeCheckout(
      pipelineRun({
        params: [{ name: 'digest', default: images.one }],
        results: [
          { name: 'CHAINS-GIT_URL', value: '$(tasks.clone.results.url)' },
          { name: 'CHAINS-GIT_COMMIT', value: '$(tasks.clone.results.commit)' },
        ],
        tasks: [
          scriptTask(
            'clone',
            `printf https://example.com/x >$(results.url.path); printf ${'c'.repeat(40)} >$(results.commit.path)`,
            { spec: { results: [{ name: 'url' }, { name: 'commit' }] } },
          ),
          makesImage('build-image-1', 'one'),
          makesImage('build-image-2', 'two', [
            { name: 'BUILD_ARGS', value: ['IMAGE1_DIGEST=$(tasks.build-image-1.results.IMAGE_DIGEST)'] },
          ]),
        ],
      }),
    );
  });
  afterAll(async () => {
    files?.remove();
    await registry?.stop();
  });

  const makesImage = (name: string, image: 'one' | 'two', params: object[] = []): object =>
    scriptTask(
      name,
      `echo -n ${registry.host}/chain/${image}:v1 > $(results.IMAGE_URL.path); echo -n ${images[image]} > $(results.IMAGE_DIGEST.path)`,
      {
        task: { params },
        spec: {
          params: [{ name: 'BUILD_ARGS', type: 'array', default: [] }],
          results: [{ name: 'IMAGE_URL' }, { name: 'IMAGE_DIGEST' }],
        },
      },
    );

  const run = (options: Partial<RunOptions>): Promise<PipelineRunOutcome> =>
    runPipeline({ root: files.root, file: 'run.yaml', images: { 'test-image': busybox }, ...options });

  async function layersOf(image: 'one' | 'two', suffix: string) {
    const place = parseReference(`${registry.host}/chain/${image}`);
    const { bytes } = await client.getManifest(place, `${images[image].replace(':', '-')}.${suffix}`);
    const { layers } = JSON.parse(Buffer.from(bytes).toString()) as {
      layers: (BlobDescriptor & { mediaType: string; annotations: Record<string, string> })[];
    };
    return await Promise.all(
      layers.map(async (layer) => ({ ...layer, bytes: Buffer.from(await client.getBlob(place, layer)) })),
    );
  }

  it("signs each task's image and attests the run, in a form that the key verifies", async () => {
    const outcome = await run({ chains: {} });
    const { publicKey = '', ...rest } = outcome.chains ?? {};
    const both = [`${registry.host}/chain/one@${images.one}`, `${registry.host}/chain/two@${images.two}`];
    expect(rest).toEqual({ signed: both, attested: both });
    for (const image of ['one', 'two'] as const) {
      const [signature] = await layersOf(image, 'sig');
      if (signature === undefined) throw new Error('not signed');
      const sig = Buffer.from(signature.annotations[SIGNATURE_ANNOTATION] ?? '', 'base64');
      expect(verify('sha256', signature.bytes, publicKey, sig)).toBe(true);
      expect(JSON.parse(signature.bytes.toString()).critical).toEqual({
        identity: { 'docker-reference': `${registry.host}/chain/${image}` },
        image: { 'docker-manifest-digest': images[image] },
        type: 'cosign container image signature',
      });
      const [ofTask, ofRun] = (await layersOf(image, 'att')).map(({ bytes }) => JSON.parse(bytes.toString()));
      const own = JSON.parse(Buffer.from(ofTask.payload, 'base64').toString());
      expect(own.subject).toEqual([
        { name: `${registry.host}/chain/${image}`, digest: { sha256: images[image].slice('sha256:'.length) } },
      ]);
      expect(own.predicate).toMatchObject({
        buildType: 'tekton.dev/v1/TaskRun',
        invocation: {
          environment: { labels: { 'tekton.dev/pipelineTask': `build-image-${image === 'one' ? 1 : 2}` } },
        },
      });
      const { payload, payloadType, signatures } = ofRun;
      const body = Buffer.from(payload, 'base64');
      const signed = Buffer.concat([Buffer.from(`DSSEv1 28 ${payloadType} ${body.length} `), body]);
      expect(verify('sha256', signed, publicKey, Buffer.from(signatures[0].sig, 'base64'))).toBe(true);
      const statement = JSON.parse(body.toString());
      expect(
        statement.subject.map((subject: { digest: { sha256: string } }) => `sha256:${subject.digest.sha256}`),
      ).toEqual([images.one, images.two]);
      const task = statement.predicate.buildConfig.tasks.find(({ name }: { name: string }) => name === 'build-image-2');
      expect(task).toMatchObject({
        after: ['build-image-1'],
        status: 'Succeeded',
        invocation: { parameters: { BUILD_ARGS: [`IMAGE1_DIGEST=${images.one}`] } },
        results: [{ name: 'IMAGE_DIGEST', type: 'string', value: images.two }, { name: 'IMAGE_URL' }],
        steps: [
          {
            entryPoint: expect.stringMatching(/^echo -n .* > \/tekton\/results\/IMAGE_URL;/),
            // Another image ran in its place, and that is said.
            environment: {
              container: 'run',
              image: expect.stringMatching(/^urn:tekton-local:image-in-place-of:.*test-image@sha256:[0-9a-f]{64}$/),
            },
          },
        ],
      });
      for (const layer of [signature, ...(await layersOf(image, 'att'))]) {
        expect(layer.annotations).toEqual({
          [SIGNATURE_ANNOTATION]: expect.any(String),
          'dev.sigstore.cosign/certificate': '',
          'dev.sigstore.cosign/chain': '',
        });
      }
      expect(statement.predicate.materials).toContainEqual({
        uri: 'git+https://example.com/x.git',
        digest: { sha1: 'c'.repeat(40) },
      });
    }
  });

  it('signs a task as it ends, for others that wait for it', async () => {
    const seen = Promise.withResolvers<string>();
    const waits = makeCheckout(
      pipelineRun({
        params: [{ name: 'digest', default: images.one }],
        tasks: [
          makesImage('build-image-1', 'one'),
          scriptTask('waits', 'while ! [ -e /workspace/go ]; do sleep 0.1; done'),
        ],
      }),
    );
    const stop = new AbortController();
    const before = (await layersOf('one', 'att').catch(() => [])).length;
    const running = runPipeline({
      ...{
        root: waits.root,
        file: 'run.yaml',
        images: { 'test-image': busybox },
        chains: {},
        signal: stop.signal,
      },
      onEvent: (event) => event.type === 'task-finished' && seen.resolve(event.task),
    });
    expect(await seen.promise).toBe('build-image-1');
    await expect.poll(async () => (await layersOf('one', 'att')).length).toBe(before + 1);
    stop.abort();
    expect((await running).status).toBe('Cancelled');
    waits.remove();
  });

  it('adds to what is there, with the key that is given', async () => {
    const before = await layersOf('one', 'sig').catch(() => []);
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const outcome = await run({
      chains: { privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() },
    });
    expect(outcome.chains?.publicKey).toBe(publicKey.export({ type: 'spki', format: 'pem' }));
    const after = await layersOf('one', 'sig');
    expect(after.map(({ digest }) => digest).slice(0, before.length)).toEqual(before.map(({ digest }) => digest));
    expect(after).toHaveLength(before.length + 1);
  });

  it('refuses what is no such key, and says nothing of it', async () => {
    await expect(run({ chains: { privateKey: 'secret' } })).rejects.toMatchObject({ code: 'USAGE' });
    await expect(run({ chains: { privateKey: 'secret' } })).rejects.not.toThrow('secret');
  });

  const hasCosign = spawnSync('cosign', ['version']).status === 0;
  it.skipIf(!hasCosign)('is accepted by cosign (needs cosign)', async () => {
    const outcome = await run({ chains: {} });
    const pub = join(files.root, 'cosign.pub');
    writeFileSync(pub, outcome.chains?.publicKey ?? '');
    const flags = ['--key', pub, '--insecure-ignore-tlog', '--allow-http-registry', '--new-bundle-format=false'];
    const image = `${registry.host}/chain/two@${images.two}`;
    const env = { ...process.env, HOME: files.root };
    expect(execFileSync('cosign', ['verify', ...flags, image], { encoding: 'utf8', env, stdio: 'pipe' })).toContain(
      images.two,
    );
    execFileSync('cosign', ['verify-attestation', '--type', 'slsaprovenance02', ...flags, image], {
      env,
      stdio: 'pipe',
    });
    const other = join(files.root, 'other.pub');
    writeFileSync(
      other,
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' }),
    );
    expect(() =>
      execFileSync('cosign', ['verify', '--key', other, ...flags.slice(2), image], { env, stdio: 'pipe' }),
    ).toThrow();
  });
});

/** An image without layers; returns its digest. */
async function pushImage(name: string): Promise<string> {
  const place = parseReference(name);
  const config = await client.putBlob(
    place,
    Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] }, name })),
  );
  const descriptor = { mediaType: OCI_CONFIG, ...config };
  const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: descriptor, layers: [] };
  const bytes = Buffer.from(JSON.stringify(manifest));
  return (await client.putManifest(place, place.tag ?? '', { bytes, mediaType: OCI_MANIFEST })).digest;
}
