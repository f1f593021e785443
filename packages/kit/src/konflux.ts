// Names of Konflux' API, as it is asked and answers.

export const KONFLUX_GROUP = 'appstudio.redhat.com';
export const KONFLUX_API = 'appstudio.redhat.com/v1alpha1';
/** Of IntegrationTestScenarios. */
export const SCENARIO_API = 'appstudio.redhat.com/v1beta2';

/** Labels and annotations. */
export const KONFLUX = {
  application: 'appstudio.openshift.io/application',
  component: 'appstudio.openshift.io/component',
  /** Of a PipelineRun. */
  pipelineType: 'pipelines.appstudio.openshift.io/type',
  commit: 'build.appstudio.redhat.com/commit_sha',
  pullRequestNumber: 'build.appstudio.redhat.com/pull_request_number',
  /** What the build service is asked to do with a Component, and what came of it. */
  request: 'build.appstudio.openshift.io/request',
  buildStatus: 'build.appstudio.openshift.io/status',
  /** Asks the image controller to write an ImageRepository into its Component; gone when it did. */
  updateImage: 'image-controller.appstudio.redhat.com/update-component-image',
  /** Of an ImageRepository: its Component. */
  repositoryOf: 'appstudio.redhat.com/component',
  /** Of a Snapshot: the PipelineRun that built what it was made for. */
  buildPipelineRun: 'appstudio.openshift.io/build-pipelinerun',
  snapshotType: 'test.appstudio.openshift.io/type',
  testStatus: 'test.appstudio.openshift.io/status',
  /** Of a scenario that a release does not wait for. */
  optional: 'test.appstudio.openshift.io/optional',
  event: 'pac.test.appstudio.openshift.io/event-type',
  /** Of a pull request, and of a push that merged it. */
  pullRequest: 'pac.test.appstudio.openshift.io/pull-request',
  sourceBranch: 'pac.test.appstudio.openshift.io/source-branch',
  /** When the build started, in milliseconds since 1970: a Snapshot with an older one than its component's last is not released. */
  buildStart: 'test.appstudio.openshift.io/pipelinerunstarttime',
  /** With `"false"` the integration service makes no Release of a Snapshot. */
  autoRelease: 'release.appstudio.openshift.io/auto-release',
  /** Of a ReleasePlan: on whose behalf it releases by itself, which the webhook writes where the other one is `"true"`. */
  author: 'release.appstudio.openshift.io/author',
  standingAttribution: 'release.appstudio.openshift.io/standing-attribution',
  /** Ours: which chain it is of. The service copies labels of this prefix from a build to its Snapshot, and from there to its tests. */
  chain: 'custom.appstudio.openshift.io/chain',
} as const;
