import { isPruned, runsOf } from './chain-view.ts';
import { type Evidence, failed, passed, skipped } from './criterion.ts';
import type { Observation, RunFacts } from './observation.ts';
import { ATTESTED, proofChecks } from './proof-evidence.ts';
import { nameOf } from './sealing.ts';

/** What the check tasks said of each image, and what the build system's signatures prove. */
export function scannedAndSigned(seen: Observation): Evidence[] {
  const signatures = proofChecks(
    seen.images,
    (id) => ATTESTED.has(id),
    (role) => nameOf(seen, role),
  );
  return [
    ...seen.scans.map(({ run, task, result, note }): Evidence => {
      const text = `${task} in ${run}: ${result}${note ? ` (${note})` : ''}`;
      if (result === 'SUCCESS') return passed('scan', text);
      return result === 'SKIPPED' ? skipped('scan', text) : failed('scan', text, 'SUCCESS', result);
    }),
    ...(seen.scans.length > 0 ? [] : [skipped('scan', noScans(seen))]),
    ...signatures,
    ...(signatures.length > 0 ? [] : [skipped('signatures', 'no signature was looked at')]),
    ...(signatures.length > 0 || seen.signer === 'none' ? SIGNERS[seen.signer] : []),
  ];
}

function noScans(seen: Observation): string {
  return runsOf(seen).some(({ tasks }) => tasks.some(isPruned))
    ? 'what check tasks said is not known: their TaskRuns are gone'
    : 'no check task ran in these pipelines';
}

/** Whose signatures these are. */
const SIGNERS: Readonly<Record<Observation['signer'], readonly Evidence[]>> = {
  chains: [],
  'stand-in': [
    passed(
      'signer',
      'a stand-in for Tekton Chains signed, with a key of this run that nobody else trusts: the key of Chains is in a cluster alone',
    ),
  ],
  none: [
    skipped('signer', 'no build system signed: there is no Tekton Chains in the cluster, or no key of it was given'),
  ],
};

/** What Konflux' check tasks said: their result TEST_OUTPUT is JSON with `result` and, as the reason, `note`. */
export function scansOf(run: RunFacts): Observation['scans'] {
  return run.tasks.flatMap(({ name, results }) => {
    if (typeof results.TEST_OUTPUT !== 'string') return [];
    try {
      const { result, note } = JSON.parse(results.TEST_OUTPUT);
      return [{ run: run.name, task: name, result: String(result), note: String(note ?? '') }];
    } catch {
      return [{ run: run.name, task: name, result: 'ERROR', note: 'its TEST_OUTPUT is not JSON' }];
    }
  });
}
