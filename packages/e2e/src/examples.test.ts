import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ALL_WELL, statusOf } from '@multi-image/testing/criteria';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Report } from './report/report.ts';
import { type CliFolder, makeCliFolder, repository } from './testing/cli-run.ts';

let bench: CliFolder;
let checkout: string;

beforeAll(async () => {
  bench = await makeCliFolder();
  checkout = await bench.clone('examples');
});
afterAll(() => bench.remove());

const evidenceOf = (report: Report | undefined, check: string) =>
  report?.criteria.flatMap(({ evidence }) => evidence.filter((entry) => entry.check === check));

/** Runs a chain to its end; whatever is asked of every chain is checked here. */
async function runChain(cwd: string, config: string): Promise<Report> {
  const { exitCode, output, report } = await bench.e2e(cwd, '--config', config);
  expect(output).toContain('5 passed, 0 failed, 1 skipped of 6 criteria');
  expect(exitCode).toBe(0);
  expect(statusOf(report)).toEqual(ALL_WELL);
  expect(await bench.leftovers()).toEqual([]);
  if (report === undefined) throw new Error('there is no report');
  return report;
}

test.each([
  ['operator-bundle-catalog', ['operator', 'bundle', 'catalog']],
  ['app-sidecar', ['app', 'proxy', 'logger']],
  ['multi-arch', ['primary', 'metadata']],
])('the chain of examples/%s is built and proved', async (name, roles) => {
  const { images, criteria } = await runChain(checkout, `examples/${name}/konflux.config.ts`);
  expect(images.map(({ role }) => role)).toEqual(roles);
  for (const { originDigest, sealedDigest, latestDigest, role } of images) {
    // An operator is released as the very image that its bundle names; elsewhere what is sealed is published instead.
    const isSealed = name !== 'operator-bundle-catalog' && images.some(({ embeds }) => embeds.includes(role));
    expect(latestDigest).toBe(isSealed ? sealedDigest : originDigest);
    expect(sealedDigest === null || sealedDigest === originDigest).toBe(!isSealed);
  }
  const platforms = criteria[0]?.evidence.filter(({ check }) => check.startsWith('platform')).map(({ text }) => text);
  if (name !== 'multi-arch') return expect(platforms).toEqual([]);
  const [own, other] = process.arch === 'arm64' ? ['arm64', 'amd64'] : ['amd64', 'arm64'];
  expect(platforms).toContain(
    'Image 1: one index over linux/amd64, linux/arm64; its labels and environment were read from each',
  );
  // Either there was a base for the other platform, or it is said that there was none.
  const without = platforms?.filter((text) => text.includes('was not run')) ?? [];
  expect(without.every((text) => text.includes(`linux/${other}`) && !text.includes(`linux/${own}`))).toBe(true);
});

test('a wrong digest in one file of a bundle ends the run, with image, layer, file and line', async () => {
  const clone = await bench.clone('planted');
  const folder = join(clone, 'examples/operator-with-daemon');
  const configMap = join(folder, 'bundle/manifests/node-operator-config_v1_configmap.yaml');
  const planted = `registry.redhat.io/my-org/node-daemon-rhel9@sha256:${'1'.repeat(64)}`;
  const text = await readFile(configMap, 'utf8');
  await writeFile(configMap, text.replace(/^( {2}daemon.image: ).*$/m, `$1${planted}`));
  const config = 'examples/operator-with-daemon/konflux.config.ts';
  const { exitCode, output } = await bench.e2e(clone, '--port', '0', '--config', config);
  expect(exitCode).toBe(1);
  expect(output).toContain(`${planted} (manifests/node-operator-config_v1_configmap.yaml:8 in layer sha256:`);
  expect(output).toMatch(/in layer sha256:[0-9a-f]{64} of bundle\)/);
});

test('one platform without the link makes the criterion fall', async () => {
  const clone = await bench.clone('one-platform');
  const pipeline = join(clone, 'examples/multi-arch/pipeline/unified-build.yaml');
  const text = await readFile(pipeline, 'utf8');
  const arm64 = text.indexOf('- name: build-image-2-linux-arm64');
  const changed = text.slice(0, arm64) + text.slice(arm64).replace(/^.*- IMAGE1_DIGEST=.*\n/m, '');
  expect(changed).not.toBe(text);
  await writeFile(pipeline, changed);
  const config = 'examples/multi-arch/konflux.config.ts';
  const { exitCode, output, report } = await bench.e2e(clone, '--allow-drift', '--config', config);
  expect(exitCode).toBe(1);
  expect(output).toContain('criterion fell: image-2-embeds-image-1');
  const origin = report?.images[0]?.originDigest;
  expect(evidenceOf(report, 'env')).toContainEqual(
    expect.objectContaining({
      status: 'failed',
      expected: origin,
      found: `linux/amd64: ${origin}, linux/arm64: nothing`,
    }),
  );
  expect(report?.images.map(({ latestDigest }) => latestDigest)).toEqual([null, null]);
});

test('linked by referrer alone, latest is what was built, byte for byte', async () => {
  const clone = await bench.clone('referrer');
  const config = join(clone, 'konflux.config.ts');
  const text = await readFile(config, 'utf8');
  const changed = text.replace(/^ {2}labelPrefix: /m, "  seal: 'referrer',\n$&");
  expect(changed).not.toBe(text);
  await writeFile(config, changed);
  const render = join(repository, 'packages/manifests/src/cli.ts');
  execFileSync(process.execPath, [render, 'render', '--config', config], { cwd: clone, stdio: 'pipe' });
  const report = await runChain(clone, 'konflux.config.ts');
  const [primary, metadata] = report.images;
  expect(primary?.latestDigest).toBe(primary?.originDigest);
  expect(primary?.sealedDigest).toBeNull();
  expect(evidenceOf(report, 'unchanged')).toEqual([
    { check: 'unchanged', status: 'passed', text: `Image 1: published as it was built: ${primary?.originDigest}` },
  ]);
  expect(evidenceOf(report, 'label')?.filter(({ text: said }) => said.includes('metadata-image'))).toEqual([]);
  const proof = (id: string) => evidenceOf(report, `proof/${id}`);
  for (const id of ['link-present', 'linked-image-exists', 'embeds-origin', 'chain-statement']) {
    expect(proof(id)).toEqual([expect.objectContaining({ status: 'passed' })]);
  }
  expect(proof('linked-image-exists')?.[0]?.text).toContain(metadata?.originDigest);
});
