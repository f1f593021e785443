import type { Target } from './report.ts';

/** What to do about a check that failed, in words, and the command to look with; on a cluster, and elsewhere. */
interface Remedy {
  cluster: string;
  elsewhere: string;
}

/** By the check's id. */
const REMEDIES: Readonly<Record<string, string | Remedy>> = {
  task: 'what it said last is above; what fell after it fell with it',
  run: {
    cluster:
      'look at the first task that failed, and at the log of its step: kubectl get taskruns -l tekton.dev/pipelineRun=<run>',
    elsewhere: 'look at the first task that failed, and at the end of its log',
  },
  built: {
    cluster: 'the build task gave no digest: its log says why; its service account must be linked to the push secret',
    elsewhere: 'the build task gave no digest: its log says why',
  },
  published: {
    cluster:
      'the revision tag comes last but for latest: look at the task that seals or pushes the image (label-<image>, build-<image>); it needs push access (kubectl get secrets), and a pull request’s images expire',
    elsewhere:
      'the revision tag comes last but for latest: look at the task that seals or pushes the image (label-<image>, build-<image>)',
  },
  revision: 'the image is of another commit: start the build again, and don’t reuse its tag',
  latest: {
    cluster:
      'latest moves last, and only on a push: look at the task apply-tags; somebody else may have pushed the tag since',
    elsewhere: 'latest moves last: look at the task apply-tags',
  },
  origin: 'an image as built must stay pullable by its tag <sha>-unsealed: registries collect what has no tag',
  'build-args': {
    cluster:
      'the pipeline passes no digest to the build: look for --build-arg in the log of the build task (kubectl logs -l tekton.dev/pipelineTask=build-<image>), and at BUILD_ARGS in pipeline/unified-build.yaml (pnpm render)',
    elsewhere:
      'the pipeline passes no digest to the build: look at BUILD_ARGS in pipeline/unified-build.yaml (pnpm render --check)',
  },
  env: 'the build argument did not arrive in the image: the Containerfile needs ARG before ENV, and the build task needs BUILD_ARGS (pnpm run doctor names the line)',
  label: {
    cluster:
      'look with: skopeo inspect docker://<image> | jq .Labels; a missing label means that the Containerfile has no LABEL (pnpm run doctor names the line), or that the task label-<image> failed (its service account needs the push secret)',
    elsewhere:
      'a missing label means that the Containerfile has no LABEL (pnpm run doctor names the line), or that the task label-<image> failed',
  },
  'sealed-from': {
    cluster:
      'the seal names another image than the one that was built: start the build again; somebody else may have pushed the tag since',
    elsewhere: 'the seal names another image than the one that was built: start the run again',
  },
  runs: 'run it by hand: podman run --rm <image>; what it said last is above',
  expect: 'run it by hand with the args of its config: expect has to be in what it prints on standard output',
  greeting:
    'these lines are printed by apps/image1 and apps/image2: were two Containerfiles or repositories swapped? A program of your own is not judged by them: give the image another label name in its Containerfile',
  'prints-digest':
    'run it by hand: podman run --rm <image> | grep Digest; a wrong digest means that build arguments did not arrive. It is the digest of the image as built: that of latest differs, since the seal’s labels are part of it',
  'prints-url':
    'the image must get repository@digest as the build argument <IMAGE>_URL: look at BUILD_ARGS of its build task',
  unseal: 'something changed the image after it was sealed: digest-chain unseal says what',
  unchanged: 'with seal: referrer nothing may change the image after its build: look who pushed the tag',
  proof: 'digest-chain verify <image> says what could not be read',
  extract: {
    cluster:
      'the scanner waits for the image of its own commit: did the build succeed, and within timeouts.build? A label that it can’t find is looked for with: skopeo inspect docker://<image> | jq .Labels',
    elsewhere: 'the scanner waits for the image of its own commit: did the build succeed, and within timeouts.build?',
  },
  'image-digest': 'the scanner handed over another image: it must read the tag of its own commit, never latest',
  'image-url': 'the result must be repository:tag: look at the parameter output-image of the scanner’s PipelineRun',
  scan: 'the task’s log and its result TEST_OUTPUT say what was found; a finding is fixed in the image, not in the pipeline',
  snapshot:
    'Konflux makes a Snapshot from a run that succeeded, has the results IMAGE_URL, IMAGE_DIGEST, CHAINS-GIT_URL and CHAINS-GIT_COMMIT, and is signed: kubectl get snapshots -l appstudio.openshift.io/build-pipelinerun=<run>',
  signed: {
    cluster: 'Chains pushes signatures with the run’s service account: it needs write access to the image’s repository',
    elsewhere: 'the stand-in for Chains signs what the run pushed: its log says what it could not',
  },
  'chain-snapshot': {
    cluster:
      'the log of the PipelineRun of the scenario release-<component> says why it made none; it needs the Role of konflux/release-access.yaml',
    elsewhere: 'the scenario that makes the chain’s Snapshot says why it made none',
  },
  release: {
    cluster: 'the Release says which task of its pipeline failed: kubectl describe release <name>',
    elsewhere: 'the Release says which task of its pipeline failed',
  },
  external: {
    cluster:
      'the task resolve-<image> looks for what the config names: is it there, by that tag, and may the service account pull it?',
    elsewhere: 'the task resolve-<image> looks for what the config names: is it there, by that tag?',
  },
  'integration-test':
    'the log of the test’s PipelineRun: the Snapshot’s annotation test.appstudio.openshift.io/status names it',
  level:
    'with a key everything has to be signed, and one signed provenance has to tell the build arguments: the build type …/slsa of Chains does not, …/slsa-tekton does (configure Chains’ builddefinition.buildtype). Without a key the links alone are proved',
  'proof/linked-image-exists':
    'is the linked image still there? Of a chain that was copied: pnpm e2e verify <image> --at <role>=<repository> (so has digest-chain verify)',
  'proof/signature': 'was it signed by this key? cosign verify --key cosign.pub --insecure-ignore-tlog <image>',
  'proof/provenance':
    'one PipelineRun must have all images, as built and as published, among its results (Chains: artifacts.pipelinerun.enable-deep-inspection); cosign verify-attestation --key cosign.pub --type slsaprovenance --insecure-ignore-tlog <image>',
  'proof/builder':
    'only Tekton Chains is believed, unless another builder is named: pnpm e2e verify <image> --builder-id <id>; a local run calls itself https://tekton.dev/chains/v2#tekton-local',
  'proof/source':
    'the labels say what a build wrote, this is what was signed: was the image built from a fork, a pull request or another commit? The task that clones has to return CHAINS-GIT_URL and CHAINS-GIT_COMMIT',
  'proof/built-by':
    'a Succeeded task of the same run must return the image as built in IMAGE_DIGEST; with Chains’ plain build type nothing tells (configure builddefinition.buildtype: …/slsa-tekton)',
  'proof/build-args':
    'the task that built the image must get the other one’s digest in BUILD_ARGS under the name of the variable that keeps it, and nothing beside it that sets arguments, labels or environment: look at pipeline/unified-build.yaml (pnpm render)',
  'proof/chain-statement':
    'the statement that is attached says something else than the labels: oras discover <image> lists what is attached',
};

/** What to do about a failed check of such a target; undefined where there is nothing better to say than what was found. */
export function remedyFor(check: string, target: Target): string | undefined {
  const remedy =
    REMEDIES[check] ?? (check.startsWith('proof/') ? 'digest-chain verify <image> repeats this check' : undefined);
  if (typeof remedy === 'string' || remedy === undefined) return remedy;
  return target === 'tenant' || target === 'tekton' ? remedy.cluster : remedy.elsewhere;
}
