import { createHash, generateKeyPairSync } from 'node:crypto';
import { parsePublicKeys } from '@multi-image/digest-chain';
import { judge } from '../judge/criteria.ts';
import type { Observation } from '../judge/observation.ts';
import type { Report } from '../report/report.ts';
import { reportOf } from '../report/report-of.ts';
import { second, wellDone } from './observation.ts';

/** The report of what was seen, as a run on this machine writes it. */
export function reportFor(seen: Observation, more: Partial<Report> = {}): Report {
  const { publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return {
    version: 1,
    target: 'local',
    ...reportOf(seen, judge(seen), parsePublicKeys(publicKey), {
      chain: { application: 'chain', gitUrl: 'https://git.example/org/chain' },
    }),
    uncommitted: [],
    baseImage: { pinned: [], used: 'base', note: 'a base' },
    byHand: { podmanArguments: ['--runtime', 'runc'] },
    duration: 12_345,
    ...more,
  };
}

/** What a run sees that the build system signed. */
export function attested(): ReturnType<typeof wellDone> {
  const seen = wellDone();
  const passed = (id: string, role: string | undefined, evidence: string) =>
    ({ id, role, status: 'passed', evidence }) as const;
  const by = 'signed by ECDSA P-256 sha256:1c3bc7b5c88c';
  seen.primary.proof = [
    ...(Array.isArray(seen.primary.proof) ? seen.primary.proof : []),
    passed('signature', 'primary', `${by} (sha256-2222.sig); no transparency log was checked`),
    passed('signature', 'metadata', `${by} (sha256-3333.sig); no transparency log was checked`),
    passed('provenance', undefined, `PipelineRun 7d8f has all images; ${by}`),
    passed('builder', undefined, 'https://tekton.dev/chains/v2, as tekton.dev/v1/PipelineRun'),
    passed('source', undefined, 'built from https://github.com/acme/chain at c0ffee'),
    passed('built-by', 'primary', 'built by task build-image-1'),
    passed('built-by', 'metadata', 'built by task build-image-2'),
    passed('build-args', 'metadata', 'task build-image-2 was called with IMAGE1_DIGEST'),
  ];
  return seen;
}

/** A chain of three, each embedding the one before, of which the last embeds the first as well. */
export function chainOfThree(): Observation {
  const seen = attested();
  const digest = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;
  const catalog = {
    ...seen.metadata.published,
    reference: 'registry.example/org/catalog:1',
    digest: digest('catalog'),
  };
  const { output: _, ...metadata } = seen.metadata;
  const sealed = { ...seen.metadata.published, digest: digest('sealed') };
  return {
    ...seen,
    images: [
      { ...seen.primary, name: 'operator', role: 'operator', embeddedBy: ['bundle', 'catalog'] },
      {
        ...metadata,
        name: 'bundle',
        role: 'bundle',
        embeds: ['operator'],
        embeddedBy: ['catalog'],
        published: sealed,
        origin: { ...seen.metadata.origin, digest: second },
        unsealed: { digest: second, bytesEqual: true },
      },
      {
        ...metadata,
        name: 'catalog',
        role: 'catalog',
        repository: 'registry.example/org/catalog',
        embeds: ['operator', 'bundle'],
        origin: catalog,
        published: catalog,
        latest: catalog,
      },
    ],
    scanners: [],
  };
}

/** A chain of this many images, of which each embeds the one before. */
export function chainOfMany(count: number): Observation {
  const seen = attested();
  const digest = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;
  const { output: _, proof, unsealed: __, ...plain } = seen.metadata;
  const images = Array.from({ length: count }, (_, index): Observation['images'][number] => {
    const repository = `registry.example/organisation/image-number-${index + 1}`;
    const built = digest(`built ${index}`);
    const isLast = index === count - 1;
    const [before, next] = [`role-${index - 1}`, `role-${index + 1}`];
    const sealed = isLast ? built : digest(`sealed ${index}`);
    const labels = {
      'org.opencontainers.image.revision': seen.revision,
      ...(index > 0 ? { [seen.labelNames.digestOf(before)]: digest(`built ${index - 1}`) } : {}),
      ...(isLast
        ? {}
        : {
            [seen.labelNames.digestOf(next)]:
              index + 1 === count - 1 ? digest(`built ${index + 1}`) : digest(`sealed ${index + 1}`),
          }),
      ...(isLast ? {} : { [seen.labelNames.sealedFrom]: built }),
    };
    const env: Record<string, string> =
      index > 0
        ? {
            [`IMAGE${index}_DIGEST`]: digest(`built ${index - 1}`),
            [`IMAGE${index}_URL`]: `registry.example/organisation/image-number-${index}@${digest(`built ${index - 1}`)}`,
          }
        : {};
    const view = (tag: string, of: string) => ({ reference: `${repository}:${tag}`, digest: of, labels, env });
    return {
      ...plain,
      role: `role-${index}`,
      name: `image-${index + 1}`,
      argumentPrefix: `IMAGE${index + 1}`,
      repository,
      embeds: index > 0 ? [before] : [],
      embeddedBy: isLast ? [] : [next],
      origin: view('origin', built),
      published: view(seen.revision, sealed),
      latest: view('latest', sealed),
      proof: index === 0 ? seen.primary.proof : undefined,
      unsealed: isLast ? undefined : { digest: built, bytesEqual: true },
    };
  });
  const tasks = images.map((image, index) => ({
    name: `build-${image.name}`,
    status: 'Succeeded',
    results: { IMAGE_DIGEST: image.origin.digest ?? '' },
    buildArgs: Object.entries(image.origin.env).map((pair) => pair.join('=')),
    startedAt: index * 1000,
    finishedAt: index * 1000 + 900,
  }));
  return { ...seen, images, build: { ...seen.build, tasks, finishedAt: count * 1000 }, scanners: [] };
}
