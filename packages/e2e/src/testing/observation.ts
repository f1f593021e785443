import type { Observation } from '../criteria/observation.ts';

export const origin = `sha256:${'1'.repeat(64)}`;
export const sealed = `sha256:${'2'.repeat(64)}`;
export const second = `sha256:${'3'.repeat(64)}`;
export const other = `sha256:${'4'.repeat(64)}`;
export const revision = 'c0ffee'.padEnd(40, '0');
export const prefix = 'io.konflux.poc';

/** What a run in which all went well looks like. */
export function wellDone(): Observation & { metadata: { built: { env: Record<string, string> } } } {
  const at = (start: number, end: number) => ({ startedAt: start, finishedAt: end });
  const labels = { 'org.opencontainers.image.revision': revision };
  const url = `registry.example/org/image2:${revision}`;
  const repository = 'registry.example/org/image1';
  return {
    revision,
    labelPrefix: prefix,
    build: {
      name: 'app-on-push',
      status: 'Succeeded',
      results: {},
      ...at(0, 9000),
      tasks: [
        { name: 'build-image-1', status: 'Succeeded', results: { IMAGE_DIGEST: origin }, ...at(0, 1000) },
        {
          name: 'build-image-2',
          status: 'Succeeded',
          results: { IMAGE_DIGEST: second, IMAGE_URL: url },
          ...at(1000, 2000),
        },
        { name: 'label-image-1', status: 'Succeeded', results: {}, ...at(2000, 3000) },
      ],
    },
    scanner: {
      name: 'metadata-scanner-on-push',
      status: 'Succeeded',
      results: { IMAGE_URL: url, IMAGE_DIGEST: second },
      ...at(10, 5000),
      tasks: [{ name: 'extract-image-2', status: 'Succeeded', results: {}, ...at(100, 3100) }],
    },
    primary: {
      repository,
      origin: { reference: `${repository}@${origin}`, digest: origin, labels, env: {} },
      sealed: {
        reference: `${repository}:${revision}`,
        digest: sealed,
        labels: { ...labels, [`${prefix}.metadata-image.digest`]: second },
        env: {},
      },
      latest: { reference: `${repository}:latest`, digest: sealed, labels, env: {} },
      output: { exitCode: 0, stdout: 'Hello from Image 1!\n', stderr: '', stdoutBytes: new Uint8Array() },
    },
    metadata: {
      repository: 'registry.example/org/image2',
      built: {
        reference: `registry.example/org/image2@${second}`,
        digest: second,
        labels: { ...labels, [`${prefix}.primary-image.digest`]: origin },
        env: { IMAGE1_DIGEST: origin, IMAGE1_URL: `${repository}@${origin}` },
      },
      latest: { reference: 'registry.example/org/image2:latest', digest: second, labels, env: {} },
      output: { exitCode: 0, stdout: `Hello\nImage 1 Digest: ${origin}\n`, stderr: '', stdoutBytes: new Uint8Array() },
    },
    unsealed: { digest: origin, bytesEqual: true },
    proof: [{ id: 'embeds-origin', status: 'passed', text: 'it does' }],
    scans: [{ run: 'app-on-push', task: 'clair-scan', result: 'SKIPPED', note: 'no scanner' }],
  };
}
