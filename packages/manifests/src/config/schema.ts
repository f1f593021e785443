import { DEFAULT_PREFIX, DigestChainError, LabelNames } from '@multi-image/digest-chain/oci';
import { z } from 'zod';

/** Konflux's checks of a finished image, in the order they are rendered. */
export const CHECKS = ['clair-scan', 'clamav-scan', 'deprecated-image-check', 'rpms-signature-scan'] as const;
export type KonfluxCheck = (typeof CHECKS)[number];

/** One image of a chain, as it is written in `konflux.config.ts`. The schema below says what each field is for. */
export interface ImageConfig {
  role: string;
  name?: string | undefined;
  component?: string | undefined;
  serviceAccount?: string | undefined;
  repository: string;
  containerfile: string;
  context?: string | undefined;
  embeds?: string[] | undefined;
  buildArgs?: Record<string, string> | undefined;
  hermetic?: boolean | undefined;
  prefetch?: { type: string; path?: string | undefined }[] | undefined;
  platforms?: string[] | undefined;
  pullRequestExpiry?: string | undefined;
  checks?: KonfluxCheck[] | undefined;
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
  imageFormat?: 'oci' | 'docker' | undefined;
  pullRequestExpiry?: string | undefined;
  imageRepositories?: 'konflux' | 'own' | undefined;
  visibility?: 'public' | 'private' | undefined;
  pushSecret?: string | undefined;
  timeouts?: { build?: string | undefined; checks?: string | undefined } | undefined;
  checks?: KonfluxCheck[] | undefined;
  digestChain?: string | undefined;
  root?: string | undefined;
  pins?: string | undefined;
  images: ImageConfig[];
}

// Each message is the "expected" half of an error: it says what would be right.

/** Leaves room for what Konflux and Tekton append: `build-pipeline-<name>`, `<name>-on-pull-request-<random>`. */
const kubernetesName = (description: string) =>
  z
    .string()
    .regex(
      /^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/,
      'a Kubernetes name: a-z, 0-9 and -, starting with a letter, at most 40 characters',
    )
    .describe(description);

const role = (description: string) =>
  z
    .string()
    .regex(/^[a-z]([-a-z0-9]{0,28}[a-z0-9])?$/, 'a role: a-z, 0-9 and -, starting with a letter, at most 30 characters')
    .describe(description);

// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
const PATH_PART = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const HOST = '[a-z0-9]+(?:[.-][a-z0-9]+)*';

const repositoryPath = z
  .string()
  .max(200, 'at most 200 characters')
  .regex(new RegExp(`^${PATH_PART}(?:/${PATH_PART})*$`), 'a repository name: lower-case words joined by . _ __ - or /');

/** Relative, inside the repository, and free of what Tekton, a shell or a terminal would take for something else. */
const filePath = (description: string) =>
  z
    .string()
    .max(200, 'at most 200 characters')
    .regex(/^(?!.*(?:^|\/)\.\.(?:\/|$))[A-Za-z0-9._][A-Za-z0-9._/@+ -]*$/, 'a path inside the repository, without ..')
    .describe(description);

const duration = (description: string) =>
  z
    .string()
    .regex(/^[1-9][0-9]{0,3}[mh]$/, 'minutes or hours, like 90m or 2h')
    .describe(description);

const expiry = (description: string) =>
  z
    .string()
    .regex(/^[1-9][0-9]{0,3}[hdw]$/, 'hours, days or weeks, like 12h, 5d or 2w')
    .describe(description);

const checks = (description: string) => z.array(z.enum(CHECKS)).describe(description);

/** `$(…)` would be substituted by Tekton, `{{…}}` by Pipelines as Code; a control character belongs into no argument. */
const literal = z
  .string()
  .max(4096, 'at most 4096 characters')
  .regex(/^(?![\s\S]*(?:\$\(|\{\{))\P{Cc}*$/u, 'text without $( and {{ and without control characters');

const imageSchema: z.ZodType<ImageConfig> = z.strictObject({
  role: role("The image's part in the chain, used in label keys and parameter names: primary, metadata, bundle, …"),
  name: kubernetesName(
    'Names the tasks (build-<name>, label-<name>) and the build arguments (<NAME>_DIGEST, <NAME>_URL). Default: image-<position>.',
  ).optional(),
  component: kubernetesName(
    "The Konflux component that hands this image to Konflux. The first image's component runs the build, every other one is a scanner.",
  ).optional(),
  serviceAccount: kubernetesName(
    'Runs the pipeline of this component. Default: build-pipeline-<component>.',
  ).optional(),
  repository: repositoryPath.describe('Where the image is pushed, below the registry.'),
  containerfile: filePath('The Containerfile, from the root of the repository.'),
  context: filePath('The build context, from the root of the repository. Default: .').optional(),
  embeds: z
    .array(z.string())
    .max(100, 'at most 100 roles')
    .describe('Roles of the images whose digests are baked into this one.')
    .optional(),
  buildArgs: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, 'a build argument: letters, digits and _'), literal)
    .describe('Further build arguments.')
    .optional(),
  hermetic: z.boolean().describe('Build without network. Default: true.').optional(),
  prefetch: z
    .array(
      z.strictObject({
        type: z.string().regex(/^[a-z]+$/, 'a package manager, like npm or gomod'),
        path: filePath('Where its lock file is.').optional(),
      }),
    )
    .describe('What to fetch before a hermetic build.')
    .optional(),
  platforms: z
    .array(
      z
        .string()
        .regex(
          /^[a-z0-9]+(?:-[a-z0-9]+)*\/[a-z0-9_]+(?:-[a-z0-9]+)*$/,
          'a platform of the multi-platform controller, like linux/arm64',
        ),
    )
    .min(1, 'at least one platform, or no field')
    .max(20, 'at most 20 platforms')
    .describe(
      'Build for these platforms, one task each, and join them in an index. Default: the platform of the cluster.',
    )
    .optional(),
  pullRequestExpiry: expiry('When the image of a pull request expires. Default: that of the chain.').optional(),
  checks: checks("Konflux's checks of this image. Default: those of the chain.").optional(),
});

/** What `konflux.config.ts` exports: one chain of images, and where it is built and released. */
export const configSchema: z.ZodType<ChainConfig> = z.strictObject({
  application: kubernetesName('The Konflux Application.'),
  displayName: literal.min(1, 'some text').describe('How Konflux shows the application. Default: its name.').optional(),
  namespace: kubernetesName('The tenant namespace.'),
  git: z
    .strictObject({
      url: z
        .string()
        .regex(
          /^https:\/\/[A-Za-z0-9.-]+(?::[0-9]+)?(?:\/[A-Za-z0-9._~-]+)+$/,
          'an https URL of a git repository, without credentials',
        )
        .describe('Where the source is.'),
      branch: z
        .string()
        .max(200, 'at most 200 characters')
        .regex(/^(?!.*(?:\.\.|\/\/|\/\.|\.lock(?:\/|$)|[./]$))[A-Za-z0-9_][A-Za-z0-9._/-]*$/, 'a branch name')
        .describe('Pushes to it and pull requests for it are built. Default: main.')
        .optional(),
    })
    .describe('The git repository.'),
  registry: z
    .string()
    .max(200, 'at most 200 characters')
    .regex(
      new RegExp(`^${HOST}(?:/${PATH_PART})*$`),
      'host/organisation in lower case, without a port (Konflux cuts an image reference at its first colon)',
    )
    .describe("Registry and organisation: what stands before every image's repository."),
  labelPrefix: z
    .string()
    .check(({ value, issues }) => {
      try {
        new LabelNames(value);
      } catch (error) {
        if (error instanceof DigestChainError)
          issues.push({ code: 'custom', message: error.expected ?? error.message, input: value });
      }
    })
    .describe(`Prefix of the labels that link the images. Default: ${DEFAULT_PREFIX}.`)
    .optional(),
  seal: z
    .enum(['label', 'referrer'])
    .describe('How an image links back to those that embed it. Default: label.')
    .optional(),
  imageFormat: z.enum(['oci', 'docker']).describe('Manifest format of the images. Default: oci.').optional(),
  pullRequestExpiry: expiry('When the images of a pull request expire. Default: 5d.').optional(),
  imageRepositories: z
    .enum(['konflux', 'own'])
    .describe(
      'Who makes the image repositories and the credentials for them: Konflux (ImageRepository resources), or you. Default: konflux.',
    )
    .optional(),
  visibility: z
    .enum(['public', 'private'])
    .describe('Of the repositories that Konflux makes. Default: public.')
    .optional(),
  pushSecret: kubernetesName(
    'Where imageRepositories is own: the secret with your credentials. Default: <application>-push.',
  ).optional(),
  timeouts: z
    .strictObject({
      build: duration('For the build pipeline, and how long a scanner waits for it. Default: 2h.').optional(),
      checks: duration('What a scanner has on top of that. Default: 1h.').optional(),
    })
    .describe('Time limits. A scanner always outlasts the build it waits for.')
    .optional(),
  checks: checks('Checks that Konflux runs on every image. Default: all.').optional(),
  digestChain: filePath(
    "Where the repository has digest-chain's command. Default: packages/digest-chain/src/cli.ts.",
  ).optional(),
  root: z
    .string()
    .regex(/^(?:\.|\.\.(?:\/\.\.)*)$/, '. or ../.. and so on')
    .describe("The repository's root, from the folder of the config. Default: .")
    .optional(),
  pins: filePath('A file of pins to use instead of the built-in one, from the folder of the config.').optional(),
  images: z
    .array(imageSchema)
    .min(1, 'at least one image')
    .max(200, 'at most 200 images')
    .describe('The chain, the primary image first.'),
});
