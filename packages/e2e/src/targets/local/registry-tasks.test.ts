import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRegistry, parseReference } from '@multi-image/digest-chain/oci';
import { type FailingRegistry, startFailingRegistry } from '@multi-image/testing/failing-registry';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { makeFolder } from '@multi-image/testing/source';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fail, result, runTask, succeed, type TaskRun } from '../../testing/stand-ins/run-task.ts';
import { createTrustedArtifacts, useTrustedArtifact } from './trusted-artifacts.ts';

const MISSING = `sha256:${'b'.repeat(64)}`;

let registry: TestRegistry;
let source: string;
let artifact: string;
let image: TaskRun;
let other: TaskRun;

async function build(repository: string, label: string): Promise<TaskRun> {
  const IMAGE = `${registry.host}/${repository}:tag`;
  const params = { IMAGE, SOURCE_ARTIFACT: artifact, SOURCE_DATE_EPOCH: '1', LABELS: [`which=${label}`] };
  return await succeed(runTask('buildah-oci-ta', params));
}

beforeAll(async () => {
  registry = await startTestRegistry();
  source = makeFolder({ Dockerfile: 'FROM scratch\nCOPY a /a\n', a: 'x' });
  const options = { store: `${registry.host}/org/source:t`, folders: [{ name: 'S', folder: source }] };
  artifact = (await createTrustedArtifacts(createRegistry(), options))[0] ?? '';
  image = await build('org/image', 'one');
  other = await build('org/other', 'two');
});

afterAll(async () => {
  await registry?.stop();
  rmSync(source, { recursive: true, force: true });
});

function raw(reference: string): string {
  return execFileSync('skopeo', ['inspect', '--raw', '--tls-verify=false', `docker://${reference}`], {
    encoding: 'utf8',
  });
}

describe('apply-tags', () => {
  function apply(ADDITIONAL_TAGS: string[], IMAGE_DIGEST = result(image, 'IMAGE_DIGEST')): Promise<TaskRun> {
    return runTask('apply-tags', { IMAGE_URL: result(image, 'IMAGE_URL'), IMAGE_DIGEST, ADDITIONAL_TAGS });
  }

  it('puts the very manifest under each tag', async () => {
    expect((await succeed(apply(['latest', 'v1']))).results).toEqual({});
    const original = raw(result(image, 'IMAGE_URL'));
    for (const tag of ['latest', 'v1']) expect(raw(`${registry.host}/org/image:${tag}`)).toBe(original);
  });

  it('tags nothing when one tag is malformed, or the image is not there or not what its digest says', async () => {
    expect(await fail(apply(['good', '../bad']))).toContain('a tag is malformed');
    expect(await fail(apply(['good'], MISSING))).toContain('manifest unknown');
    expect(await fail(apply(['good'], 'latest'))).toContain('IMAGE_DIGEST is not a digest');
    expect(() => raw(`${registry.host}/org/image:good`)).toThrow();
  });
});

describe('build-image-index', () => {
  function index(IMAGES: string[], more: Record<string, string> = {}): Promise<TaskRun> {
    return runTask('build-image-index', { IMAGE: `${registry.host}/org/image:index`, IMAGES, ...more });
  }

  it.each(['oci', 'docker'])('makes an index in format %s over images of any repository', async (BUILDAH_FORMAT) => {
    const run = await succeed(index([result(image, 'IMAGE_REF'), result(other, 'IMAGE_REF')], { BUILDAH_FORMAT }));
    const manifest = JSON.parse(raw(result(run, 'IMAGE_URL')));
    const type = BUILDAH_FORMAT === 'oci' ? 'image.index.v1' : 'distribution.manifest.list.v2';
    expect(manifest.mediaType).toContain(type);
    const digests = [result(image, 'IMAGE_DIGEST'), result(other, 'IMAGE_DIGEST')];
    expect(manifest.manifests.map((entry: { digest: string }) => entry.digest)).toEqual(digests);
    expect(manifest.manifests[0].platform).toEqual({
      architecture: process.arch === 'x64' ? 'amd64' : 'arm64',
      os: 'linux',
    });
    expect(result(run, 'IMAGES')).toBe(digests.map((digest) => `${registry.host}/org/image@${digest}`).join(','));
    expect(result(run, 'IMAGE_REF')).toBe(`${registry.host}/org/image@${result(run, 'IMAGE_DIGEST')}`);
    // All of it can be copied from the one repository.
    const target = makeFolder({});
    try {
      const copy = ['copy', '--quiet', '--all', '--src-tls-verify=false'];
      execFileSync('skopeo', [...copy, `docker://${result(run, 'IMAGE_REF')}`, `dir:${target}`], { stdio: 'pipe' });
    } finally {
      rmSync(target, { recursive: true, force: true });
    }
  });

  it('hands on a single image where no index is asked for', async () => {
    const run = await succeed(index([result(image, 'IMAGE_REF')], { ALWAYS_BUILD_INDEX: 'false' }));
    expect(run.results).toMatchObject({
      IMAGE_URL: result(image, 'IMAGE_URL'),
      IMAGE_DIGEST: result(image, 'IMAGE_DIGEST'),
    });
    const two = index([result(image, 'IMAGE_REF'), result(other, 'IMAGE_REF')], { ALWAYS_BUILD_INDEX: 'false' });
    expect(await fail(two)).toContain('exactly one image');
  });

  it('refuses an entry without digest, and one that is itself an index', async () => {
    expect(await fail(index([result(image, 'IMAGE_URL')]))).toContain('has no digest');
    const nested = await succeed(index([result(image, 'IMAGE_REF')]));
    expect(await fail(index([result(nested, 'IMAGE_REF')]))).toContain('is not an image manifest');
  });
});

describe('the checks', () => {
  it.each(['clair-scan', 'clamav-scan', 'deprecated-image-check', 'rpms-signature-scan'])(
    '%s says SKIPPED',
    async (task) => {
      const [url, digest] =
        task === 'deprecated-image-check' ? ['IMAGE_URL', 'IMAGE_DIGEST'] : ['image-url', 'image-digest'];
      const params = { [url]: result(image, 'IMAGE_URL'), [digest]: result(image, 'IMAGE_DIGEST') };
      const run = await succeed(runTask(task, params));
      expect(JSON.parse(result(run, 'TEST_OUTPUT'))).toEqual({
        result: 'SKIPPED',
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/),
        note: expect.stringContaining(task),
        namespace: expect.any(String),
        successes: 0,
        failures: 0,
        warnings: 0,
      });
      const processed = { image: { pullspec: result(image, 'IMAGE_URL'), digests: [result(image, 'IMAGE_DIGEST')] } };
      expect(JSON.parse(result(run, 'IMAGES_PROCESSED'))).toEqual(processed);
      expect(await fail(runTask(task, { ...params, [digest]: MISSING }))).toContain('manifest unknown');
    },
  );
});

const hasClamAv = spawnSync('clamscan', ['--version']).status === 0;
// Debian's package clamav has it.
describe.skipIf(!hasClamAv)(
  `clamav-scan with this machine's ClamAV${hasClamAv ? '' : ' (skipped: no clamscan here)'}`,
  () => {
    let folder: string;
    let infected: TaskRun;

    beforeAll(async () => {
      // Its own format, with what nothing has but the file of this test.
      folder = makeFolder({
        'test.ndb': `Multi.Image.Test:0:*:${Buffer.from('a virus of this test').toString('hex')}\n`,
        'other.txt': 'none',
        empty: '',
      });
      const files = { Dockerfile: 'FROM scratch\nCOPY a /deep/er/a\n', a: `${'x'.repeat(5000)} a virus of this test` };
      const sick = makeFolder(files);
      try {
        const options = { store: `${registry.host}/org/source:t`, folders: [{ name: 'S', folder: sick }] };
        const [SOURCE_ARTIFACT = ''] = await createTrustedArtifacts(createRegistry(), options);
        const params = { IMAGE: `${registry.host}/org/sick:tag`, SOURCE_ARTIFACT, SOURCE_DATE_EPOCH: '1' };
        infected = await succeed(runTask('buildah-oci-ta', params));
      } finally {
        rmSync(sick, { recursive: true, force: true });
      }
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    const scan = async (built: TaskRun, signatures: string): Promise<unknown> => {
      const params = { 'image-url': result(built, 'IMAGE_URL'), 'image-digest': result(built, 'IMAGE_DIGEST') };
      const run = await succeed(runTask('clamav-scan', params, { scanners: { signatures } }));
      expect(JSON.parse(result(run, 'IMAGES_PROCESSED'))).toMatchObject({
        image: { digests: [params['image-digest']] },
      });
      return JSON.parse(result(run, 'TEST_OUTPUT'));
    };

    it('finds what is in a layer, and nothing where nothing is', async () => {
      expect(await scan(infected, folder)).toMatchObject({
        result: 'FAILURE',
        failures: 1,
        note: 'clamscan found Multi.Image.Test.UNOFFICIAL',
      });
      expect(await scan(image, join(folder, 'test.ndb'))).toMatchObject({
        result: 'SUCCESS',
        successes: 1,
        note: expect.stringMatching(/^ClamAV \d.* found nothing$/),
      });
    });

    it('looks at every image of an index', async () => {
      const refs = [result(image, 'IMAGE_REF'), result(infected, 'IMAGE_REF')];
      const params = { IMAGE: `${registry.host}/org/image:mixed`, IMAGES: refs };
      const index = await succeed(runTask('build-image-index', params));
      expect(await scan(index, folder)).toMatchObject({ result: 'FAILURE' });
    });

    it('says SKIPPED where it has no signatures', async () => {
      const none = makeFolder({ 'README.txt': 'x' });
      expect(await scan(infected, none)).toMatchObject({
        result: 'SKIPPED',
        note: expect.stringContaining('freshclam'),
      });
      rmSync(none, { recursive: true });
    });

    it('fails, and is no success, where its signatures are broken', async () => {
      const broken = makeFolder({ 'test.ndb': 'Broken:x\n' });
      const params = { 'image-url': result(image, 'IMAGE_URL'), 'image-digest': result(image, 'IMAGE_DIGEST') };
      expect(await fail(runTask('clamav-scan', params, { scanners: { signatures: broken } }))).toContain(
        'clamscan failed',
      );
      rmSync(broken, { recursive: true });
    });
  },
);

/** Puts a program before all others of this machine, for as long as something runs. */
async function withProgram(name: string, script: string, run: () => Promise<void>): Promise<void> {
  const folder = makeFolder({ [name]: script });
  chmodSync(join(folder, name), 0o755);
  const { PATH } = process.env;
  process.env.PATH = `${folder}:${PATH}`;
  try {
    await run();
  } finally {
    process.env.PATH = PATH;
    rmSync(folder, { recursive: true });
  }
}

const hasSyft = spawnSync('syft', ['version']).status === 0;
// What `syft scan --output spdx-json=FILE registry:IMAGE` writes, as far as it is looked at here.
const SYFT = `#!/bin/sh
[ "$1 $2 $3" = 'scan --quiet --output' ] && [ "$SYFT_REGISTRY_INSECURE_USE_HTTP" = true ] || exit 9
printf '{"spdxVersion":"SPDX-2.3","name":"%s","documentNamespace":"https://example.com/1"}' "\${5#registry:}" >"\${4#spdx-json=}"
`;

describe('an SBOM', () => {
  const params = (tag: string) => ({
    IMAGE: `${registry.host}/org/listed:${tag}`,
    SOURCE_ARTIFACT: artifact,
    SOURCE_DATE_EPOCH: '1',
    LABELS: [`which=${tag}`],
  });
  const check = async (tag: string): Promise<void> => {
    const run = await succeed(runTask('buildah-oci-ta', params(tag), { scanners: {} }));
    const digest = result(run, 'IMAGE_DIGEST');
    const manifest = JSON.parse(raw(`${registry.host}/org/listed:${digest.replace(':', '-')}.sbom`));
    const [{ mediaType, digest: blob, size }] = manifest.layers;
    expect(mediaType).toBe('text/spdx+json');
    expect(result(run, 'SBOM_BLOB_URL')).toBe(`${registry.host}/org/listed@${blob}`);
    const place = parseReference(`${registry.host}/org/listed`);
    const document = Buffer.from(await createRegistry().getBlob(place, { digest: blob, size })).toString();
    expect(JSON.parse(document)).toMatchObject({ spdxVersion: expect.stringMatching(/^SPDX-/) });
    expect(document).toContain(digest.slice('sha256:'.length));
  };

  it('is made where syft is, and attached as Konflux does', () => withProgram('syft', SYFT, () => check('fake')));

  it.skipIf(!hasSyft)(`is made by syft itself${hasSyft ? '' : ' (skipped: no syft here)'}`, () => check('real'));

  it('is none where nobody makes one, which is said', async () => {
    const run = await succeed(runTask('buildah-oci-ta', params('none')));
    expect(result(run, 'SBOM_BLOB_URL')).toBe('');
    expect(run.log).toContain('No SBOM is made');
  });
});

describe('clair-scan with a scanner of this machine', () => {
  it.each([
    ['grype', 'High fixed\nHigh not-fixed\nCritical wont-fix\nNegligible unknown\nUnknown unknown'],
    ['trivy', 'HIGH fixed\nHIGH open\nCRITICAL open\nUNKNOWN open'],
  ])('counts what %s prints for the template that it is given', async (scanner, lines) => {
    await withProgram(scanner, `#!/bin/sh\nprintf '%s\\n' '${lines}'\n`, async () => {
      const params = { 'image-url': result(image, 'IMAGE_URL'), 'image-digest': result(image, 'IMAGE_DIGEST') };
      const run = await succeed(runTask('clair-scan', params, { scanners: {} }));
      expect(JSON.parse(result(run, 'TEST_OUTPUT'))).toMatchObject({ result: 'SUCCESS' });
      const none = { critical: 0, high: 0, medium: 0, low: 0, unknown: 0 };
      expect(JSON.parse(result(run, 'SCAN_OUTPUT'))).toEqual({
        vulnerabilities: { ...none, high: 1 },
        unpatched_vulnerabilities: { ...none, critical: 1, high: 1, unknown: 1 },
      });
    });
  });
});

describe('the other tasks of stock pipelines', () => {
  const IMAGE = (): Record<string, string> => ({
    'image-url': result(image, 'IMAGE_URL'),
    'image-digest': result(image, 'IMAGE_DIGEST'),
  });

  it.each(['sast-snyk-check-oci-ta', 'sast-shell-check-oci-ta', 'sast-unicode-check-oci-ta'])(
    '%s says SKIPPED of an image that is there',
    async (task) => {
      const params = { ...IMAGE(), SOURCE_ARTIFACT: artifact };
      expect(JSON.parse(result(await succeed(runTask(task, params)), 'TEST_OUTPUT'))).toMatchObject({
        result: 'SKIPPED',
        note: expect.stringContaining(task),
      });
      expect(await fail(runTask(task, { ...params, 'image-digest': MISSING }))).toContain('manifest unknown');
    },
  );

  it('sast-shell-check-oci-ta needs no image', async () => {
    const run = await succeed(runTask('sast-shell-check-oci-ta', { SOURCE_ARTIFACT: artifact }));
    expect(result(run, 'TEST_OUTPUT')).toContain('SKIPPED');
  });

  it('ecosystem-cert-preflight-checks finds the digest of a tag', async () => {
    const { 'image-url': url } = IMAGE();
    const run = await succeed(runTask('ecosystem-cert-preflight-checks', { 'image-url': url ?? '' }));
    expect(JSON.parse(result(run, 'IMAGES_PROCESSED'))).toEqual({
      image: { pullspec: url, digests: [result(image, 'IMAGE_DIGEST')] },
    });
    expect([run.results.ARTIFACT_TYPE, run.results.ARTIFACT_TYPE_SET_BY]).toEqual(['', '']);
  });

  it('source-build-oci-ta drops the source image, and says so', async () => {
    const { 'image-url': BINARY_IMAGE = '', 'image-digest': BINARY_IMAGE_DIGEST = '' } = IMAGE();
    const params = { BINARY_IMAGE, BINARY_IMAGE_DIGEST, SOURCE_ARTIFACT: artifact };
    const run = await succeed(runTask('source-build-oci-ta', params));
    expect(JSON.parse(result(run, 'BUILD_RESULT'))).toMatchObject({ status: 'drop' });
    expect(run.results).toMatchObject({ IMAGE_REF: '', SOURCE_IMAGE_URL: '', SOURCE_IMAGE_DIGEST: '' });
    expect(run.notes.join()).toContain('No source image');
  });

  it('show-sbom says that there is none', async () => {
    const run = await succeed(runTask('show-sbom', { IMAGE_URL: result(image, 'IMAGE_URL') }));
    expect(run.log).toContain('has no SBOM');
  });
});

it('prefetch-dependencies-oci-ta hands the source on, and refuses what only Konflux can fetch', async () => {
  const params = { SOURCE_ARTIFACT: artifact, ociStorage: `${registry.host}/org/image:prefetch` };
  const run = await succeed(runTask('prefetch-dependencies-oci-ta', { ...params, input: '' }));
  expect(run.results).toEqual({ SOURCE_ARTIFACT: artifact, CACHI2_ARTIFACT: '' });
  const npm = runTask('prefetch-dependencies-oci-ta', { ...params, input: '{"type": "npm"}' });
  expect(await fail(npm)).toContain('dependencies are not prefetched');
});

it('notices a manifest whose bytes are not those of its digest', async () => {
  const tampered = await build('org/tampered', 'three');
  writeFileSync(registry.blobFile(result(tampered, 'IMAGE_DIGEST')), raw(result(image, 'IMAGE_URL')));
  const params = { IMAGE_URL: result(tampered, 'IMAGE_URL'), IMAGE_DIGEST: result(tampered, 'IMAGE_DIGEST') };
  const run = runTask('apply-tags', { ...params, ADDITIONAL_TAGS: ['latest'] });
  expect(await fail(run)).toMatch(/manifest unknown|Internal Server Error|digest/i);
  expect(() => raw(`${registry.host}/org/tampered:latest`)).toThrow();
});

describe('at a registry that fails now and then', () => {
  let failing: FailingRegistry;
  let artifact: string;
  let source: string;
  /** Bases come into the image store of whoever runs the test. */
  const pulled: string[] = [];

  beforeAll(async () => {
    failing = await startFailingRegistry(registry.host);
    source = makeFolder({ Dockerfile: 'ARG BASE=scratch\nFROM $BASE\nCOPY a /a\n', a: 'x' });
    const options = { store: `${failing.host}/source:t`, folders: [{ name: 'S', folder: source }] };
    artifact = (await createTrustedArtifacts(createRegistry(), options))[0] ?? '';
  });

  afterAll(async () => {
    await failing?.stop();
    for (const image of pulled) spawnSync('buildah', ['rmi', image]);
    if (source !== undefined) rmSync(source, { recursive: true, force: true });
  });

  function make(name: string, BUILD_ARGS: string[] = []): Promise<TaskRun> {
    const IMAGE = `${failing.host}/${name}:tag`;
    const params = { IMAGE, SOURCE_ARTIFACT: artifact, SOURCE_DATE_EPOCH: '1', BUILD_ARGS };
    return succeed(runTask('buildah-oci-ta', params));
  }

  /** A registry that fails in passing is no reason to fail: here, each kind of request does once. */
  it('images are built, pulled, tagged and indexed', async () => {
    const image = await make('image');
    const tags = { IMAGE_URL: result(image, 'IMAGE_URL'), IMAGE_DIGEST: result(image, 'IMAGE_DIGEST') };
    await succeed(runTask('apply-tags', { ...tags, ADDITIONAL_TAGS: ['latest'] }));
    const base = `${failing.host}/image@${tags.IMAGE_DIGEST}`;
    pulled.push(base);
    const upon = await make('upon', [`BASE=${base}`]);
    const IMAGES = [result(image, 'IMAGE_REF'), result(upon, 'IMAGE_REF')];
    const index = await succeed(runTask('build-image-index', { IMAGE: `${failing.host}/index:1`, IMAGES }));
    const { manifests } = JSON.parse(raw(`${registry.host}/index:1`)) as { manifests: { digest: string }[] };
    expect(manifests.map(({ digest }) => digest)).toEqual([tags.IMAGE_DIGEST, result(upon, 'IMAGE_DIGEST')]);
    expect(result(index, 'IMAGE_URL')).toBe(`${failing.host}/index:1`);
    expect(failing.failed).toEqual(
      expect.arrayContaining(['HEAD image blobs', 'PUT image manifests', 'GET image blobs', 'PUT index manifests']),
    );
  });

  it('an artifact is fetched at the second try, whole', async () => {
    const into = makeFolder({});
    try {
      await useTrustedArtifact(createRegistry(), artifact, join(into, 'source'));
      expect(failing.failed).toContain('GET source blobs');
    } finally {
      rmSync(into, { recursive: true, force: true });
    }
  });
});

it('a registry that is gone fails a task, and leaves nothing behind', async () => {
  const gone = await startTestRegistry();
  await gone.stop();
  const workDir = makeFolder({});
  try {
    const params = { 'image-url': `${gone.host}/o/image:1`, 'image-digest': MISSING };
    expect(await fail(runTask('clair-scan', params, { workDir }))).toContain('connection refused');
    expect(readdirSync(workDir)).toEqual([]);
  } finally {
    rmSync(workDir, { recursive: true, force: true });
  }
});
