import { createPublicKey } from 'node:crypto';
import { DEFAULT_PREFIX, DigestChainError, globOf, LabelNames, parseReference } from '@multi-image/digest-chain/oci';
import { z } from 'zod';
import { CATALOG_TASKS, type CatalogTask } from '../pins.ts';

/** Konflux's checks of a finished image, in the order they are rendered. */
export const CHECKS = ['clair-scan', 'clamav-scan', 'deprecated-image-check', 'rpms-signature-scan'] as const;
export type KonfluxCheck = (typeof CHECKS)[number];

/** Params of tasks from Konflux's catalog that differ from what is rendered; null takes one away. */
export type TaskParams = Partial<Record<CatalogTask, { params: Record<string, string | string[] | null> }>>;

/** An image that is embedded, and the files of the embedding one that name it by digest, as patterns: `manifests/*.yaml`. */
export interface EmbeddedConfig {
  image: string;
  in: string[];
}

/** One image of a chain, as it is written in `konflux.config.ts`. The schema below says what each field is for. */
export interface ImageConfig {
  role: string;
  name?: string | undefined;
  component?: string | undefined;
  serviceAccount?: string | undefined;
  repository: string;
  releaseRepository?: string | undefined;
  containerfile: string;
  context?: string | undefined;
  embeds?: (string | EmbeddedConfig)[] | undefined;
  seal?: 'label' | 'referrer' | 'none' | undefined;
  buildArgs?: Record<string, string> | undefined;
  hermetic?: boolean | undefined;
  prefetch?: { type: string; path?: string | undefined }[] | undefined;
  platforms?: string[] | undefined;
  pullRequestExpiry?: string | undefined;
  checks?: KonfluxCheck[] | undefined;
  run?: false | { args?: string[] | undefined; expect?: string | undefined } | undefined;
}

/** An image that is built elsewhere, as it is written in `konflux.config.ts`. */
export interface ExternalConfig {
  image: string;
  component?: string | undefined;
  releaseRepository?: string | undefined;
}

/** A chain as it is written in `konflux.config.ts`: where it is built and released, and its images. */
export interface ChainConfig {
  application: string;
  displayName?: string | undefined;
  namespace: string;
  git: { url: string; branch?: string | undefined };
  registry: string;
  labelPrefix?: string | undefined;
  seal?: 'label' | 'referrer' | undefined;
  release?: 'chain' | 'components' | undefined;
  imageFormat?: 'oci' | 'docker' | undefined;
  pullRequestExpiry?: string | undefined;
  imageRepositories?: 'konflux' | 'own' | undefined;
  visibility?: 'public' | 'private' | undefined;
  pushSecret?: string | undefined;
  pullRequestAccount?: string | undefined;
  buildSystem?:
    | { publicKey: string; builderId?: string | undefined; waitFor?: 'signed' | 'attested' | undefined }
    | undefined;
  timeouts?: { build?: string | undefined; checks?: string | undefined } | undefined;
  checks?: KonfluxCheck[] | undefined;
  tasks?: TaskParams | undefined;
  ownTasks?: 'source' | { bundle: string; runner: string } | undefined;
  policy?: 'source' | { bundle: string } | undefined;
  digestChain?: string | undefined;
  root?: string | undefined;
  pins?: string | undefined;
  external?: Record<string, ExternalConfig> | undefined;
  images: ImageConfig[];
}

/** Text as it has to be; the message is the "expected" half of an error: it says what would be right. */
const text = (pattern: RegExp, expected: string, most?: number) =>
  (most === undefined ? z.string() : z.string().max(most, `at most ${most} characters`)).regex(pattern, expected);

/** Leaves room for what Konflux and Tekton append: `build-pipeline-<name>`, `<name>-on-pull-request-<random>`. */
const kubernetesName = text(
  /^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/,
  'a Kubernetes name: a-z, 0-9 and -, starting with a letter, at most 40 characters',
);

const role = text(
  /^[a-z]([-a-z0-9]{0,28}[a-z0-9])?$/,
  'a role: a-z, 0-9 and -, starting with a letter, at most 30 characters',
);

// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
const PATH_PART = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const HOST = '[a-z0-9]+(?:[.-][a-z0-9]+)*';

/** Relative, inside the repository, and free of what Tekton, a shell or a terminal would take for something else. */
const filePath = text(
  /^(?!.*(?:^|\/)\.\.(?:\/|$))[A-Za-z0-9._][A-Za-z0-9._/@+ -]*$/,
  'a path inside the repository, without ..',
  200,
);

/** What runs in pods: a tag can move, so there has to be a digest. */
const pinnedReference = text(
  new RegExp(`^${HOST}(?::[0-9]{1,5})?(?:/${PATH_PART})+(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?@sha256:[0-9a-f]{64}$`),
  'registry/repository:tag@sha256:<64 hex digits>: a tag can move, so take the digest too',
  500,
);

const duration = text(/^[1-9][0-9]{0,3}[mh]$/, 'minutes or hours, like 90m or 2h');
const expiry = text(/^[1-9][0-9]{0,3}[hdw]$/, 'hours, days or weeks, like 12h, 5d or 2w');
const checks = z.array(z.enum(CHECKS));

/** `$(…)` would be substituted by Tekton, `{{…}}` by Pipelines as Code; a control character belongs into no argument. */
const literal = text(
  /^(?![\s\S]*(?:\$\(|\{\{))\P{Cc}*$/u,
  'text without $( and {{ and without control characters',
  4096,
);

/** It may refer to what the pipeline has, but to nothing of Pipelines as Code. */
const taskText = text(/^(?![\s\S]*\{\{)\P{Cc}*$/u, 'text without {{ and without control characters', 4096);
const taskParam = z.union([taskText, z.array(taskText), z.null()]);

const PUBLIC_KEYS = /^\s*(?:-----BEGIN PUBLIC KEY-----\s[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----\s*)+$/;
const publicKey = z.string().check(({ value, issues }) => {
  const expected =
    "public keys in PEM, that begin with -----BEGIN PUBLIC KEY-----: what Chains' Secret public-key has as cosign.pub";
  if (value.length <= 16_384 && PUBLIC_KEYS.test(value) && value.split(/(?=-----BEGIN)/).every(isPublicKey)) return;
  issues.push({ code: 'custom', message: expected, input: value });
});

function isPublicKey(pem: string): boolean {
  if (pem.trim() === '') return true;
  try {
    createPublicKey(pem);
    return true;
  } catch {
    return false;
  }
}

const platform = text(
  /^[a-z0-9]+(?:-[a-z0-9]+)*\/[a-z0-9_]+(?:-[a-z0-9]+)*$/,
  'a platform of the multi-platform controller, like linux/arm64',
);

/** Text that digest-chain takes; what it would be is the message of its refusal. */
const takenBy =
  (take: (text: string) => unknown): z.core.CheckFn<string> =>
  ({ value, issues }) => {
    try {
      take(value);
    } catch (error) {
      if (!(error instanceof DigestChainError)) throw error;
      issues.push({ code: 'custom', message: error.expected ?? error.message, input: value });
    }
  };

const labelPrefix = z.string().check(takenBy((prefix) => new LabelNames(prefix)));
const filePattern = literal.max(200, 'at most 200 characters').check(takenBy(globOf));

/** A field that may be left out, and what it is for. */
const optional = <Schema extends z.ZodType>(schema: Schema, purpose: string): z.ZodOptional<Schema> =>
  schema.optional().describe(purpose);

const releaseRepository = text(
  new RegExp(`^${HOST}(?::[0-9]{1,5})?(?:/${PATH_PART})+$`),
  'a registry and a repository, like registry.redhat.io/my-org/my-operator',
  255,
);

/** Written out, so that it is the same one for everybody; without a name in it, it would be whatever is `latest`. */
const externalImage = text(
  new RegExp(
    `^${HOST}(?::[0-9]{1,5})?(?:/${PATH_PART})+(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(?:@sha(?:256|512):[0-9a-f]+)?$`,
  ),
  'registry/repository:tag or registry/repository@sha256:…',
  500,
)
  .regex(/[:@][^/]*$/, 'a tag or a digest: registry/repository:tag or registry/repository@sha256:…')
  .check(takenBy(parseReference));

const externalSchema: z.ZodType<ExternalConfig> = z.strictObject({
  image: externalImage.describe(
    'By tag, which every run resolves once, before it builds; or by digest. It has to be there, and the tag must not move during the run.',
  ),
  component: optional(
    kubernetesName,
    'The Konflux component of the application that it is, with a pipeline of its own; no other image can be that one.',
  ),
  releaseRepository: optional(
    releaseRepository,
    'Where it is released, if files have to name it there: those are built with <NAME>_RELEASED_URL, too.',
  ),
});

const imageSchema: z.ZodType<ImageConfig> = z.strictObject({
  role: role.describe(
    "The image's part in the chain, used in label keys and parameter names: primary, metadata, bundle, …",
  ),
  name: optional(
    kubernetesName,
    'Names the tasks (build-<name>, label-<name>) and the build arguments (<NAME>_DIGEST, <NAME>_URL). Default: image-<position>.',
  ),
  component: optional(
    kubernetesName,
    "The Konflux component that hands this image to Konflux. The first image's component runs the build, every other one is a scanner.",
  ),
  serviceAccount: optional(kubernetesName, 'Runs the pipeline of this component. Default: build-pipeline-<component>.'),
  repository: text(
    new RegExp(`^${PATH_PART}(?:/${PATH_PART})*$`),
    'a repository name: lower-case words joined by . _ __ - or /',
    200,
  ).describe('Where the image is pushed, below the registry.'),
  releaseRepository: optional(
    releaseRepository,
    'Where the image is released, if files of others have to name it there: those are built with <NAME>_RELEASED_URL, too.',
  ),
  containerfile: filePath.describe('The Containerfile, from the root of the repository.'),
  context: optional(filePath, 'The build context, from the root of the repository. Default: .'),
  embeds: optional(
    z
      .array(
        z.union([
          z.string(),
          z.strictObject({
            image: z.string().describe('The role of the image, of this chain or external.'),
            in: z
              .array(filePattern)
              .min(1, 'at least one pattern')
              .max(50, 'at most 50 patterns')
              .describe('Files of this image that name it by digest, as manifests/*.yaml: checked with every proof.'),
          }),
        ]),
      )
      .max(100, 'at most 100 roles'),
    'Roles of the images whose digests are baked into this one: of this chain, or external.',
  ),
  seal: optional(
    z.enum(['label', 'referrer', 'none']),
    'How this image, which others embed, links back to them: by labels, which make another digest of it; by a statement beside it; not at all. Default: that of the chain.',
  ),
  buildArgs: optional(
    z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, 'a build argument: letters, digits and _'), literal),
    'Further build arguments.',
  ),
  hermetic: optional(z.boolean(), 'Build without network. Default: true.'),
  prefetch: optional(
    z.array(
      z.strictObject({
        type: z.string().regex(/^[a-z]+$/, 'a package manager, like npm or gomod'),
        path: optional(filePath, 'Where its lock file is.'),
      }),
    ),
    'What to fetch before a hermetic build.',
  ),
  platforms: optional(
    z.array(platform).min(1, 'at least one platform, or no field').max(20, 'at most 20 platforms'),
    'Build for these platforms, one task each, and join them in an index. Default: the platform of the cluster.',
  ),
  pullRequestExpiry: optional(expiry, 'When the image of a pull request expires. Default: that of the chain.'),
  run: optional(
    z.union([
      z.literal(false),
      z.strictObject({
        args: optional(z.array(literal).max(100, 'at most 100 arguments'), 'What its entrypoint is given.'),
        expect: optional(literal, 'Text that it prints.'),
      }),
    ]),
    'How the proof runs the image, without a network: by its own entrypoint, that ends by itself; or false. Default: it is run where it has the program of this template.',
  ),
  checks: optional(checks, "Konflux's checks of this image. Default: those of the chain."),
});

/** What `konflux.config.ts` exports: one chain of images, and where it is built and released. */
export const configSchema: z.ZodType<ChainConfig> = z.strictObject({
  application: kubernetesName.describe('The Konflux Application.'),
  displayName: optional(literal.min(1, 'some text'), 'How Konflux shows the application. Default: its name.'),
  namespace: kubernetesName.describe('The tenant namespace.'),
  git: z
    .strictObject({
      url: text(
        /^https:\/\/[A-Za-z0-9.-]+(?::[0-9]+)?(?:\/[A-Za-z0-9._~-]+)+$/,
        'an https URL of a git repository, without credentials',
      ).describe('Where the source is.'),
      branch: optional(
        text(/^(?!.*(?:\.\.|\/\/|\/\.|\.lock(?:\/|$)|[./]$))[A-Za-z0-9_][A-Za-z0-9._/-]*$/, 'a branch name', 200),
        'Pushes to it and pull requests for it are built. Default: main.',
      ),
    })
    .describe('The git repository.'),
  registry: text(
    new RegExp(`^${HOST}(?:/${PATH_PART})*$`),
    'host/organisation in lower case, without a port (Konflux cuts an image reference at its first colon)',
    200,
  ).describe("Registry and organisation: what stands before every image's repository."),
  labelPrefix: optional(labelPrefix, `Prefix of the labels that link the images. Default: ${DEFAULT_PREFIX}.`),
  seal: optional(
    z.enum(['label', 'referrer']),
    'How an image links back to those that embed it: by labels, which make another digest of it, or by a statement beside it, which leaves it as it was built. Default: label.',
  ),
  release: optional(
    z.enum(['chain', 'components']),
    'What Konflux releases of a push: one Snapshot of the whole chain, made once it is proved; or the Snapshot of each component, with the others as they were last promoted. Default: chain.',
  ),
  imageFormat: optional(z.enum(['oci', 'docker']), 'Manifest format of the images. Default: oci.'),
  pullRequestExpiry: optional(expiry, 'When the images of a pull request expire. Default: 5d.'),
  imageRepositories: optional(
    z.enum(['konflux', 'own']),
    'Who makes the image repositories and the credentials for them: Konflux (ImageRepository resources), or you. Default: konflux.',
  ),
  visibility: optional(z.enum(['public', 'private']), 'Of the repositories that Konflux makes. Default: public.'),
  pushSecret: optional(
    kubernetesName,
    'Where imageRepositories is own: the secret with your credentials. Default: <application>-push.',
  ),
  pullRequestAccount: optional(
    kubernetesName,
    'Runs the pipelines of pull requests, which then push to <repository>-pull-requests and to nothing that is released. Default: they run as pushes do.',
  ),
  buildSystem: optional(
    z.strictObject({
      publicKey: publicKey.describe(
        'The public key (PEM) that Tekton Chains signs with; several in a row where it changes.',
      ),
      builderId: optional(
        text(/^https:\/\/[!-~]{1,200}$/, 'a URL, as Chains writes it into builder.id'),
        'What Chains calls itself. Default: https://tekton.dev/chains/v2.',
      ),
      waitFor: optional(
        z.enum(['signed', 'attested']),
        'What a scanner waits for: that the images are signed, and that the tasks which made them are attested (seconds after those), or that their whole run is (after it has ended). Default: signed.',
      ),
    }),
    'Who signs what is built. Without it nothing but the link is proved in the pipelines.',
  ),
  timeouts: optional(
    z.strictObject({
      build: optional(duration, 'For the build pipeline, and how long a scanner waits for it. Default: 2h.'),
      checks: optional(duration, 'What a scanner has on top of that. Default: 1h.'),
    }),
    'Time limits. A scanner always outlasts the build it waits for.',
  ),
  checks: optional(checks, 'Checks that Konflux runs on every image. Default: all.'),
  tasks: optional(
    z.partialRecord(
      z.enum(CATALOG_TASKS),
      z.strictObject({ params: z.record(z.string().regex(/^[A-Za-z_][\w.-]{0,99}$/, 'a param'), taskParam) }),
    ),
    "Params of tasks from Konflux's catalog, beside or instead of what is rendered; null takes one away.",
  ),
  ownTasks: optional(
    z.union([
      z.literal('source'),
      z.strictObject({
        bundle: pinnedReference.describe('The bundle of the tasks, by tag and digest.'),
        runner: pinnedReference.describe('The image that they run in, by tag and digest.'),
      }),
    ]),
    'Where the tasks that link images come from: the source that is built; or a bundle that was published before, with digest-chain in an image of its own, which no change of the source changes. Default: source.',
  ),
  policy: optional(
    z.union([
      z.literal('source'),
      z.strictObject({ bundle: pinnedReference.describe('The bundle of the policy, by tag and digest.') }),
    ]),
    'Renders a policy by which Conforma proves the chain, and a test of Snapshots that asks it: the policy of this repository, at the commit of the verifier; or a bundle of it. Default: none.',
  ),
  digestChain: optional(
    filePath,
    "Where the repository has digest-chain's command. Default: packages/digest-chain/src/cli.ts.",
  ),
  root: optional(
    z.string().regex(/^(?:\.|\.\.(?:\/\.\.)*)$/, '. or../.. and so on'),
    "The repository's root, from the folder of the config. Default: .",
  ),
  pins: optional(filePath, 'A file of pins to use instead of the built-in one, from the folder of the config.'),
  external: optional(
    z.record(role, externalSchema),
    'Images that are built elsewhere and that images of this chain embed, by role: each build is given <NAME>_DIGEST and <NAME>_URL of one and the same, where the name is the role.',
  ),
  images: z
    .array(imageSchema)
    .min(1, 'at least one image')
    .max(200, 'at most 200 images')
    .describe('The chain, the primary image first.'),
});
