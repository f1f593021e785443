import { formatLimit } from '@multi-image/kit/durations';
import { E2eError } from '../../../errors.ts';
import { awaitGone, isGoing, printGoing } from '../api/deletion.ts';
import type { Resource } from '../api/resource.ts';
import type { ClusterRun } from '../cluster-run.ts';
import { carryOut, planApply, sayPlan } from './apply.ts';
import { askAgain, configure, findUnconfigured, waitLinked } from './configure.ts';
import { desiredObjects } from './desired.ts';
import { grantRelease } from './release-access.ts';

/** Applies what the config asks for, and waits until Konflux made of it what builds need. */
export async function setUp(run: ClusterRun): Promise<void> {
  const { cluster, config, namespace, dryRun, progress } = run;
  const objects = desiredObjects(config);
  await settleGoing(objects, run);
  const plan = await planApply(cluster, objects);
  const unconfigured = await findUnconfigured(cluster, objects);
  sayPlan(plan, run);
  for (const { name, found } of unconfigured)
    progress.line(`${dryRun ? 'would ' : ''}ask again to configure component ${name}: ${found}`);
  if (plan.every(({ action }) => action === 'unchanged') && unconfigured.length === 0)
    progress.line('nothing to apply: the tenant is as the config says');
  await grantRelease(run);
  if (dryRun) return;
  const isAccount = ({ kind }: Resource): boolean => kind === 'ServiceAccount';
  await carryOut(
    cluster,
    plan.filter(({ object }) => !isAccount(object)),
  );
  await askAgain(cluster, unconfigured, namespace);
  await configure(run);
  // Konflux makes the accounts with their components: they are its own, and only get secrets from here.
  await carryOut(cluster, await planApply(cluster, objects.filter(isAccount)));
  await waitLinked(run);
}

/** Waits for what was deleted to be gone: what is applied to it would go with it. Throws `WAIT_TIMEOUT`. */
async function settleGoing(objects: readonly Resource[], run: ClusterRun): Promise<void> {
  const { cluster, namespace, dryRun, progress, signal } = run;
  const { configured: timeout } = run.timeouts;
  const found = await Promise.all(objects.map((object) => cluster.read(object, object.metadata.name, namespace)));
  const going = found.filter((object): object is Resource => object !== undefined && isGoing(object));
  for (const object of going)
    progress.line(`${printGoing(object)} is being deleted: ${dryRun ? 'a run waits' : 'waiting'} until it is gone`);
  if (dryRun) return;
  const left = await awaitGone(cluster, going, { timeout, signal });
  if (left.length === 0) return;
  throw new E2eError('WAIT_TIMEOUT', 'what was deleted before is not gone', {
    expected: `nothing of it within ${formatLimit(timeout)}; --timeout configured=… sets another limit`,
    found: left.map(printGoing).join('\n'),
    hint: `an object goes when what holds it lets go: kubectl get ${left[0]?.kind.toLowerCase()} ${left[0]?.metadata.name} -n ${namespace} -o yaml`,
  });
}
