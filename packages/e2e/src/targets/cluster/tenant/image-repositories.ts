import { KONFLUX } from '@multi-image/kit/konflux';
import { E2eError } from '../../../errors.ts';
import type { ClusterRun } from '../cluster-run.ts';
import { KINDS, type Resource, text } from '../resource.ts';
import { repositoryOf } from './adjust.ts';
import { desiredObjects, repositoriesOf } from './desired.ts';

/** Fails where Konflux could not make an image repository: it says so there, and not in the component. */
export async function failWithRepositories(run: ClusterRun): Promise<never> {
  const { cluster, config, namespace, signal } = run;
  const wanted = desiredObjects(config).filter(({ kind }) => kind === 'ImageRepository');
  for (;;) {
    const found = await Promise.all(
      // A server that is away is waited for by whoever follows the components.
      wanted.map(({ metadata }) => read(run, metadata.name).catch(() => undefined)),
    );
    for (const repository of found) {
      if (repository === undefined || text(repository, 'status', 'state') !== 'failed') continue;
      const { name } = repository.metadata;
      throw new E2eError('COMPONENT_NOT_CONFIGURED', `Konflux could not make the image repository ${name}`, {
        expected: 'state ready',
        found: text(repository, 'status', 'message') ?? 'state failed',
        hint: `Konflux tries again only with a new one: kubectl delete imagerepository ${name} -n ${namespace}, and run again`,
      });
    }
    // Four seconds: it is one request for each repository.
    await cluster.pause(2, signal);
  }
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
