import { KONFLUX, KONFLUX_API, KONFLUX_GROUP, SCENARIO_API } from '@multi-image/kit/konflux';
import { konfluxName } from '../chain/konflux-registry.ts';
import { entryImage } from '../chain/linking.ts';
import { fileOptions } from '../chain/naming-files.ts';
import { type ChainPlan, type PlannedImage, pullRequestRepository } from '../chain/plan.ts';
import { chainName, releaseAccount } from '../chain/release.ts';
import { noted, type Yaml, type YamlMap } from '../yaml/write.ts';
import { componentOptions } from './snapshot-test.ts';
import { params } from './wiring.ts';

export function application(chain: ChainPlan): YamlMap {
  return {
    apiVersion: KONFLUX_API,
    kind: 'Application',
    metadata: { name: chain.application, namespace: chain.namespace },
    spec: { displayName: chain.displayName },
  };
}

export function component(image: PlannedImage, chain: ChainPlan): YamlMap {
  return {
    apiVersion: KONFLUX_API,
    kind: 'Component',
    metadata: {
      name: image.component,
      namespace: chain.namespace,
      annotations: {
        [KONFLUX.request]: noted(
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
  const annotations = { [KONFLUX.updateImage]: 'true' };
  const labels = { 'appstudio.redhat.com/application': chain.application, [KONFLUX.repositoryOf]: owner };
  return {
    apiVersion: KONFLUX_API,
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

/**
 * Where the chain is what is released: one scenario that proves every Snapshot of the application, and one that makes the
 * chain's. Where components are: one for each scanner, whose Snapshots hold its image and the one it was found by.
 */
export function integrationTestScenarios(chain: ChainPlan, folder: string): YamlMap[] {
  const test = (file: string): ScenarioFile => ({ pathInRepo: `${folder}pipeline/${file}.yaml`, kind: 'pipeline' });
  if (chain.release === 'components') {
    return verifiedScanners(chain).map((image) => {
      const entry = entryImage(image, chain);
      const files = fileOptions(entry, chain);
      return scenario(`verify-${image.component}`, chain, test('verify-chain'), {
        contexts: noted("Not the builder's Snapshots: those still hold the other images of the build before.", [
          { name: `component_${image.component}`, description: `Snapshots of ${image.component}` },
        ]),
        params: [
          { name: 'components', values: componentOptions([entry, image]) },
          { name: 'starts', values: [`--start=${entry.role}`] },
          ...(files.length === 0 ? [] : [{ name: 'files', values: files }]),
        ],
      });
    });
  }
  const creation: ScenarioFile = { pathInRepo: `${folder}pipeline/create-snapshot.yaml`, kind: 'pipelinerun' };
  return [
    scenario(`verify-${chainName(chain)}`, chain, test('verify-chain'), {
      contexts: noted('Without a required scenario a Snapshot is released untested: this one is for all.', [
        { name: 'application', description: 'Every Snapshot' },
      ]),
    }),
    scenario(`release-${chainName(chain)}`, chain, creation, {
      contexts: noted(
        'Whichever build comes last makes the Snapshot. None of a pull request, from which Konflux would take the run.',
        [{ name: 'push', description: 'Snapshots of pushes' }],
      ),
      labels: {
        [KONFLUX.optional]: noted('It tests nothing that is waited for with a release.', 'true'),
      },
    }),
  ];
}

interface ScenarioFile {
  readonly pathInRepo: string;
  readonly kind: 'pipeline' | 'pipelinerun';
}

/** An IntegrationTestScenario that runs a file of the repository. */
export function scenario(
  name: string,
  chain: ChainPlan,
  { pathInRepo, kind }: ScenarioFile,
  { contexts, params: given, labels }: { contexts: Yaml; params?: YamlMap[]; labels?: YamlMap },
): YamlMap {
  return {
    apiVersion: SCENARIO_API,
    kind: 'IntegrationTestScenario',
    metadata: { name, namespace: chain.namespace, labels },
    spec: {
      application: chain.application,
      contexts,
      params: given,
      resolverRef: {
        resolver: 'git',
        resourceKind: kind,
        params: params({ url: chain.gitUrl, revision: chain.branch, pathInRepo }),
      },
    },
  };
}

/**
 * The account under which the chain's Snapshot is made, and what lets it do so: read Snapshots and components, create one,
 * and hold one back that a newer commit's overtook. It reads images with the secrets that Konflux makes for that.
 */
export function releaseAccess(chain: ChainPlan): YamlMap[] {
  const name = releaseAccount(chain);
  const metadata = { name, namespace: chain.namespace };
  const secrets =
    chain.imageRepositories === 'own' ? [chain.pushSecret] : chain.images.map((image) => pullSecret(image, chain));
  const group = 'rbac.authorization.k8s.io';
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata, secrets: secrets.map((secret) => ({ name: secret })) },
    {
      apiVersion: `${group}/v1`,
      kind: 'Role',
      metadata,
      rules: [
        {
          apiGroups: [KONFLUX_GROUP],
          resources: ['snapshots'],
          verbs: ['get', 'list', 'create', noted('To hold back what a later commit overtook.', 'patch')],
        },
        { apiGroups: [KONFLUX_GROUP], resources: ['components'], verbs: ['list'] },
      ],
    },
    {
      apiVersion: `${group}/v1`,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: group, kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace: chain.namespace }],
    },
  ];
}

/** The scanners whose Snapshots hold both ends of a link. */
function verifiedScanners(chain: ChainPlan): PlannedImage[] {
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
  if (image === chain.primary) return chain.images.slice(1).map((other) => pushSecret(other, chain));
  return [pullSecret(entryImage(image, chain), chain)];
}

const pushSecret = (image: PlannedImage, chain: ChainPlan): string => `${repositoryName(image, chain)}-image-push`;

/** Konflux makes one to pull for the repository of a component alone. */
const pullSecret = (image: PlannedImage, chain: ChainPlan): string =>
  image.component === undefined ? pushSecret(image, chain) : `${repositoryName(image, chain)}-image-pull`;
