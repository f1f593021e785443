import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createRegistry } from '@multi-image/digest-chain';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { createSigner } from '@multi-image/testing/signer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reachElsewhere } from '../look/connect.ts';
import { verifyPublished } from '../targets/published/verify-published.ts';
import { attested, reportFor } from '../testing/report.ts';
import { publishChain, signChain } from '../testing/tenant-chain.ts';
import { type HandCheck, handChecksOf } from './by-hand.ts';
import type { Report } from './report.ts';

const has = (program: string): boolean => spawnSync(program, ['--help'], { stdio: 'ignore' }).error === undefined;

let server: TestRegistry;
let folder: string;
let report: Report;
/** Of a chain whose registry is called otherwise in the links. */
let renamed: Report;

beforeAll(async () => {
  server = await startTestRegistry();
  folder = await mkdtemp(join(tmpdir(), 'e2e-by-hand-'));
  const registry = createRegistry();
  const signer = createSigner();
  const chain = await publishChain(registry, `${server.host}/acme/chain`, 'c0ffee'.padEnd(40, '0'));
  await signChain(registry, chain, signer);
  report = await verifyPublished({ reference: `${chain.image1}:latest`, keys: signer.keys, registry });
  const elsewhere = { from: 'registry.svc:5000', to: server.host };
  const there = reachElsewhere(registry, elsewhere.from, elsewhere.to);
  const { image1 } = await publishChain(there, `${elsewhere.from}/renamed/chain`, 'c0ffee'.padEnd(40, '0'));
  renamed = await verifyPublished({ reference: `${image1}:latest`, registry: there, plainHttp: true, elsewhere });
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

function checksOf(title: string, of: Report = report): readonly HandCheck[] {
  return handChecksOf(of).find((group) => group.title.includes(title))?.checks ?? [];
}

/** Runs what is shown, as it is shown. What differs is a finding of `diff`, and no error. */
function run({ command, prints = [] }: HandCheck, cwd: string = folder): void {
  // What npx would fetch from the network is here already: the scripts of this repository are run without it.
  const npx = 'npx() { local verb=$3; shift 3; [ "$verb" = exec ] || set -- node packages/e2e/src/cli.ts "$@"; "$@"; }';
  const { status, stdout, stderr } = spawnSync('bash', ['-c', `${npx}\n${command}`], { cwd, encoding: 'utf8' });
  expect(status, stderr).toBe(command.startsWith('diff ') ? 1 : 0);
  for (const text of prints) expect(stdout).toContain(text);
}

describe('the commands do what they say, as they are shown', () => {
  test.skipIf(!has('skopeo') || !has('jq'))('skopeo and jq (skipped where they are missing)', () => {
    const checks = checksOf('skopeo');
    expect(checks).toHaveLength(5);
    for (const check of checks) run(check);
  });

  test.skipIf(!has('skopeo') || !has('jq'))('of a registry that has another name here', () => {
    expect(renamed.images[0]?.repository).toBe('registry.svc:5000/renamed/chain-image1');
    const checks = checksOf('skopeo', renamed);
    expect(checks).toHaveLength(5);
    for (const check of checks) run(check);
  });

  test.skipIf(!has('cosign') || !has('jq'))('cosign (skipped where it is missing)', () => {
    const checks = checksOf('cosign');
    expect(checks).toHaveLength(5);
    for (const check of checks) run(check);
  });

  test('this repository itself', () => {
    for (const each of [{ ...report, publicKeys: [] }, renamed]) {
      const checks = checksOf('this repository', each);
      expect(checks).toHaveLength(2);
      for (const check of checks) run(check, resolve(import.meta.dirname, '../../../..'));
    }
  });
});

test('on a cluster, the runs and its key come with them', () => {
  const cluster = { server: 'https://api.example', namespace: 'my tenant', application: 'chain', snapshots: [] };
  const seen = reportFor(attested(), { target: 'tenant', cluster });
  const commands = handChecksOf(seen).flatMap(({ checks }) => checks.map(({ command }) => command));
  expect(commands).toContain("kubectl get pipelineruns -n 'my tenant' app-on-push metadata-scanner-on-push");
  expect(commands.some((command) => command.startsWith('kubectl get secret public-key'))).toBe(true);
  expect(commands.some((command) => /^podman run --rm --quiet --runtime runc registry\.example/.test(command))).toBe(
    true,
  );
});

test('a registry without TLS is reached without it', () => {
  const commands = handChecksOf(reportFor(attested(), { byHand: { plainHttp: true } }))
    .flatMap(({ checks }) => checks.map(({ command }) => command))
    .filter((command) => /^(?:skopeo|podman|cosign)/.test(command));
  expect(commands.length).toBeGreaterThan(5);
  expect(commands.filter((command) => !/--tls-verify=false|--allow-http-registry/.test(command))).toEqual([]);
});

test('without a chain there is nothing to look at', () => {
  expect(handChecksOf({ ...report, images: report.images.slice(0, 1) })).toEqual([]);
});
