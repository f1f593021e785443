/** What to do about a check that failed, in words, and the command to look with; by the check's id. */
const REMEDIES: Readonly<Record<string, string>> = {
  run: 'look at the first task that failed, and at the log of its step; on a cluster: kubectl get taskruns -l tekton.dev/pipelineRun=<run>',
  built:
    'the build task gave no digest: its log says why; on a cluster, its service account must be linked to the push secret',
  revision: 'the image is of another commit: start the build again, and don’t reuse its tag',
  latest:
    'latest moves last, and only on a push: look at the task apply-tags; somebody else may have pushed the tag since',
  origin: 'Image 1 as built must stay pullable by its tag <sha>-unsealed: registries collect what has no tag',
  env: 'the build argument did not arrive: the Containerfile needs ARG before ENV, and build-image-2 needs BUILD_ARGS (pnpm run doctor looks)',
  label:
    'look with: skopeo inspect docker://<image> | jq .Labels; a missing label means that the Containerfile has no LABEL, or that label-image failed (its service account needs the push secret)',
  runs: 'run it by hand: podman run --rm <image>; a wrong digest means that build arguments did not arrive',
  unseal: 'something changed the image after it was sealed: digest-chain unseal says what',
  unchanged: 'with seal: referrer nothing may change the image after its build: look who pushed the tag',
  proof: 'digest-chain verify <image> says what could not be read',
  'same-push': 'both components must be built by the same push: start the missing one',
  extract: 'the scanner waits for Image 1 of its own commit: did the build succeed, and within timeouts.build?',
  'image-digest': 'the scanner handed over another image: it must read the tag of its own commit, never latest',
  'image-url': 'the result must be repository:tag: look at the parameter output-image of the scanner’s PipelineRun',
  scan: 'the task’s log and its result TEST_OUTPUT say what was found; a finding is fixed in the image, not in the pipeline',
  snapshot:
    'Konflux makes a Snapshot from a run that succeeded, has the results IMAGE_URL, IMAGE_DIGEST, CHAINS-GIT_URL and CHAINS-GIT_COMMIT, and is signed: kubectl get snapshots -l appstudio.openshift.io/build-pipelinerun=<run>',
  signed: 'Chains pushes signatures with the run’s service account: it needs write access to the image’s repository',
  'integration-test':
    'the log of the test’s PipelineRun: the Snapshot’s annotation test.appstudio.openshift.io/status names it',
  'proof/signature': 'was it signed by this key? cosign verify --key cosign.pub --insecure-ignore-tlog <image>',
  'proof/provenance':
    'one run must have both images among its results; cosign verify-attestation --key cosign.pub --type slsaprovenance --insecure-ignore-tlog <image>',
  'proof/build-args':
    'the task that built Image 2 must get Image 1’s digest in BUILD_ARGS: look at pipeline/unified-build.yaml (pnpm render)',
  'proof/chain-statement':
    'the statement that is attached says something else than the labels: oras discover <image> lists what is attached',
};

/** What to do about a failed check; undefined where there is nothing better to say than what was found. */
export function remedyFor(check: string): string | undefined {
  return REMEDIES[check] ?? (check.startsWith('proof/') ? 'digest-chain verify <image> repeats this check' : undefined);
}
