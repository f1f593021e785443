import type { Report, Target } from './report.ts';

/** What was looked at, in words. */
export const TARGETS: Readonly<Record<Target, string>> = {
  local: 'this machine',
  tenant: 'a Konflux tenant',
  tekton: 'a cluster with Tekton, without Konflux',
  published: 'what is published; nothing was built',
};

const SIGNERS: Readonly<Record<Target, string>> = {
  local: 'a stand-in for the build system (its key is of this run)',
  tenant: 'Tekton Chains',
  tekton: 'Tekton Chains',
  published: 'whoever has the private key to the one that was given',
};

/** What the proof level means, in words; on this machine a stand-in signed. */
export function levelText({ level, target, publicKeys, signer }: Report): string {
  if (level === 'none') return 'a check of the links or of the signatures failed, or could not be made';
  if (level === 'linked') {
    const rest =
      publicKeys.length === 0 && signer === undefined
        ? 'no key was given to check signatures with'
        : 'what the key was to prove was not proved';
    return `the images name each other by digest, and their bytes hash to it; ${rest}`;
  }
  const by = SIGNERS[target];
  return `the images name each other by digest, their bytes hash to it, and ${by} signed that one run built them so`;
}

/** In place of a repository that is not known. */
export const NO_PLACE = 'place unknown: statements disagree';

/** When it was made, for people: `2026-11-29 16:40 UTC`. */
export function whenOf({ date }: Pick<Report, 'date'>): string {
  return `${date.slice(0, 16).replace('T', ' ')} UTC`;
}

/** At a glance: what stood in for something else, and what was left out. Nothing where all was the real thing. */
export function standInsOf({ baseImage, signedBy, criteria, external = [], target }: Report): string[] {
  const evidence = criteria.flatMap((entry) => entry.evidence);
  // What never came to run is not left out: the run ended before it.
  const scans = evidence.filter(({ check, text }) => check === 'scan' && text.includes(': SKIPPED')).length;
  const notRun = evidence.filter(({ check }) => check === 'not-run').length;
  const { pinned = [], used = '' } = baseImage ?? {};
  return [
    ...(pinned.length > 0 && used !== pinned.join(', ') ? ["the base image is this machine's Node"] : []),
    ...external.filter(({ standIn }) => standIn).map(({ role, note }) => `${role} is ${note}`),
    ...(signedBy === 'stand-in' ? ['a key of this run signed, in place of Tekton Chains'] : []),
    ...(signedBy === 'none' ? ['nobody signed'] : []),
    ...(scans > 0 && target !== 'published' ? [`${scans} ${scans === 1 ? 'scan was' : 'scans were'} skipped`] : []),
    ...(notRun > 0 ? [`${notRun} ${notRun === 1 ? 'image was' : 'images were'} not run`] : []),
  ];
}
