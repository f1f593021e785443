import { type Criterion, criterion, type Evidence, equal, failed, passed, skipped } from './criterion.ts';
import type { ImageView, Observation, ObservedImage, ProofCheck, RunFacts, TaskFacts } from './observation.ts';
import { platformEvidence } from './platforms.ts';

/**
 * Judges the six success criteria by what was observed, for a chain of any number of images. Pure: the same facts give
 * the same verdict on any target.
 */
export function judge(seen: Observation): readonly Criterion[] {
  return [
    singlePipeline(seen),
    embedding(seen),
    sealing(seen),
    scannerExtracts(seen),
    scannedAndSigned(seen),
    noManualStep(seen),
  ];
}

function singlePipeline({ build, images, revision }: Observation): Criterion {
  return criterion('single-pipeline', 'Single pipeline builds both images atomically', [
    ended(build),
    ...images.map(({ name }): Evidence => {
      const digest = builtDigest(build, name);
      return digest === undefined
        ? failed(
            'built',
            `build-${name} in ${build.name}`,
            'result IMAGE_DIGEST',
            describe(task(build, `build-${name}`)),
          )
        : passed('built', `build-${name} in ${build.name} built ${digest}`);
    }),
    ...images.map((image) =>
      equal('revision', `${title(image)}: its revision is the commit`, revision, revisionOf(image.origin)),
    ),
    ...images.map((image) =>
      equal('latest', `${title(image)}: latest is the image of this run`, image.published.digest, image.latest.digest),
    ),
    ...images.flatMap((image) => platformEvidence(title(image), image.published)),
    ...images.filter((image) => image.embeds.length === 0).flatMap((image) => ran(image)),
  ]);
}

function embedding({ build, images, labelPrefix }: Observation): Criterion {
  const evidence = images.flatMap((image) =>
    image.embeds.flatMap((role): Evidence[] => {
      const embedded = byRole(images, role);
      const digest = builtDigest(build, embedded.name);
      const url = digest === undefined ? undefined : `${embedded.repository}@${digest}`;
      const label = `${labelPrefix}.${role}-image.digest`;
      const variable = embedded.argumentPrefix;
      const [who, whom] = [title(image), title(embedded)];
      const { env, labels } = image.origin;
      return [
        equal(
          'origin',
          `${whom} as built is in the registry, and its bytes hash to its digest`,
          digest,
          embedded.origin.digest,
        ),
        equal('env', `${who}: environment, ${variable}_DIGEST`, digest, env[`${variable}_DIGEST`] || undefined),
        equal('env', `${who}: environment, ${variable}_URL`, url, env[`${variable}_URL`] || undefined),
        equal('label', `${who}: label ${label}`, digest, labels[label] || undefined),
        ...ran(image, digest ?? 'sha256:…'),
      ];
    }),
  );
  return criterion('image-2-embeds-image-1', "Image 2 contains Image 1's digest (provable chain)", evidence);
}

function sealing(seen: Observation): Criterion {
  const evidence = seen.images
    .filter((image) => image.embeddedBy.length > 0)
    .flatMap((image): Evidence[] => [
      ...(seen.seal === 'label' ? labelled(image, seen) : unchanged(image)),
      ...(image.proof === undefined || 'problem' in image.proof
        ? [
            failed(
              'proof',
              'verification of the chain',
              'proof level linked',
              image.proof?.problem ?? 'it was not verified',
            ),
          ]
        : image.proof.filter(({ id }) => !ATTESTED.has(id)).map(proofEvidence)),
    ]);
  return criterion('image-1-labelled', "Image 1 labeled with Image 2's digest (bidirectional link)", evidence);
}

function labelled(image: ObservedImage, { images, labelPrefix }: Observation): Evidence[] {
  const { published, origin, unsealed = { problem: 'it was not looked at' } } = image;
  const labels = image.embeddedBy.map((role): Evidence => {
    const label = `${labelPrefix}.${role}-image.digest`;
    const found = published.digest === undefined ? published.problem : published.labels[label];
    return equal('label', `${published.reference}, label ${label}`, byRole(images, role).published.digest, found);
  });
  if ('problem' in unsealed) {
    const expected = `the bytes of ${origin.digest ?? 'the origin'}`;
    return [...labels, failed('unseal', 'the seal taken off again', expected, unsealed.problem)];
  }
  return [
    ...labels,
    equal('unseal', `${title(image)} without its seal is`, origin.digest, unsealed.digest),
    ...(unsealed.bytesEqual
      ? []
      : [failed('unseal', 'the bytes without the seal', "the origin's bytes", 'other bytes')]),
  ];
}

/** Linked by the chain statement alone: what is published is what was built. */
function unchanged(image: ObservedImage): Evidence[] {
  return [
    equal('unchanged', `${title(image)}: published as it was built`, image.origin.digest, image.published.digest),
  ];
}

function scannerExtracts({ build, scanners, images, revision }: Observation): Criterion {
  const evidence = scanners.flatMap(({ role, run }): Evidence[] => {
    const image = byRole(images, role);
    const apart = Math.abs(run.startedAt - build.startedAt);
    const extract = task(run, `extract-${image.name}`);
    const sealed = image.embeds.map((embedded) => task(build, `label-${byRole(images, embedded).name}`)?.finishedAt);
    const waited = sealed.some((time) => time !== undefined && run.startedAt < time);
    const took = seconds((extract?.finishedAt ?? 0) - (extract?.startedAt ?? 0));
    const text = (name: string): string | undefined => textOf(run.results[name]);
    return [
      ended(run),
      passed(
        'same-push',
        `${run.name} started ${seconds(apart)} from ${build.name}` +
          (waited ? ', before the image was sealed, and waited for its own revision' : ''),
      ),
      extract?.status === 'Succeeded'
        ? passed('extract', `extract-${image.name} answered after ${took}`)
        : failed('extract', `extract-${image.name}`, 'Succeeded', describe(extract)),
      equal('image-digest', 'pipeline result IMAGE_DIGEST', image.published.digest, text('IMAGE_DIGEST')),
      equal('image-url', 'pipeline result IMAGE_URL', `${image.repository}:${revision}`, text('IMAGE_URL')),
    ];
  });
  return criterion('scanner-extracts', 'Scanner extracts Image 2 for separate scanning', evidence);
}

function scannedAndSigned({ scans, images, signer }: Observation): Criterion {
  const checks = images.flatMap(({ proof }) => (proof === undefined || 'problem' in proof ? [] : proof));
  return criterion('scanned-and-signed', 'Both images scanned and signed by Konflux', [
    ...scans.map(({ run, task, result, note }): Evidence => {
      const text = `${task} in ${run}: ${result}${note ? ` (${note})` : ''}`;
      if (result === 'SUCCESS') return passed('scan', text);
      return result === 'SKIPPED' ? skipped('scan', text) : failed('scan', text, 'SUCCESS', result);
    }),
    ...checks.filter(({ id }) => ATTESTED.has(id)).map(proofEvidence),
    ...(checks.some(({ id }) => ATTESTED.has(id)) ? [] : [skipped('signatures', 'no signature was looked at')]),
    ...(signer === 'chains'
      ? []
      : [
          skipped(
            'signer',
            'signed here by a stand-in, with a key of this run: the key of Tekton Chains is only in a cluster',
          ),
        ]),
  ]);
}

function noManualStep({ build, scanners }: Observation): Criterion {
  const runs = [build, ...scanners.map(({ run }) => run)];
  const took = Math.max(...runs.map((run) => run.finishedAt)) - Math.min(...runs.map((run) => run.startedAt));
  return criterion('no-manual-step', 'No manual intervention required', [
    ...runs.map(ended),
    passed(
      'unattended',
      `from the commit to all results in ${seconds(took)}; nothing was asked and nothing was read from a terminal`,
    ),
  ]);
}

/** The verifier's checks of level attested: what the build system's signatures prove. */
const ATTESTED: ReadonlySet<string> = new Set(['signature', 'provenance', 'build-args']);

// Pieces of evidence.

function ended(run: RunFacts): Evidence {
  if (run.status === 'Succeeded') {
    return passed('run', `PipelineRun ${run.name} succeeded in ${seconds(run.finishedAt - run.startedAt)}`);
  }
  const culprit = run.tasks.find((entry) => entry.status === 'Failed');
  const found = [run.status, culprit ? describe(culprit) : run.message].filter(Boolean).join(': ');
  return failed('run', `PipelineRun ${run.name}`, 'Succeeded', found);
}

/** That the image's program ended well, and printed a digest that is baked in. */
function ran(image: ObservedImage, digest?: string): Evidence[] {
  if (image.output === undefined) return [];
  const { exitCode, stdout, stderr } = image.output;
  const lines = stdout.split('\n');
  const line = digest === undefined ? lines[0] : lines.find((text) => text.includes(digest) && !text.includes('@'));
  if (exitCode === 0 && line) return [passed('runs', `podman run of ${title(image)} printed "${line}"`)];
  const said = (stdout + stderr).trim().split('\n').slice(-4).join('\n');
  const expected = digest === undefined ? 'exit code 0' : `a line with ${digest}, and exit code 0`;
  return [failed('runs', `podman run of ${title(image)}`, expected, `${said} (exit code ${exitCode})`)];
}

function proofEvidence({ id, status, text, expected, found }: ProofCheck): Evidence {
  const evidence: Evidence = { check: `proof/${id}`, status, text: `${id}: ${text}` };
  return status === 'failed'
    ? { ...evidence, expected: expected ?? 'the check to pass', found: found ?? text }
    : evidence;
}

function describe(facts: TaskFacts | undefined): string {
  if (facts === undefined) return 'no such task in the run';
  const lines = [`${facts.name} ${facts.status}`, facts.message, ...(facts.logTail ?? [])];
  return lines.filter(Boolean).join('\n');
}

function task(run: RunFacts, name: string): TaskFacts | undefined {
  return run.tasks.find((entry) => entry.name === name);
}

/** The digest that the task which built an image reported. */
export function builtDigest(run: RunFacts, imageName: string): string | undefined {
  return textOf(task(run, `build-${imageName}`)?.results.IMAGE_DIGEST);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function byRole(images: readonly ObservedImage[], role: string): ObservedImage {
  const image = images.find((entry) => entry.role === role);
  if (image === undefined) throw new RangeError(`no image with the role ${role} was observed`);
  return image;
}

/** `image-1` as people say it: `Image 1`. */
export function title({ name }: Pick<ObservedImage, 'name'>): string {
  return name.replace(/^image-(?=\d+$)/, 'Image ');
}

function revisionOf(image: ImageView): string | undefined {
  return image.digest === undefined ? image.problem : image.labels['org.opencontainers.image.revision'];
}

/** Milliseconds as seconds for people. */
export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
