import { KINDS, type Resource } from '../../targets/cluster/api/resource.ts';
import type { PublishedChain } from '../tenant-chain.ts';

export const APPLICATION = 'chain';
export const SOURCE = 'https://github.com/acme/chain';

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
  revision: string,
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
        'pac.test.appstudio.openshift.io/event-type': 'push',
        // On GitHub, of the pull request that the push merged.
        'pac.test.appstudio.openshift.io/pull-request': '7',
        'custom.appstudio.openshift.io/chain': 'app',
        'release.appstudio.openshift.io/auto-release': 'false',
      },
      annotations: { 'test.appstudio.openshift.io/pipelinerunstarttime': String(Date.now()) },
    },
    spec: {
      application: APPLICATION,
      components: Object.entries(images).map(([entry, containerImage]) => ({
        name: entry,
        containerImage,
        // The others are of the build before.
        source: { git: { url: SOURCE, revision: entry === component ? revision : '0'.repeat(40) } },
      })),
    },
  };
}

/** How Tekton writes the condition of a run. */
export function condition(status: 'True' | 'False' | 'Unknown', reason: string, message = ''): object[] {
  return [{ type: 'Succeeded', status, reason, message, lastTransitionTime: new Date().toISOString() }];
}

/** A task that does not end well: by its step, or without one. */
export interface TaskFailure {
  component: string;
  task: string;
  /** Of the step; without one no step ever ran. */
  log?: string;
  reason?: string;
  message?: string;
}

/** The end of a TaskRun, as Tekton's controller writes it. */
export function endedTask(results: Readonly<Record<string, string>>, failure?: TaskFailure): Record<string, unknown> {
  const step = (exitCode: number, reason: string): object => ({
    name: 'build',
    container: 'step-build',
    terminated: { exitCode, reason },
  });
  const completionTime = new Date().toISOString();
  if (failure === undefined) {
    const list = Object.entries(results).map(([name, value]) => ({ name, type: 'string', value }));
    const steps = [step(0, 'Completed')];
    return { completionTime, steps, results: list, conditions: condition('True', 'Succeeded') };
  }
  const { log, reason = 'Failed', message = '"step-build" exited with code 1' } = failure;
  const steps = log === undefined ? [] : [step(1, 'Error')];
  return { completionTime, steps, conditions: condition('False', reason, message) };
}

/** What a task of the chain's pipelines reports. */
export function resultsOf(chain: PublishedChain, revision: string, task: string): Record<string, string> {
  const { origin, sealed, metadata, image1, image2 } = chain;
  const scan = { TEST_OUTPUT: JSON.stringify({ result: 'SUCCESS', note: '' }) };
  const results: Record<string, Record<string, string>> = {
    'build-image-1': { IMAGE_URL: `${image1}:${revision}-unsealed`, IMAGE_DIGEST: origin },
    'build-image-2': { IMAGE_URL: `${image2}:${revision}`, IMAGE_DIGEST: metadata },
    'label-image-1': { IMAGE_URL: `${image1}:${revision}`, IMAGE_DIGEST: sealed },
    'extract-image-2': { IMAGE_URL: `${image2}:${revision}`, IMAGE_DIGEST: metadata },
    'clair-scan': scan,
  };
  return results[task] ?? {};
}
