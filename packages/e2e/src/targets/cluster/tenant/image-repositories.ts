import { KONFLUX } from '@multi-image/kit/konflux';
import { E2eError } from '../../../errors.ts';
import { KINDS, type Resource, text } from '../api/resource.ts';
import type { ClusterRun } from '../cluster-run.ts';
import { repositoryOf } from './adjust.ts';
import { desiredObjects, repositoriesOf } from './desired.ts';

/** Fails where Konflux could not make an image repository: it says so there, and not in the component. */
export async function failWithRepositories(run: ClusterRun): Promise<never> {
  const { cluster, signal } = run;
  for (;;) {
    const found = await Promise.all(
      // A server that is away is waited for by whoever follows the components.
      wantedOf(run).map(({ metadata }) => read(run, metadata.name).catch(() => undefined)),
    );
    for (const repository of found) throwIfBroken(repository, run);
    // Four seconds: it is one request for each repository.
    await cluster.pause(2, signal);
  }
}

/**
 * Waits until the image repositories are as the config says: nothing is to be pushed where more people see it. Throws
 * `COMPONENT_NOT_CONFIGURED`.
 */
export async function checkRepositories(run: ClusterRun): Promise<void> {
  const { cluster, timeouts, signal } = run;
  for (const wanted of wantedOf(run)) {
    const { name } = wanted.metadata;
    let found: Resource | undefined;
    const look = async (): Promise<boolean> => {
      found = await read(run, name);
      throwIfBroken(found, run);
      // Where Konflux may not, it sets back what is asked for, and says why.
      return isVisible(found, wanted, 'status') || !isVisible(found, wanted, 'spec');
    };
    await cluster.poll(look, { timeout: timeouts.configured, signal });
    if (!isVisible(found, wanted, 'status')) throw otherVisibility(wanted, found, run);
  }
}

/** Whether a repository is as visible as is wanted, or does not say. */
function isVisible(found: Resource | undefined, wanted: Resource, where: 'spec' | 'status'): boolean {
  const visibility = text(found, where, 'image', 'visibility');
  return visibility === undefined || visibility === visibilityOf(wanted);
}

function visibilityOf(wanted: Resource): string {
  return text(wanted, 'spec', 'image', 'visibility') ?? '';
}

function otherVisibility(wanted: Resource, found: Resource | undefined, { namespace }: ClusterRun): E2eError {
  const { name } = wanted.metadata;
  const message = text(found, 'status', 'message');
  const visibility = text(found, 'status', 'image', 'visibility') ?? '';
  return new E2eError('COMPONENT_NOT_CONFIGURED', `Konflux left the image repository ${name} ${visibility}`, {
    expected: `visibility ${visibilityOf(wanted)}`,
    found: message === undefined ? visibility : `${visibility}: ${message}`,
    hint: `set visibility: '${visibility}' in the config and render, or cure that and ask again: kubectl apply --server-side --force-conflicts -n ${namespace} -f konflux/image-repositories.yaml`,
  });
}

/** Throws what Konflux says of a repository that it does nothing more about by itself. */
function throwIfBroken(repository: Resource | undefined, { namespace }: ClusterRun): void {
  const state = text(repository, 'status', 'state') ?? '';
  if (repository === undefined || !/^(?:failed|missing|damaged)$/.test(state)) return;
  const { name } = repository.metadata;
  const isFailed = state === 'failed';
  const again = `kubectl patch imagerepository ${name} -n ${namespace} --type=merge -p '{"metadata":{"finalizers":null}}'`;
  throw new E2eError(
    'COMPONENT_NOT_CONFIGURED',
    `Konflux ${isFailed ? 'could not make' : 'can not use'} the image repository ${name}`,
    {
      expected: 'state ready',
      found: text(repository, 'status', 'message') ?? `state ${state}`,
      hint: isFailed
        ? `Konflux tries again only with a new one: kubectl delete imagerepository ${name} -n ${namespace}, and run again`
        : `Konflux makes it anew without its finalizer: ${again}, and run again; images that were in it are gone`,
    },
  );
}

/** Why a component has no image yet, and where to look: undefined where its images are pushed elsewhere. */
export async function findUnmade(
  component: string,
  run: ClusterRun,
): Promise<{ found: string; hint: string } | undefined> {
  const [wanted] = repositoriesOf(run.config, component);
  if (wanted === undefined) return undefined;
  const { name } = wanted.metadata;
  const repository = await read(run, name);
  const said = ['state', 'message'].flatMap((field) => text(repository, 'status', field) ?? []);
  const state = repository === undefined ? 'is not there' : said.length === 0 ? 'has no state yet' : said.join(': ');
  return {
    found: `ImageRepository ${name} ${state}`,
    hint:
      text(repository, 'status', 'state') === 'waiting'
        ? `Konflux waits an hour for a component, and then looks at a repository again only when somebody writes to it: kubectl annotate imagerepository ${name} -n ${run.namespace} again=1`
        : `kubectl get imagerepository ${name} -n ${run.namespace} -o yaml; what Konflux' image controller tries again it says in its log alone`,
  };
}

function wantedOf({ config }: ClusterRun): readonly Resource[] {
  return desiredObjects(config).filter(({ kind }) => kind === 'ImageRepository');
}

/**
 * Checks that each component's image is the config's: the pipelines push where the config says, and the secrets are for
 * what Konflux made. Throws `COMPONENT_NOT_CONFIGURED`.
 */
export async function checkImages(run: ClusterRun): Promise<void> {
  const { cluster, config, namespace, timeouts, signal } = run;
  for (const { component, repository } of config.chain.images) {
    if (component === undefined) continue;
    let found = '';
    const look = async (): Promise<boolean> => {
      const object = await cluster.read(KINDS.component, component, namespace);
      found = repositoryOf(text(object, 'spec', 'containerImage') ?? '');
      return found === repository || !(await isUpdating(component, run));
    };
    await cluster.poll(look, { timeout: timeouts.configured, signal });
    if (found !== repository) throw anotherImage(component, found, run);
  }
}

/** Whether Konflux is still to write the repository into the component. */
async function isUpdating(component: string, run: ClusterRun): Promise<boolean> {
  const [wanted] = repositoriesOf(run.config, component);
  const found = wanted === undefined ? undefined : await read(run, wanted.metadata.name);
  return found?.metadata.annotations?.[KONFLUX.updateImage] === 'true';
}

function anotherImage(component: string, found: string, { config, namespace }: ClusterRun): E2eError {
  const { chain } = config;
  const { repository = '' } = chain.images.find((image) => image.component === component) ?? {};
  const below = repository.slice(chain.registry.length);
  const edit = found.endsWith(below)
    ? `set registry: '${found.slice(0, -below.length)}' in the config`
    : `make registry and the image's repository in the config say ${found}`;
  const message = `component ${component} has another image repository than the config`;
  return new E2eError('COMPONENT_NOT_CONFIGURED', message, {
    expected: `${repository}, where the pipelines push`,
    found: `${found || 'none'} in spec.containerImage`,
    hint: `${edit}, render and push; or change it there: kubectl edit component ${component} -n ${namespace}`,
  });
}

function read({ cluster, namespace }: ClusterRun, name: string): Promise<Resource | undefined> {
  return cluster.read(KINDS.imageRepository, name, namespace);
}
