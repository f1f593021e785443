import { KONFLUX } from '@multi-image/kit/konflux';
import { type Evidence, failed, passed, skipped } from '../../../judge/criterion.ts';
import { instead } from '../api/cluster-error.ts';
import { shown, waitFor } from '../api/follow.ts';
import { condition, field, KINDS, list, OPTIONAL_KINDS, type Resource, text } from '../api/resource.ts';
import type { ClusterRun } from '../cluster-run.ts';
import { type Finding, note } from '../finding.ts';

/** Waits for the Releases that Konflux makes of a Snapshot by itself, and answers with what came of them. */
export async function awaitReleases(run: ClusterRun, snapshot: string): Promise<readonly Evidence[]> {
  const { cluster, namespace } = run;
  const plans = await autoReleasePlans(run).catch(instead('CLUSTER_FORBIDDEN', undefined));
  if (plans === undefined) return [skipped('release', 'you may not list ReleasePlans here')];
  if (plans.length === 0) {
    return [
      passed('release', `no ReleasePlan of the application releases by itself: ${snapshot} is tested, and stays`),
    ];
  }
  const { said, trouble } = await awaitDecision(run, snapshot);
  if (said === undefined) return plans.map(({ plan }) => unreleased(plan, snapshot, trouble));
  const listed = await cluster.list(OPTIONAL_KINDS.release, namespace).catch(instead('CLUSTER_FORBIDDEN', undefined));
  if (listed === undefined) return [UNSEEN];
  return Promise.all(
    plans.map(({ plan, isAsked }): Evidence | Promise<Evidence> => {
      const made = listed.items.filter((object) => isRelease(object, plan, snapshot)).toSorted(byAge);
      // Who made one again by hand, since the first one failed, asks about that.
      const release = made.at(-1);
      if (release !== undefined)
        return awaitRelease(run, plan, snapshot, release).catch(instead('CLUSTER_FORBIDDEN', UNSEEN));
      // A plan without an expression says no to none.
      if (said === MADE && !isAsked)
        return skipped(
          'release',
          `there is no Release of Snapshot ${snapshot} by ReleasePlan ${plan}: it is gone, or the plan came later`,
        );
      return passed('release', `ReleasePlan ${plan} made no Release of Snapshot ${snapshot}: ${said}`);
    }),
  );
}

/** What Konflux says once it made Releases of a Snapshot by all plans that did not say no. */
const MADE = 'The Snapshot was auto-released';

const UNSEEN: Evidence = skipped('release', 'you may not list Releases here');

interface Plan {
  readonly plan: string;
  /** It has an expression, which Konflux asks of each Snapshot. */
  readonly isAsked: boolean;
  readonly object: Resource;
}

type Place = Pick<ClusterRun, 'cluster' | 'config' | 'namespace'>;

/** The plans of the application that may release by themselves: by an expression, or else unless the label forbids it. */
async function autoReleasePlans({ cluster, config, namespace }: Place): Promise<readonly Plan[]> {
  const { items } = await cluster
    .list(OPTIONAL_KINDS.releasePlan, namespace)
    .catch(instead('KIND_MISSING', { items: [] }));
  return items.flatMap((object): Plan[] => {
    const { name, annotations, labels } = object.metadata;
    const isAsked = Boolean(annotations?.[KONFLUX.autoRelease]);
    const isOurs = text(object, 'spec', 'application') === config.chain.application;
    return isOurs && (isAsked || labels?.[KONFLUX.autoRelease] !== 'false') ? [{ plan: name, isAsked, object }] : [];
  });
}

/** What keeps a plan from releasing by itself, as far as Konflux knows it before there is anything to release. */
export async function findUnreleasable(place: Place): Promise<readonly Finding[]> {
  const plans = await autoReleasePlans(place).catch(instead('CLUSTER_FORBIDDEN', []));
  return plans.flatMap(({ plan, object }): Finding[] => {
    const what = `ReleasePlan ${plan} can not release by itself`;
    if (object.metadata.labels?.[KONFLUX.author] === undefined) {
      const hint = `kubectl label releaseplan ${plan} -n ${place.namespace} ${KONFLUX.standingAttribution}=true makes you its author`;
      return [note(`${what}: it has no author`, hint)];
    }
    const target = text(object, 'spec', 'target');
    if (target === undefined) {
      if (field(object, 'spec', 'tenantPipeline') !== undefined) return [];
      return [
        note(`${what}: it has neither a target nor a pipeline`, 'give it one: spec.target, or spec.tenantPipeline'),
      ];
    }
    const matched = condition(object, 'Matched')?.status;
    if (matched === 'False') {
      const hint = `one has to name application ${place.config.chain.application} and origin ${place.namespace}`;
      return [note(`${what}: no ReleasePlanAdmission in ${target} matches it`, hint)];
    }
    if (matched !== 'True' || field(object, 'status', 'releasePlanAdmission', 'active') === true) return [];
    const admission = text(object, 'status', 'releasePlanAdmission', 'name') ?? '';
    return [
      note(`${what}: ReleasePlanAdmission ${admission} lets nothing through`, 'its label block-releases says so'),
    ];
  });
}

/** Konflux makes the Releases of a Snapshot at once, and says so then: also where it makes none. */
async function awaitDecision(
  run: ClusterRun,
  snapshot: string,
): Promise<{ said: string | undefined; trouble: string }> {
  let trouble = 'no Release in time';
  const said = await waitFor(run.cluster, KINDS.snapshot, {
    ...run,
    timeout: run.timeouts.released,
    look(object) {
      if (object.metadata.name !== snapshot) return undefined;
      if (object.metadata.labels?.[KONFLUX.autoRelease] === 'false')
        return 'it is held back, since a later one overtook it';
      const status = condition(object, 'AppStudioIntegrationStatus');
      // It tries again for a while.
      if (status?.reason === 'ErrorOccured') trouble = status.message;
      const decided = condition(object, 'AutoReleased');
      return decided?.status === 'True' ? decided.message : undefined;
    },
  });
  return { said, trouble };
}

function isRelease(object: object, plan: string, snapshot: string): boolean {
  return text(object, 'spec', 'snapshot') === snapshot && text(object, 'spec', 'releasePlan') === plan;
}

function byAge({ metadata: one }: Resource, { metadata: other }: Resource): number {
  return Date.parse(one.creationTimestamp ?? '') - Date.parse(other.creationTimestamp ?? '');
}

async function awaitRelease(run: ClusterRun, plan: string, snapshot: string, release: Resource): Promise<Evidence> {
  const { cluster, timeouts, progress } = run;
  const { name } = release.metadata;
  let last = releaseStatus(release);
  const waiting = waitFor<ReleaseStatus>(cluster, OPTIONAL_KINDS.release, {
    ...run,
    timeout: timeouts.released,
    subject: { name, gone: { state: 'gone', message: 'it was deleted while it was under way' } },
    look(object) {
      if (object.metadata.name !== name) return undefined;
      last = releaseStatus(object);
      return last.state === 'under way' ? undefined : last;
    },
  });
  const end = await shown(progress, `Release by ${plan}`, waiting, (status) => status?.state === 'Released');
  const { state, message } = end ?? last;
  if (state !== 'Released') return unreleased(plan, snapshot, `${name}: ${state}: ${message}`);
  return passed('release', `ReleasePlan ${plan} released Snapshot ${snapshot} as ${name}`);
}

function unreleased(plan: string, snapshot: string, found: string): Evidence {
  return failed('release', `ReleasePlan ${plan} released Snapshot ${snapshot}`, 'a Release that is Released', found);
}

interface ReleaseStatus {
  readonly state: 'Released' | 'Failed' | 'under way' | 'gone';
  readonly message: string;
}

function releaseStatus(release: Resource): ReleaseStatus {
  const released = condition(release, 'Released');
  if (released === undefined) return { state: 'under way', message: 'the release service has not begun with it' };
  const { status, reason, message } = released;
  if (status === 'True') return { state: 'Released', message };
  const where = currentStep(release);
  const text = [message || reason, ...(where === undefined ? [] : [where])].join(': ');
  return { state: status === 'False' && reason !== 'Progressing' ? 'Failed' : 'under way', message: text };
}

/** The steps of a Release in their order, by their conditions, and where its status has the PipelineRun of one. */
const STEPS: Readonly<Record<string, readonly string[]>> = {
  Validated: [],
  TenantCollectorsPipelineProcessed: ['collectorsProcessing', 'tenantCollectorsProcessing'],
  ManagedCollectorsPipelineProcessed: ['collectorsProcessing', 'managedCollectorsProcessing'],
  TenantPipelineProcessed: ['tenantProcessing'],
  ManagedPipelineProcessed: ['managedProcessing'],
  FinalPipelineProcessed: ['finalProcessing'],
};

/** The step that failed, or that is under way: `Released` itself says neither why nor where. */
function currentStep(release: Resource): string | undefined {
  for (const [type, path] of Object.entries(STEPS)) {
    const step = condition(release, type);
    if (step?.status !== 'False') continue;
    const run = text(release, 'status', ...path, 'pipelineRun');
    const isManaged = type === 'ManagedPipelineProcessed';
    // Tried several times: the last one is the PipelineRun's.
    const attempt = isManaged ? list(release, 'status', 'managedPipelineAttempts').at(-1) : undefined;
    const [task, place, why] = ['lastTask', 'lastStep', 'failureReason'].map((name) => text(attempt, name));
    const facts = [
      ...(run === undefined ? [] : [`PipelineRun ${run}`]),
      ...(task === undefined ? [] : [`task ${task}`]),
      ...(place === undefined ? [] : [`step ${place}`]),
    ].join(', ');
    const at = [facts, ...(why === undefined ? [] : [why])].join(': ');
    const isSaid = step.message === '' || step.message === condition(release, 'Released')?.message;
    return `${type}${at === '' ? '' : ` (${at})`}${isSaid ? '' : `: ${endOf(step.message)}`}`;
  }
  return undefined;
}

/** It may be a task's whole log. */
function endOf(message: string): string {
  const lines = message.trimEnd().split('\n');
  return lines.length > 12 ? ['…', ...lines.slice(-12)].join('\n') : lines.join('\n');
}
