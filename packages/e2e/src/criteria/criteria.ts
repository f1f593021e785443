import { type Criterion, criterion, type Evidence, equal, failed, passed, skipped } from './criterion.ts';
import type { ImageView, Observation, ProofCheck, RunFacts, TaskFacts } from './observation.ts';

/** Judges the six success criteria by what was observed. Pure: the same facts give the same verdict on any target. */
export function judge(seen: Observation): readonly Criterion[] {
  return [
    singlePipeline(seen),
    image2EmbedsImage1(seen),
    image1Labelled(seen),
    scannerExtracts(seen),
    scannedAndSigned(seen),
    noManualStep(seen),
  ];
}

function singlePipeline(seen: Observation): Criterion {
  const { build, primary, metadata, revision } = seen;
  const built = ['build-image-1', 'build-image-2'].map((name): Evidence => {
    const digest = result(build, name, 'IMAGE_DIGEST');
    return digest === undefined
      ? failed('built', `${name} in ${build.name}`, 'result IMAGE_DIGEST', describe(task(build, name)))
      : passed('built', `${name} in ${build.name} built ${digest}`);
  });
  return criterion('single-pipeline', 'Single pipeline builds both images atomically', [
    ended(build),
    ...built,
    equal('revision', "Image 1's revision is the commit", revision, revisionOf(primary.sealed)),
    equal('revision', "Image 2's revision is the commit", revision, revisionOf(metadata.built)),
    equal('latest', 'Image 2: latest is the image of this run', metadata.built.digest, metadata.latest.digest),
    equal('latest', 'Image 1: latest is the sealed image of this run', primary.sealed.digest, primary.latest.digest),
    printed('image-1-runs', 'Image 1', primary.output, 'Hello from Image 1!'),
  ]);
}

function image2EmbedsImage1({ build, metadata, primary, labelPrefix }: Observation): Criterion {
  const origin = result(build, 'build-image-1', 'IMAGE_DIGEST');
  const url = origin === undefined ? undefined : `${primary.repository}@${origin}`;
  const label = `${labelPrefix}.primary-image`;
  return criterion('image-2-embeds-image-1', "Image 2 contains Image 1's digest (provable chain)", [
    equal(
      'origin',
      "Image 1's origin is in the registry, and its bytes hash to its digest",
      origin,
      primary.origin.digest,
    ),
    equal('env', "Image 2's environment, IMAGE1_DIGEST", origin, metadata.built.env.IMAGE1_DIGEST || undefined),
    equal('env', "Image 2's environment, IMAGE1_URL", url, metadata.built.env.IMAGE1_URL || undefined),
    equal('label', `Image 2's label ${label}.digest`, origin, metadata.built.labels[`${label}.digest`] || undefined),
    printed('image-2-prints', 'Image 2', metadata.output, `Image 1 Digest: ${origin ?? 'sha256:…'}`),
  ]);
}

function image1Labelled({ build, primary, labelPrefix, unsealed, proof }: Observation): Criterion {
  const image2 = result(build, 'build-image-2', 'IMAGE_DIGEST');
  const label = `${labelPrefix}.metadata-image.digest`;
  const what = `${primary.sealed.reference}, label ${label}`;
  const found = primary.sealed.digest ? primary.sealed.labels[label] : primary.sealed.problem;
  return criterion('image-1-labelled', "Image 1 labeled with Image 2's digest (bidirectional link)", [
    equal('label', what, image2, found),
    'problem' in unsealed
      ? failed(
          'unseal',
          'the seal taken off again',
          `the bytes of ${primary.origin.digest ?? 'the origin'}`,
          unsealed.problem,
        )
      : equal('unseal', 'without its seal, Image 1 is', primary.origin.digest, unsealed.digest),
    ...('problem' in unsealed || unsealed.bytesEqual
      ? []
      : [failed('unseal', 'the bytes without the seal', "the origin's bytes", 'other bytes')]),
    ...('problem' in proof
      ? [failed('proof', 'verification of the chain', 'proof level linked', proof.problem)]
      : proof.filter(({ id }) => !ATTESTED.has(id)).map(proofEvidence)),
  ]);
}

function scannerExtracts({ build, scanner }: Observation): Criterion {
  const apart = Math.abs(scanner.startedAt - build.startedAt);
  const sealed = task(build, 'label-image-1');
  const extracted = task(scanner, 'extract-image-2');
  const waited = sealed?.finishedAt !== undefined && scanner.startedAt < sealed.finishedAt;
  const image = (run: RunFacts, name: string): string | undefined => {
    const value = run.results[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  return criterion('scanner-extracts', 'Scanner extracts Image 2 for separate scanning', [
    ended(scanner),
    passed(
      'same-push',
      `${scanner.name} started ${seconds(apart)} from ${build.name}` +
        (waited ? ', before Image 1 was sealed, and waited for its own revision' : ''),
    ),
    extracted?.status === 'Succeeded'
      ? passed(
          'extract',
          `extract-image-2 answered after ${seconds((extracted.finishedAt ?? 0) - (extracted.startedAt ?? 0))}`,
        )
      : failed('extract', 'extract-image-2', 'Succeeded', describe(extracted)),
    equal(
      'image-digest',
      'pipeline result IMAGE_DIGEST',
      taskResult(build, 'IMAGE_DIGEST'),
      image(scanner, 'IMAGE_DIGEST'),
    ),
    equal('image-url', 'pipeline result IMAGE_URL', taskResult(build, 'IMAGE_URL'), image(scanner, 'IMAGE_URL')),
  ]);
}

function scannedAndSigned({ scans, proof }: Observation): Criterion {
  return criterion('scanned-and-signed', 'Both images scanned and signed by Konflux', [
    ...scans.map(({ run, task, result, note }): Evidence => {
      const text = `${task} in ${run}: ${result}${note ? ` (${note})` : ''}`;
      if (result === 'SUCCESS') return passed('scan', text);
      return result === 'SKIPPED' ? skipped('scan', text) : failed('scan', text, 'SUCCESS', result);
    }),
    ...('problem' in proof ? [] : proof.filter(({ id }) => ATTESTED.has(id)).map(proofEvidence)),
    skipped('signatures', "signing is Tekton Chains' work on a cluster: nothing on this machine stands in for it"),
  ]);
}

function noManualStep({ build, scanner }: Observation): Criterion {
  const took = Math.max(build.finishedAt, scanner.finishedAt) - Math.min(build.startedAt, scanner.startedAt);
  return criterion('no-manual-step', 'No manual intervention required', [
    ...[build, scanner].map(ended),
    passed(
      'unattended',
      `from the commit to both results in ${seconds(took)}; nothing was asked and nothing was read from a terminal`,
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

function printed(check: string, name: string, output: Observation['primary']['output'], line: string): Evidence {
  if (output.exitCode === 0 && output.stdout.split('\n').includes(line)) {
    return passed(check, `podman run of ${name} printed "${line}"`);
  }
  const said = (output.stdout + output.stderr).trim().split('\n').slice(-4).join('\n');
  return failed(check, `podman run of ${name}`, `"${line}" and exit code 0`, `${said} (exit code ${output.exitCode})`);
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

function result(run: RunFacts, taskName: string, name: string): string | undefined {
  const value = task(run, taskName)?.results[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function taskResult(build: RunFacts, name: string): string | undefined {
  return result(build, 'build-image-2', name);
}

function revisionOf(image: ImageView): string | undefined {
  return image.digest === undefined ? image.problem : image.labels['org.opencontainers.image.revision'];
}

/** Milliseconds as seconds for people. */
export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
