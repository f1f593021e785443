import { LabelNames } from '@multi-image/digest-chain/oci';
import type { Observation, ObservedImage, RunFacts } from '../judge/observation.ts';

export const origin = `sha256:${'1'.repeat(64)}`;
export const sealed = `sha256:${'2'.repeat(64)}`;
export const second = `sha256:${'3'.repeat(64)}`;
export const other = `sha256:${'4'.repeat(64)}`;
export const revision: string = 'c0ffee'.padEnd(40, '0');
export const prefix = 'io.konflux.poc';

type Writable<T> = { -readonly [K in keyof T]: T[K] };
export interface Sample extends Writable<Observation> {
  primary: Writable<ObservedImage>;
  metadata: Writable<ObservedImage>;
  scanner: Writable<RunFacts>;
}

/** What a run in which all went well looks like; its parts are there by name too, for a test to break. */
export function wellDone(): Sample {
  const at = (start: number, end: number) => ({ startedAt: start, finishedAt: end });
  const labels = { 'org.opencontainers.image.revision': revision };
  const url = `registry.example/org/image2:${revision}`;
  const repository = 'registry.example/org/image1';
  const output = (...lines: string[]) => ({
    exitCode: 0,
    stdout: `${lines.join('\n')}\n`,
    stderr: '',
    stdoutBytes: new Uint8Array(),
  });
  const timestamp = 'Timestamp: 2026-08-18T12:39:27.000Z';
  const build: RunFacts = {
    name: 'app-on-push',
    status: 'Succeeded',
    results: {},
    ...at(0, 9000),
    tasks: [
      { name: 'build-image-1', status: 'Succeeded', results: { IMAGE_DIGEST: origin }, ...at(0, 1000) },
      {
        name: 'build-image-2',
        status: 'Succeeded',
        results: { IMAGE_DIGEST: second },
        buildArgs: [`IMAGE1_DIGEST=${origin}`, `IMAGE1_URL=${repository}@${origin}`],
        ...at(1000, 2000),
      },
      { name: 'label-image-1', status: 'Succeeded', results: {}, ...at(2000, 3000) },
    ],
  };
  const scanner: RunFacts = {
    name: 'metadata-scanner-on-push',
    status: 'Succeeded',
    results: { IMAGE_URL: url, IMAGE_DIGEST: second },
    ...at(10, 5000),
    tasks: [{ name: 'extract-image-2', status: 'Succeeded', results: {}, ...at(100, 3100) }],
  };
  const primary: ObservedImage = {
    role: 'primary',
    name: 'image-1',
    argumentPrefix: 'IMAGE1',
    embeds: [],
    embeddedBy: ['metadata'],
    seal: 'label',
    repository,
    origin: { reference: `${repository}@${origin}`, digest: origin, labels, env: {} },
    published: {
      reference: `${repository}:${revision}`,
      digest: sealed,
      labels: {
        ...labels,
        name: 'multi-image-poc-image1',
        [`${prefix}.metadata-image.digest`]: second,
        [`${prefix}.sealed-from.digest`]: origin,
      },
      env: {},
    },
    latest: { reference: `${repository}:latest`, digest: sealed, labels, env: {} },
    output: output('Hello from Image 1!', 'This is the primary container in our multi-image build.', timestamp),
    unsealed: { digest: origin, bytesEqual: true },
    proof: [{ id: 'embeds-origin', role: 'metadata', status: 'passed', evidence: 'it does' }],
  };
  const built = {
    reference: `registry.example/org/image2@${second}`,
    digest: second,
    labels: { ...labels, name: 'multi-image-poc-image2', [`${prefix}.primary-image.digest`]: origin },
    env: { IMAGE1_DIGEST: origin, IMAGE1_URL: `${repository}@${origin}` },
  };
  const metadata: ObservedImage = {
    role: 'metadata',
    name: 'image-2',
    argumentPrefix: 'IMAGE2',
    embeds: ['primary'],
    embeddedBy: [],
    seal: 'label',
    repository: 'registry.example/org/image2',
    origin: built,
    published: { ...built, reference: url },
    latest: { reference: 'registry.example/org/image2:latest', digest: second, labels, env: {} },
    output: output(
      'Hello from Image 2!',
      'This container proves the signed/sealed image chain.',
      `Image 1 Digest: ${origin}`,
      `Image 1 URL: ${repository}@${origin}`,
      'This digest was baked in at build time, proving atomic build.',
      timestamp,
    ),
  };
  return {
    revision,
    labelNames: new LabelNames(prefix),
    signer: 'chains',
    build,
    scanner,
    scanners: [{ role: 'metadata', run: scanner }],
    primary,
    metadata,
    external: [],
    images: [primary, metadata],
    scans: [{ run: 'app-on-push', task: 'clair-scan', result: 'SKIPPED', note: 'no scanner' }],
  };
}
