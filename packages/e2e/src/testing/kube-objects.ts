import { KINDS, type Resource } from '../cluster/resource.ts';

export const APPLICATION = 'chain';

/** A PipelineRun as Pipelines as Code makes it. */
export function pipelineRun(name: string, component: string, revision: string): Resource {
  return {
    ...KINDS.pipelineRun,
    metadata: {
      name,
      labels: {
        'appstudio.openshift.io/application': APPLICATION,
        'appstudio.openshift.io/component': component,
        'pipelines.appstudio.openshift.io/type': 'build',
        'pipelinesascode.tekton.dev/sha': revision,
      },
      annotations: { 'build.appstudio.redhat.com/commit_sha': revision },
    },
    spec: { pipelineRef: { name: 'unified-build' } },
    status: {
      startTime: new Date().toISOString(),
      conditions: [{ type: 'Succeeded', status: 'Unknown', reason: 'Running', message: '' }],
    },
  };
}

/** A Snapshot as the integration service makes it from a build. */
export function snapshot(
  name: string,
  component: string,
  run: string,
  images: Readonly<Record<string, string>>,
): Resource {
  return {
    ...KINDS.snapshot,
    metadata: {
      name,
      labels: {
        'appstudio.openshift.io/application': APPLICATION,
        'appstudio.openshift.io/component': component,
        'appstudio.openshift.io/build-pipelinerun': run,
        'test.appstudio.openshift.io/type': 'component',
      },
      annotations: {},
    },
    spec: {
      application: APPLICATION,
      components: Object.entries(images).map(([entry, containerImage]) => ({ name: entry, containerImage })),
    },
  };
}
