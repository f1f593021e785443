import type { CodedError } from '../../../kit/src/errors.ts';
import { normalGitUrl } from '../attestation/git-source.ts';
import { isPushEvent, MERGE_QUEUE } from '../attestation/run-event.ts';
import { isFinding } from '../check.ts';
import { DigestChainError } from '../errors.ts';
import type { Registry } from '../registry/registry.ts';
import { type ProveOptions, proveTogether } from './prove.ts';
import { type Components, readEntries, readExternal, type SnapshotEntry } from './read.ts';
import { type TestOutput, testOutput } from './test-output.ts';

/** What an integration test is told of the Snapshot that it tests: labels of its pod say the rest. */
export interface TestedSnapshot {
  /** As {@link parseSnapshotSpec} reads it. */
  readonly spec: unknown;
  /** The component whose build it was made from. */
  readonly built?: string | undefined;
  /** `component`, `group` or `override`; none where somebody else made it. */
  readonly type?: string | undefined;
  /** The event of the build, as Pipelines as Code calls it. */
  readonly event?: string | undefined;
  readonly pullRequest?: string | undefined;
  /** The chain that the build belongs to. */
  readonly chain?: string | undefined;
}

export interface JudgeOptions extends Omit<ProveOptions, 'revision' | 'source' | 'allowPullRequest'> {
  readonly components: Components;
  /** Those of images that were built elsewhere: what is released has them as the chain was built with them. */
  readonly external?: Components | undefined;
  /** The repository that pushes are built from; of a pull request it is what the Snapshot names. */
  readonly gitUrl: string;
  /** What is released of a push: see the config's `release`. */
  readonly release: 'chain' | 'components';
}

/**
 * What an integration test says of a Snapshot: whether every image of the chain in it is of one build that is proved. Of a
 * Snapshot that is not released (a component's own, or one of a pull request) only the image that was built is looked at:
 * the others are there as they were last promoted. What is wrong is an outcome; throws where nothing could be judged.
 */
export async function judgeSnapshot(
  client: Registry,
  tested: TestedSnapshot,
  options: JudgeOptions,
): Promise<TestOutput> {
  try {
    return await judge(client, tested, options);
  } catch (error) {
    if (isFinding(error)) return testOutput('FAILURE', describe(error));
    throw error;
  }
}

/** An error as one line of a report. */
export function describe({ code, message, expected, found }: CodedError): string {
  const facts = [expected && `expected ${expected}`, found && `found ${found}`].filter(Boolean).join('; ');
  return `${code}: ${message}${facts === '' ? '' : ` (${facts})`}`;
}

async function judge(client: Registry, tested: TestedSnapshot, options: JudgeOptions): Promise<TestOutput> {
  const { components, external, gitUrl, release, ...demands } = options;
  const { built, chain, spec, type } = tested;
  const isPull = isPullRequest(tested);
  const isOwn = [...components.values()].some((component) => component !== undefined && component === built);
  const isHeld = type === 'component' && (isPull || (release === 'chain' && (isOwn || chain !== undefined)));
  if (isHeld && !isOwn) return testOutput('SKIPPED', `the Snapshot of ${built} is not released, and not of this chain`);
  const judged = isHeld ? new Map([...components].filter(([, component]) => component === built)) : components;
  const entries = readEntries(spec, judged);
  if (entries.length === 0) return testOutput('SKIPPED', 'the Snapshot has no image of this chain');
  const elsewhere = isHeld ? [] : readExternal(spec, external);
  if (!isHeld) checkComplete([...entries, ...elsewhere], new Map([...components, ...(external ?? [])]));
  for (const { component, url } of entries) if (!isPull) checkSource(component, url, gitUrl);
  const isSigned = (options.keys ?? []).length + (options.identities ?? []).length > 0;
  const source = isPull ? entries[0]?.url : gitUrl;
  const { level, images, revision } = await proveTogether(client, [...entries, ...elsewhere], {
    ...demands,
    starts: isHeld ? [] : options.starts,
    // From there the proof may not lead to what has the files.
    files: isHeld ? [] : options.files,
    source: isSigned ? source : undefined,
    branch: isPull ? undefined : demands.branch,
    allowPullRequest: isSigned && isPull,
  });
  const proved = level === 'attested' ? 'attested by the build system' : 'linked (no public key says who built it)';
  const held = isHeld ? `; this Snapshot is not released, and its other images are not looked at` : '';
  const note = `the chain of ${images.length} images of ${revision} is ${proved}${held}`;
  return testOutput('SUCCESS', note, level === 'attested' ? 0 : 1);
}

/**
 * Whether the build was one of a pull request or a merge request, by what Pipelines as Code says of it, as the integration
 * service does: a push has a number, too, where it merged one; a group's Snapshot has none, and is always of them.
 */
export function isPullRequest({
  type,
  event = '',
  pullRequest,
  branch = '',
}: Pick<TestedSnapshot, 'type' | 'event' | 'pullRequest'> & { readonly branch?: string | undefined }): boolean {
  if (type === 'group' || MERGE_QUEUE.test(branch)) return true;
  return !isPushEvent(event) && (pullRequest !== undefined || /^(?:pull|merge).request$/i.test(event));
}

function checkComplete(entries: readonly SnapshotEntry[], components: Components): void {
  const wanted = [...components.values()].filter((component) => component !== undefined);
  const missing = wanted.filter((component) => !entries.some((entry) => entry.component === component));
  if (missing.length === 0) return;
  throw new DigestChainError('SNAPSHOT_INCOMPLETE', `the Snapshot has a part of the chain: no ${missing.join(', ')}`, {
    expected: `${wanted.join(', ')}: they are only right together`,
    found: entries.map(({ component }) => component).join(', '),
  });
}

function checkSource(component: string, url: string, gitUrl: string): void {
  // Forges take any case for a name, and integration services write it as it was in the event.
  if (normalGitUrl(url).toLowerCase() === normalGitUrl(gitUrl).toLowerCase()) return;
  throw new DigestChainError('SNAPSHOT_MIXED', `${component} was built from another repository`, {
    expected: gitUrl,
    found: url,
  });
}
