import { konfluxName } from '../chain/konflux-registry.ts';
import { entryImage } from '../chain/linking.ts';
import { fileOptions } from '../chain/naming-files.ts';
import { type ChainPlan, type PlannedImage, pullRequestRepository } from '../chain/plan.ts';
import { noted, type YamlMap } from '../yaml/write.ts';
import { params } from './wiring.ts';

const API = 'appstudio.redhat.com/v1alpha1';

export function application(chain: ChainPlan): YamlMap {
  return {
    apiVersion: API,
    kind: 'Application',
    metadata: { name: chain.application, namespace: chain.namespace },
    spec: { displayName: chain.displayName },
  };
}

export function component(image: PlannedImage, chain: ChainPlan): YamlMap {
  return {
    apiVersion: API,
    kind: 'Component',
    metadata: {
      name: image.component,
      namespace: chain.namespace,
      annotations: {
        'build.appstudio.openshift.io/request': noted(
          'Plain configure-pac would open a pull request that overwrites .tekton/ with generated pipelines.',
          'configure-pac-no-mr',
        ),
      },
    },
    spec: {
      application: chain.application,
      componentName: image.component,
      source: { git: { url: chain.gitUrl, revision: chain.branch } },
      // The build service waits until it is there; an ImageRepository sets it itself.
      containerImage: chain.imageRepositories === 'own' ? image.repository : undefined,
    },
  };
}

/** The repositories that Konflux makes for an image. */
export function imageRepositories(image: PlannedImage, chain: ChainPlan): YamlMap[] {
  const own = imageRepository(repositoryName(image, chain), image, chain, image.component);
  if (chain.pullRequestAccount === undefined) return [own];
  // Of no component: its secret is linked to no account but that of pull requests.
  const repository = pullRequestRepository(image, chain);
  return [own, imageRepository(pullRequestRepositoryName(image, chain), { repository }, chain)];
}

function imageRepository(
  name: string,
  image: Pick<PlannedImage, 'repository'>,
  chain: ChainPlan,
  owner?: string,
): YamlMap {
  const annotations = { 'image-controller.appstudio.redhat.com/update-component-image': 'true' };
  const labels = { 'appstudio.redhat.com/application': chain.application, 'appstudio.redhat.com/component': owner };
  return {
    apiVersion: API,
    kind: 'ImageRepository',
    metadata: { name, namespace: chain.namespace, ...(owner === undefined ? {} : { annotations, labels }) },
    spec: { image: { name: konfluxName(image, chain), visibility: chain.visibility } },
  };
}

/**
 * The service accounts of components, with the secrets that Konflux does not link to them by itself, and the one that runs
 * pull requests: it can push to their repositories, and to no other. Applied server-side, they add to what is there: the
 * list is keyed by name.
 */
export function serviceAccounts(components: readonly PlannedImage[], chain: ChainPlan): YamlMap[] {
  const { imageRepositories, pushSecret, pullRequestAccount } = chain;
  const owned = imageRepositories === 'own';
  const accounts = components.map((image): [string, string[]] => [
    image.serviceAccount,
    owned ? [pushSecret] : foreignSecrets(image, chain),
  ]);
  if (pullRequestAccount !== undefined) {
    const made = chain.images.map((image) => `${pullRequestRepositoryName(image, chain)}-image-push`);
    accounts.push([pullRequestAccount, owned ? [`${pushSecret}-pull-requests`] : made]);
  }
  return accounts
    .filter(([, secrets]) => secrets.length > 0)
    .map(([name, secrets]) => ({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name, namespace: chain.namespace },
      secrets: secrets.map((name) => ({ name })),
    }));
}

/** Proves, on each Snapshot of a scanner, that its image and the one it was found by are one chain. */
export function integrationTestScenario(image: PlannedImage, chain: ChainPlan, folder: string): YamlMap {
  const entry = entryImage(image, chain);
  const files = fileOptions(entry, chain);
  return {
    apiVersion: 'appstudio.redhat.com/v1beta2',
    kind: 'IntegrationTestScenario',
    metadata: { name: `verify-${image.component}`, namespace: chain.namespace },
    spec: {
      application: chain.application,
      contexts: noted("Not the builder's Snapshots: those still hold the other images of the build before.", [
        { name: `component_${image.component}`, description: `Snapshots of ${image.component}` },
      ]),
      params: [
        ...params({ component: image.component, 'entry-component': entry.component, role: image.role }),
        ...(files.length === 0 ? [] : [{ name: 'files', values: files }]),
      ],
      resolverRef: {
        resolver: 'git',
        resourceKind: 'pipeline',
        params: params({
          url: chain.gitUrl,
          revision: chain.branch,
          pathInRepo: `${folder}pipeline/verify-chain.yaml`,
        }),
      },
    },
  };
}

/** The scanners whose Snapshots hold both ends of a link. */
export function verifiedScanners(chain: ChainPlan): PlannedImage[] {
  return chain.images
    .slice(1)
    .filter((image) => image.component !== undefined && entryImage(image, chain).component !== undefined);
}

function repositoryName(image: PlannedImage, chain: ChainPlan): string {
  return `imagerepository-for-${chain.application}-${image.component ?? image.name}`;
}

const pullRequestRepositoryName = (image: PlannedImage, chain: ChainPlan): string =>
  `${repositoryName(image, chain)}-pull-requests`;

/** Konflux links to a component's account the push secret of its own image repository, and no other. */
function foreignSecrets(image: PlannedImage, chain: ChainPlan): string[] {
  const push = (other: PlannedImage): string => `${repositoryName(other, chain)}-image-push`;
  if (image === chain.primary) return chain.images.slice(1).map(push);
  const entry = entryImage(image, chain);
  return [entry.component === undefined ? push(entry) : `${repositoryName(entry, chain)}-image-pull`];
}
