import { linkingsOf } from '../chain/linking.ts';
import type { ChainPlan } from '../chain/plan.ts';
import { stampLine } from '../files/stamp.ts';
import type { Pins } from '../pins.ts';
import { writeYaml, type YamlMap } from '../yaml/write.ts';
import { createSnapshot } from './create-snapshot.ts';
import { extract, extractPipeline } from './extract.ts';
import {
  application,
  component,
  imageRepositories,
  integrationTestScenarios,
  releaseAccess,
  serviceAccounts,
} from './konflux.ts';
import { digestChainFrom, extractImage, labelImage, linkImage, resolveImage } from './own-tasks.ts';
import { pipelineRun } from './pipeline-run.ts';
import { chainPolicy, POLICY_PIPELINE, policyPipeline, policyScenario } from './policy.ts';
import { unifiedBuild } from './unified-build.ts';
import { verifyChain } from './verify-chain.ts';

/** A file to write: its path from the folder of the config, and its bytes. */
export interface RenderedFile {
  readonly path: string;
  readonly text: string;
}

/**
 * Renders every file that Konflux needs for a chain. The same chain and pins give the same bytes everywhere.
 *
 * @param folder Where the files will be in the repository: empty for its root, or with a slash at its end.
 */
export function render(chain: ChainPlan, pins: Pins, folder = ''): RenderedFile[] {
  const scanned = chain.images.slice(1).filter((image) => image.component !== undefined);
  const components = [chain.primary, ...scanned];
  const files: RenderedFile[] = [];
  const add = (path: string, what: string, ...documents: YamlMap[]): void => {
    if (documents.length > 0)
      files.push({
        path,
        text: renderFile(
          what,
          documents.map((document) => withTaskParams(document, chain)),
        ),
      });
  };

  /** Tasks of a bundle are no files. */
  const addOwnTasks = (): void => {
    const from = digestChainFrom(chain);
    const ways = new Set(linkingsOf(chain).map(({ by }) => by));
    if (ways.has('label')) {
      add('pipeline/tasks/label-image.yaml', 'Seals an image and proves the link.', labelImage(from, pins));
    }
    if (ways.has('referrer')) {
      add('pipeline/tasks/link-image.yaml', 'Links images by referrer and proves the link.', linkImage(from, pins));
    }
    if (chain.external.length > 0) {
      const what = 'Finds an image that was built elsewhere.';
      add('pipeline/tasks/resolve-image.yaml', what, resolveImage(from, pins));
    }
    if (scanned.length > 0) {
      const what = 'Waits for a sealed image and hands out one that it links to.';
      add('pipeline/tasks/extract-image.yaml', what, extractImage(from, pins));
    }
  };

  for (const image of components) {
    for (const event of ['push', 'pull-request'] as const) {
      const does = image === chain.primary ? 'Builds the chain' : `Hands the ${image.role} image to Konflux`;
      const what = `${does} on a ${event.replace('-', ' ')}.`;
      add(`.tekton/${image.component}-${event}.yaml`, what, pipelineRun(image, event, chain, folder));
    }
  }

  const builds = 'Builds all images of the chain, links and publishes them.';
  add('pipeline/unified-build.yaml', builds, unifiedBuild(chain, pins));
  for (const image of scanned) {
    const what = `Hands the ${image.role} image to Konflux.`;
    add(`pipeline/${extractPipeline(image)}.yaml`, what, extract(image, chain, pins));
  }
  if (chain.ownTasks === 'source') addOwnTasks();

  const groups = 'Groups the components: they are tested and released together.';
  add('konflux/application.yaml', groups, application(chain));
  add(
    'konflux/components.yaml',
    'One component for each image that Konflux tests, scans and releases.',
    ...components.map((image) => component(image, chain)),
  );
  if (chain.imageRepositories === 'konflux') {
    add(
      'konflux/image-repositories.yaml',
      'Konflux makes these repositories, and a secret to push for each.',
      ...chain.images.flatMap((image) => imageRepositories(image, chain)),
    );
  }
  add(
    'konflux/service-accounts.yaml',
    `Links the secrets that a pipeline needs beyond that of its own image repository.
Apply it server-side: it adds to accounts that Konflux makes, and takes nothing away.`,
    ...serviceAccounts(components, chain),
  );
  const scenarios = integrationTestScenarios(chain, folder);
  if (scenarios.length > 0) {
    add('pipeline/verify-chain.yaml', 'Proves the chain that a Snapshot holds.', verifyChain(chain, pins));
  }
  if (chain.release === 'chain') {
    const what = 'Creates the Snapshot of the chain, which is what is released.';
    add('pipeline/create-snapshot.yaml', what, createSnapshot(chain, pins));
    add('konflux/release-access.yaml', RELEASE_ACCESS, ...releaseAccess(chain));
  }
  add('konflux/integration-tests.yaml', 'Every Snapshot is proved before it can be released.', ...scenarios);
  if (chain.policy !== undefined) {
    const judged =
      "The policy by which Conforma proves the chain, and the test that judges every push's Snapshot by it.";
    add('konflux/policy.yaml', judged, chainPolicy(chain, pins), policyScenario(chain, folder));
    add(POLICY_PIPELINE, 'Asks Conforma about Snapshots that may be released.', policyPipeline(chain, pins));
  }
  return files;
}

const RELEASE_ACCESS = `Lets the pipeline that proves the chain create its Snapshot, under an account of its own.
Only an admin of the namespace may apply it. Who is none sends this file to one, with:
Please run \`kubectl apply --server-side -f release-access.yaml\`: it lets the account in it read and create
Snapshots in this namespace and hold them back from release, and list components, and nothing else.`;

/** A Pipeline with what the config says about the params of its catalog tasks; any other document as it is. */
function withTaskParams(document: YamlMap, { tasks }: ChainPlan): YamlMap {
  const { spec } = document as { spec?: YamlMap };
  if (document.kind !== 'Pipeline' || spec === undefined || Object.keys(tasks).length === 0) return document;
  const changed = (spec.tasks as readonly YamlMap[]).map((task) => {
    const { resolver, params: named } = (task.taskRef ?? {}) as YamlMap;
    const [name] = resolver === 'bundles' ? (named as readonly YamlMap[]) : [];
    const own = Object.entries(tasks).find(([key]) => key === name?.value)?.[1].params;
    if (own === undefined) return task;
    const rendered = (task.params ?? []) as readonly YamlMap[];
    const kept = rendered.filter((entry) => !Object.hasOwn(own, String(entry.name)));
    const given = Object.entries(own).flatMap(([name, value]) => (value === null ? [] : [{ name, value }]));
    return { ...task, params: [...kept, ...given] };
  });
  return { ...document, spec: { ...spec, tasks: changed } };
}

/** A rendered file: what it is, how to change it, what it was rendered to, and its documents. */
function renderFile(what: string, documents: readonly YamlMap[]): string {
  const body = writeYaml(documents);
  const header = `${what}

Rendered from konflux.config.ts by \`pnpm render\`: change that file and render again.
Edits to this one are refused; only digests that a bot updates here are taken over.
${stampLine(body)}`;
  const comment = header.split('\n').map((line) => `# ${line}`.trimEnd());
  return `${comment.join('\n')}\n${body}`;
}
