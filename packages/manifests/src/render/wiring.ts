import type { PlannedExternal } from '../chain/external.ts';
import { anchorOf, isSealed, type Linking } from '../chain/linking.ts';
import { fileOptions } from '../chain/naming-files.ts';
import type { ChainPlan, PlannedImage } from '../chain/plan.ts';
import type { CatalogTask, Pins } from '../pins.ts';
import { noted, type Yaml, type YamlMap } from '../yaml/write.ts';

/** `params` of a task, a pipeline run or a resolver: a list of name and value. */
export function params(values: Readonly<Record<string, Yaml | undefined>>): YamlMap[] {
  return Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
}

/** A task of Konflux's catalog, by bundle and digest. */
export function catalogTask(pins: Pins, name: CatalogTask): YamlMap {
  return { resolver: 'bundles', params: params({ name, bundle: pins.tasks[name], kind: 'task' }) };
}

/** A parameter as a Pipeline or Task declares it; one without a default has to be given. */
export const declare = (name: string, description: string, byDefault?: string): YamlMap => ({
  name,
  type: 'string',
  description,
  default: byDefault,
});

export const param = (name: string): string => `$(params.${name})`;
export const result = (task: string, name: string): string => `$(tasks.${task}.results.${name})`;

/** The one condition that Tekton has without an alpha feature: a value is one of a list. */
export function when(input: string, value: string): YamlMap[] {
  return [{ input, operator: 'in', values: [value] }];
}

export const resolveTask = ({ role }: PlannedExternal): string => `resolve-${role}`;
export const buildTask = (image: PlannedImage): string => `build-${image.name}`;
export const extractTask = (image: PlannedImage): string => `extract-${image.name}`;
export const applyTagsTask = (image: PlannedImage): string => `apply-tags-${image.name}`;

/** Our own task that links images in this way. */
export const linkingTask = (by: Linking['by']): string => (by === 'label' ? 'label-image' : 'link-image');

/** The pipeline's task that links an image. */
export const nameOfLinking = ({ image, by }: Pick<Linking, 'image' | 'by'>): string =>
  `${by === 'label' ? 'label' : 'link'}-${image.name}`;

/** What the builder's tag of an image has until it is linked: nobody may see it under its revision's tag. */
export function unlinkedSuffix(image: PlannedImage, chain: ChainPlan): string {
  if (isSealed(image)) return '-unsealed';
  return anchorOf(image, chain) === image ? '-unlinked' : '';
}

/** The task whose results are the image as it is released: sealing makes another image of it, a referrer does not. */
export const finalTask = (image: PlannedImage): string =>
  isSealed(image) ? nameOfLinking({ image, by: 'label' }) : buildTask(image);

/** `repository:tag@digest` of an image as it is released: what carries the statement gets its tag later. */
export function releasedReference(image: PlannedImage, chain: ChainPlan): string {
  if (anchorOf(image, chain) !== image) return reference(finalTask(image));
  return `${param(imageParam(image, chain.primary))}@${result(buildTask(image), 'IMAGE_DIGEST')}`;
}

/** What a proof from this image reads of files, for a task that proves it. */
export function filesParam(image: PlannedImage, chain: ChainPlan): Yaml | undefined {
  const options = fileOptions(image, chain);
  return options.length === 0 ? undefined : noted('What these files name has to be what was built in.', options);
}

/** The results by which Konflux and Chains know an image that a pipeline put out, of the task that did. */
export function imageResults(task: string, description: string, prefix = ''): YamlMap[] {
  return [
    { name: `${prefix}IMAGE_URL`, description, value: result(task, 'IMAGE_URL') },
    { name: `${prefix}IMAGE_DIGEST`, description: 'Its digest', value: result(task, 'IMAGE_DIGEST') },
  ];
}

/** `repository:tag@digest` of what a task put out; IMAGE_URL has the tag. */
export const reference = (task: string): string => `${result(task, 'IMAGE_URL')}@${result(task, 'IMAGE_DIGEST')}`;

/** The pipeline's parameter that says where an image goes, with its tag. */
export const imageParam = (image: PlannedImage, primary: PlannedImage): string =>
  image === primary ? 'output-image' : `${image.role}-image`;

/** The pipeline's parameter that says which image an external one is: by tag or by digest. */
export const externalParam = ({ role }: PlannedExternal): string => `${role}-image`;

/** The pipeline's parameter with the image's repository alone. */
export const repositoryParam = (image: PlannedImage): string => `${image.role}-repository`;

/** The pipeline's parameter that says when an image expires. */
export const expiryParam = (image: PlannedImage): string =>
  image.pullRequestExpiry === undefined ? 'image-expires-after' : `${image.role}-expires-after`;

/** `METADATA_`: prefix of the pipeline's results about an image that is not the primary one. */
export const resultPrefix = (image: PlannedImage): string => `${image.role.toUpperCase().replaceAll('-', '_')}_`;

/** Minutes as Tekton writes a duration. */
export const clock = (minutes: number): string => `${Math.floor(minutes / 60)}h${minutes % 60}m0s`;

/** What a step asks for: memory is also its limit. */
export function resources(memory: string, cpu: string): YamlMap {
  return { limits: { memory }, requests: { memory, cpu } };
}

export const WORKDIR = '/var/workdir';
/** A folder that Tekton gives every step, and that every user may write to. */
export const TEKTON_HOME = '/tekton/home';
export const WORKDIR_VOLUME: YamlMap = { name: 'workdir', emptyDir: {} };

/** What all steps of a task have in common. */
export const STEP_TEMPLATE: YamlMap = {
  securityContext: noted(
    'One user for all steps: Tekton hands registry credentials from step to step in files that only their owner reads.',
    { runAsNonRoot: true, runAsUser: 1001, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  ),
  volumeMounts: [{ name: 'workdir', mountPath: WORKDIR }],
};
