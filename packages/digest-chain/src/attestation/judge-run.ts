import { isCommit } from '../../../kit/src/git-commit.ts';
import { type Check, type CheckId, runCheck, skipped } from '../check.ts';
import type { Digest } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import type { AttestedImage } from './attested-image.ts';
import { judgeArguments } from './build-arguments.ts';
import { CHAINS_BUILDER, isAllowedTask, knowsBuildType } from './builders.ts';
import { describeDefinition } from './definition.ts';
import type { FoundClaim } from './evidence.ts';
import { describeSource, normalGitUrl, UNASKED } from './git-source.ts';
import type { Provenance, ProvenanceTask } from './provenance.ts';
import { branchOf, commitOf, isSameBranch, mayBeTag, pullRequestOf } from './run-event.ts';
import { textsOf, type Values } from './type-hints.ts';

/** What a caller may demand of the run that built a chain. */
export interface RunDemands {
  /**
   * The git repository that the build system must have signed it was built from (`https://github.com/org/repo`); how it is
   * written does not matter, which one it is does. Without it level `attested` says from where, and that nobody asked.
   */
  readonly source?: string | undefined;
  /**
   * The branch that the build system must have signed it was pushed to (`main`), as Pipelines as Code annotates a run; of a
   * pull request the one that it is to be merged into. Who may push to another branch has his commits signed, too.
   */
  readonly branch?: string | undefined;
  /** The ids of builders (SLSA `builder.id`) that may have built it; that of Tekton Chains by default. */
  readonly builders?: readonly string[] | undefined;
  /**
   * Bundles that the tasks which build and clone must come from, as `oci://quay.io/konflux-ci/tekton-catalog/*`: `*` is any
   * part of a path segment. Any task may build, where there are none.
   */
  readonly builderTasks?: readonly string[] | undefined;
  /** Whether a run of a pull request counts; it does not by default. */
  readonly allowPullRequest?: boolean | undefined;
}

/** All that is demanded of it. */
export interface Demands {
  readonly source: string | undefined;
  readonly branch: string | undefined;
  readonly builders: readonly string[];
  readonly builderTasks: readonly string[];
  readonly allowPullRequest: boolean;
  /** The commit that the images' labels name. */
  readonly revision: string | undefined;
}

export function demandsOf(
  { source, branch, builders = [CHAINS_BUILDER], builderTasks = [], allowPullRequest = false }: RunDemands,
  revision: string | undefined,
): Demands {
  return { source, branch, builders, builderTasks, allowPullRequest, revision };
}

/** A PipelineRun as a signed document tells it. */
export interface Run {
  readonly claim: FoundClaim;
  readonly provenance: Provenance;
  /** Its own tasks; of a run whose document lists none, those of its TaskRuns' documents. */
  readonly tasks: readonly BuiltTask[];
}

/**
 * Whether a run's own document leaves out its tasks (SLSA v1 with Chains' plain build type). What its TaskRuns' documents
 * say instead can be any part of the whole, as whoever may push or answers for the registry likes: so of these one that
 * passes is enough, whereas of the tasks that one document lists all count.
 */
export function isSilent({ provenance }: Pick<Run, 'provenance'>): boolean {
  return provenance.tasks.length === 0;
}

/** A task that may have built images. */
export interface BuiltTask extends ProvenanceTask {
  readonly outputs: ReadonlySet<Digest>;
}

/** The digests that one run has to know: of every image as it is published, and as it was built. */
export function digestsOf(images: readonly AttestedImage[]): ReadonlySet<Digest> {
  return new Set(images.flatMap(({ manifest, origin }) => [manifest.digest, origin]));
}

/** Those of them that are neither among the run's subjects nor among what its Succeeded tasks returned. */
export function unknownTo({ claim, tasks }: Run, digests: ReadonlySet<Digest>): readonly Digest[] {
  const known = (digest: Digest): boolean =>
    claim.subjects.has(digest) || tasks.some((task) => succeeded(task) && task.outputs.has(digest));
  return [...digests].filter((digest) => !known(digest));
}

/**
 * What one run's provenance says about a whole chain: that an allowed builder signed it (`builder`), what it was built
 * from (`source`), which tasks built each image (`built-by`), and what those that built an image which embeds others were
 * called with (`build-args`). One document, since each of two may be true of another chain.
 */
export async function judgeRun(
  run: Run,
  images: readonly AttestedImage[],
  demands: Demands,
): Promise<readonly Check[]> {
  const builder = await runCheck({ id: 'builder' }, () => judgeBuilder(run, demands));
  if (run.tasks.length === 0) return [builder.check, await judgeSource(run, [], demands), ...silent(run, images)];
  const built = await Promise.all(
    images.map((image) =>
      runCheck({ id: 'built-by', role: image.role }, () =>
        image.external ? judgeExternal(run, image) : judgeBuild(run, image, demands),
      ),
    ),
  );
  const makers = built.flatMap(({ value = [] }) => value.flat());
  const checks = images.flatMap((image, at) =>
    image.embeds.map(async (edge) => {
      const about = { id: 'build-args', role: image.role } as const;
      const tasks = built[at]?.value;
      if (tasks === undefined) return skipped(about, 'needs built-by, which failed');
      return (await runCheck(about, () => judgeEdge(run, tasks, edge))).check;
    }),
  );
  const source = await judgeSource(run, makers, demands);
  const ofTasks = [...built.map(({ check }) => check), ...(await Promise.all(checks))];
  return [builder.check, source, ...(isSilent(run) ? ofTasks.map(unproved) : ofTasks)];
}

/** What some TaskRuns' documents do not show, others may: as long as these are missing nothing is contradicted. */
function unproved(check: Check): Check {
  if (check.status !== 'failed') return check;
  return { ...check, status: 'skipped', evidence: `not shown by the TaskRuns’ documents: ${check.evidence}` };
}

/** SLSA v1 with Chains' plain build type: nothing tells what tasks did, and what is not told is not proved. */
function silent({ provenance }: Run, images: readonly AttestedImage[]): readonly Check[] {
  const reason = `the provenance does not say how tasks were called (${provenance.buildType})`;
  const about = (id: CheckId, image: AttestedImage) => ({ id, role: image.role });
  return [
    ...images.map((image) => skipped(about('built-by', image), reason)),
    ...images.flatMap((image) => image.embeds.map(() => skipped(about('build-args', image), reason))),
  ];
}

/** Who may say all that follows: the key alone does not tell the build system from what else signs with it. */
function judgeBuilder({ provenance }: Run, { builders }: Demands): { evidence: string; value: undefined } {
  const { builder = 'none', buildType } = provenance;
  if (!builders.includes(builder)) {
    throw new DigestChainError('PROVENANCE_MISMATCH', 'the provenance is of another builder', {
      expected: builders.join(' or '),
      found: builder.slice(0, 300),
      hint: 'a builder that may be trusted with this key is named with --builder-id',
    });
  }
  if (!knowsBuildType(provenance)) {
    throw new DigestChainError('PROVENANCE_MISMATCH', 'the provenance has a build type that is not of Tekton Chains', {
      expected: 'a type of which is known what its members mean',
      found: buildType.slice(0, 300) || 'none',
    });
  }
  return { evidence: `${builder}, as ${buildType}`, value: undefined };
}

/** The tasks that built each image of what was built: the origin's only image, or those of its index. */
function judgeBuild(
  run: Run,
  { built }: AttestedImage,
  { builderTasks }: Demands,
): { evidence: string; value: readonly (readonly BuiltTask[])[] } {
  const value = built.map(({ digest }) => {
    const makers = makersOf(run.tasks, digest);
    if (makers.length === 0) throw builtByNobody(run.tasks, digest);
    const allowed = makers.filter(({ definition }) => isAllowedTask(definition, builderTasks));
    const stranger = makers.find((task) => !allowed.includes(task));
    if (stranger !== undefined && (allowed.length === 0 || !isSilent(run))) {
      throw notAllowed(stranger, builderTasks, 'the image was built by another task');
    }
    return allowed;
  });
  const all = [...new Set(value.flat())];
  return { evidence: `built by ${all.map(describeTask).join(' and ')}`, value };
}

/**
 * An image that was built elsewhere came in by a task which returned its digest, and is none that this run built: who
 * calls it external must not spare it what is asked of those.
 */
function judgeExternal(
  { tasks }: Run,
  { origin }: AttestedImage,
): { evidence: string; value: readonly (readonly BuiltTask[])[] } {
  const [maker] = makersOf(tasks, origin);
  if (maker !== undefined) {
    throw new DigestChainError('PROVENANCE_MISMATCH', 'an image that the run built is called external', {
      expected: 'an image that was built elsewhere',
      found: `built by ${describeTask(maker)}`,
    });
  }
  const giver = tasks.find(
    (task) => succeeded(task) && [...task.results.values()].some((value) => textsOf(value).includes(origin)),
  );
  if (giver === undefined) {
    throw new DigestChainError(
      'PROVENANCE_MISMATCH',
      'no Succeeded task of the run says where an external image is from',
      {
        expected: `a task with the result DIGEST = ${origin}`,
        found: tasks
          .map((task) => task.name)
          .join(', ')
          .slice(0, 500),
        hint: 'digest-chain resolve, in a task of the pipeline, returns it',
      },
    );
  }
  return { evidence: `built elsewhere, and taken as ${describeTask(giver)} found it`, value: [] };
}

/**
 * The Succeeded tasks that made an image, as opposed to those that pass it on (an index, a scanner, a check): who makes an
 * image can't be called with its digest. All of them count: which one is to be believed would be somebody's choice.
 */
function makersOf(tasks: readonly BuiltTask[], digest: Digest): readonly BuiltTask[] {
  return tasks.filter((task) => succeeded(task) && task.outputs.has(digest) && !passesOn(task, digest));
}

function passesOn({ params }: BuiltTask, made: string): boolean {
  return [...params.values()].some((value) => textsOf(value).some((text) => text.includes(made)));
}

/** A TaskRun's own provenance does not say how it ended. */
function succeeded({ status }: BuiltTask): boolean {
  return status === undefined || status === 'Succeeded';
}

function builtByNobody(tasks: readonly BuiltTask[], digest: Digest): DigestChainError {
  const others = tasks.filter((task) => task.outputs.has(digest));
  const reasons = others.map((task) => `${task.name}: ${succeeded(task) ? 'passes it on' : task.status}`);
  return new DigestChainError('PROVENANCE_MISMATCH', 'no Succeeded task of the run built the image', {
    expected: `a task with the result IMAGE_DIGEST = ${digest}`,
    found: (reasons.join(', ') || tasks.map((task) => task.name).join(', ')).slice(0, 500),
  });
}

/** Each image was built by tasks that were called with what it says of the one that it embeds. */
function judgeEdge(
  run: Run,
  makers: readonly (readonly BuiltTask[])[],
  { embeddings }: AttestedImage['embeds'][number],
): { evidence: string; value: undefined } {
  const evidence = makers.flatMap((tasks, at) => {
    const embedding = embeddings[at];
    if (embedding === undefined) throw new RangeError('an image of which is not known what it embeds');
    const judged = tasks.map((task) => ({ task, ...judgeArguments(task, embedding) }));
    const wrong = judged.find((each) => 'problem' in each);
    const right = judged.filter((each) => 'argument' in each);
    if (wrong === undefined || (right.length > 0 && isSilent(run))) {
      return right.map(({ task, argument }) => `task ${task.name} was called with ${argument}`);
    }
    const message = `the task that built the image was called with something else: ${wrong.problem}`;
    throw new DigestChainError('PROVENANCE_MISMATCH', message, {
      expected: `BUILD_ARGS of ${wrong.task.name} with one ${embedding.variable}=${embedding.digest}, and nothing that may contradict it`,
      found: wrong.found,
      hint: 'the image may name the other one without having been built from it',
    });
  });
  return { evidence: [...new Set(evidence)].join('; '), value: undefined };
}

/**
 * What was built, by the word of the build system: the labels, which any build may set, have to name the same commit.
 * Anybody may let this builder build anything of theirs: so whoever knows the repository should ask for it.
 */
async function judgeSource(run: Run, makers: readonly BuiltTask[], demands: Demands): Promise<Check> {
  const { check } = await runCheck({ id: 'source' }, () => {
    const { provenance } = run;
    const [source, ...others] = provenance.sources;
    const wanted = demands.source === undefined ? undefined : normalGitUrl(demands.source);
    const expected = `${wanted ?? 'one repository'} at ${demands.revision ?? 'one commit'}`;
    if (source === undefined) {
      throw new DigestChainError('PROVENANCE_MISMATCH', 'the provenance names no git source', {
        expected,
        found: 'none',
        hint: 'the task that clones has to return CHAINS-GIT_URL and CHAINS-GIT_COMMIT',
      });
    }
    const wrong = wanted !== undefined && source.url !== wanted;
    if (others.length > 0 || wrong || source.commit !== demands.revision || !isCommit(source.commit)) {
      const found = provenance.sources.map(describeSource).join(' and ');
      const message = others.length > 0 ? 'the run was built from several sources' : 'the run was built from elsewhere';
      throw new DigestChainError('PROVENANCE_MISMATCH', message, {
        expected,
        found: found.slice(0, 500),
        hint: 'the images’ labels, which any build may set, may name another commit than the build system signed',
      });
    }
    refusePullRequest(provenance, demands);
    refuseOtherCommit(provenance, source.commit);
    refuseOtherBranch(provenance, demands);
    for (const task of makers) refuseContainerfile(task);
    if (!isSilent(run)) traceArtifacts(run, makers, demands);
    if (demands.builderTasks.length > 0) refuseStrangers(run, demands);
    const asked = wanted === undefined ? `, ${UNASKED} (--source ${source.url} does)` : '';
    const { definition } = provenance;
    const pipeline = definition === undefined ? '' : `; the pipeline is defined by ${describeDefinition(definition)}`;
    const branch = demands.branch === undefined ? '' : `, branch ${demands.branch}`;
    return { evidence: `built from ${describeSource(source)}${branch}${asked}${pipeline}`, value: undefined };
  });
  return check;
}

function refusePullRequest({ event }: Provenance, { allowPullRequest }: Demands): void {
  const sign = pullRequestOf(event);
  if (sign === undefined || allowPullRequest) return;
  throw new DigestChainError('PROVENANCE_MISMATCH', 'the run built a pull request', {
    expected: 'a run of what was merged',
    found: sign.slice(0, 300),
    hint: '--allow-pull-request takes it all the same',
  });
}

/** What was pushed, or proposed, tells nothing of another commit: neither that it is of the branch, nor that it was merged. */
function refuseOtherCommit({ event }: Provenance, built: string): void {
  const named = commitOf(event);
  if (named === undefined || named === built) return;
  throw new DigestChainError('PROVENANCE_MISMATCH', 'the run built another commit than its event was about', {
    expected: built,
    found: textsOf(named).join(' ').slice(0, 300) || 'none',
    hint: 'a comment such as /test name revision=… has a commit built that nobody pushed to the branch',
  });
}

function refuseOtherBranch({ event }: Provenance, { branch }: Demands): void {
  if (branch === undefined) return;
  const found = branchOf(event);
  if (mayBeTag(event)) {
    throw new DigestChainError('PROVENANCE_MISMATCH', 'what the run names as its branch may be a tag', {
      expected: branch,
      found: found?.slice(0, 300) ?? 'none',
      hint: 'Pipelines as Code takes annotated tags of Bitbucket Cloud for branches',
    });
  }
  if (found !== undefined && isSameBranch(found, branch)) return;
  const other = found !== undefined;
  throw new DigestChainError(
    'PROVENANCE_MISMATCH',
    other ? 'the run is of another branch' : 'the run names no branch',
    {
      expected: branch,
      found: found?.slice(0, 300) ?? 'none',
      hint: other
        ? 'only what was pushed to this branch is proved'
        : 'Pipelines as Code annotates a run with it; Chains’ plain build type of SLSA v1 leaves annotations out',
    },
  );
}

/** Konflux' build tasks fetch what is no file of the source (task-buildah, `DOCKERFILE`). */
function refuseContainerfile({ name, params }: BuiltTask): void {
  const elsewhere = textsOf(params.get('DOCKERFILE')).find((text) => /^[a-z][a-z0-9+.-]*:\/\//i.test(text));
  if (elsewhere === undefined) return;
  throw new DigestChainError('PROVENANCE_MISMATCH', `${name} was given a Containerfile from elsewhere`, {
    expected: 'a file of the source',
    found: elsewhere.slice(0, 300),
  });
}

// SOURCE_ARTIFACT, CACHI2_ARTIFACT: Konflux' trusted artifacts, which its tasks unpack and Conforma follows by this name.
const TRUSTED_ARTIFACT = /_ARTIFACT$/;

/** A run of which builds were given more different files is refused: one is enough for most, and each is looked for. */
const MAX_ARTIFACTS = 5_000;

/**
 * Follows the files that builds were given (Konflux' trusted artifacts: a digest that one task returns and the next is
 * called with) back to the task that cloned them. Who is called with what it returns, as a prefetch is that has nothing to
 * fetch, only passes it on. A build that takes its source in another way, by a workspace, says nothing.
 */
function traceArtifacts(run: Run, makers: readonly BuiltTask[], demands: Demands): void {
  const givers = Map.groupBy(
    run.tasks.filter(succeeded).flatMap((task) => {
      return [...new Set(artifactsIn(task.results).map(([, artifact]) => artifact))].map((artifact) => ({
        artifact,
        task,
      }));
    }),
    ({ artifact }) => artifact,
  );
  const traced = new Set<string>();
  const tasks = new Set(makers);
  for (const task of tasks) {
    for (const [name, artifact] of artifactsIn(task.params)) {
      if (traced.has(artifact)) continue;
      traced.add(artifact);
      const given = givers.get(artifact)?.map((giver) => giver.task) ?? [];
      const isMade = traced.size <= MAX_ARTIFACTS && given.some((giver) => !passesOn(giver, artifact));
      if (!isMade) throw madeByNobody(task, name, artifact);
      const stranger = given.find(({ definition }) => !isAllowedTask(definition, demands.builderTasks));
      if (stranger !== undefined) {
        throw notAllowed(stranger, demands.builderTasks, 'the files to build from come from another task');
      }
      for (const giver of given) tasks.add(giver);
    }
  }
}

function madeByNobody({ name }: BuiltTask, parameter: string, artifact: string): DigestChainError {
  return new DigestChainError('PROVENANCE_MISMATCH', `${name} was given files that no task of the run made`, {
    expected: `${parameter} as a task of the run returned it, of at most ${MAX_ARTIFACTS} in one run`,
    found: artifact.slice(0, 300),
  });
}

/** By name: those that are set. */
function artifactsIn(values: Values): readonly (readonly [name: string, artifact: string])[] {
  return [...values]
    .filter(([name]) => TRUSTED_ARTIFACT.test(name))
    .flatMap(([name, value]) => textsOf(value).map((artifact) => [name, artifact] as const))
    .filter(([, artifact]) => artifact !== '');
}

/** Where builders must be trusted tasks, so must those be that say what was cloned. */
function refuseStrangers(run: Run, { builderTasks }: Demands): void {
  if (isSilent(run)) {
    throw new DigestChainError('PROVENANCE_MISMATCH', 'the provenance does not say which task named the source', {
      expected: builderTasks.join(' or '),
      found: run.provenance.buildType,
    });
  }
  const stranger = run.tasks.find(
    ({ results, definition }) => results.has('CHAINS-GIT_URL') && !isAllowedTask(definition, builderTasks),
  );
  if (stranger !== undefined) throw notAllowed(stranger, builderTasks, 'the source was named by another task');
}

function notAllowed(task: BuiltTask, builderTasks: readonly string[], message: string): DigestChainError {
  return new DigestChainError('PROVENANCE_MISMATCH', message, {
    expected: builderTasks.join(' or '),
    found: describeTask(task).slice(0, 300),
  });
}

function describeTask({ name, definition }: BuiltTask): string {
  return `task ${name} (${describeDefinition(definition)})`;
}
