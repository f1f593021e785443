import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Pins, readPins } from '@multi-image/manifests';
import { pipelineSchema, taskSchema } from '@multi-image/testing/tekton-schema';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { readStandIn, STAND_INS } from './stand-ins.ts';

const repository = resolve(import.meta.dirname, '../../../..');
const folder = resolve(import.meta.dirname, '../../../../stand-ins');
const pins = readPins();

/**
 * The interface of the catalog's tasks, as far as pipelines use it (quay.io/konflux-ci/tekton-catalog, the versions
 * pinned in the rendered pipelines). `[]` marks an array, `!` a param without default.
 */
const CATALOG: Record<string, { params: string; results: string; workspaces?: string }> = {
  init: { params: 'enable-cache-proxy', results: 'http-proxy no-proxy' },
  'git-clone-oci-ta': {
    params: 'url! revision ociStorage! ociArtifactExpiresAfter depth submodules fetchTags shortCommitLength',
    results: 'CHAINS-GIT_COMMIT CHAINS-GIT_URL SOURCE_ARTIFACT commit commit-timestamp merged_sha short-commit url',
    workspaces: 'basic-auth ssh-directory',
  },
  'prefetch-dependencies-oci-ta': {
    params: 'input! SOURCE_ARTIFACT! ociStorage! ociArtifactExpiresAfter enable-package-registry-proxy',
    results: 'CACHI2_ARTIFACT SOURCE_ARTIFACT',
    workspaces: 'git-basic-auth netrc',
  },
  'buildah-oci-ta': {
    params:
      'IMAGE! SOURCE_ARTIFACT! CACHI2_ARTIFACT DOCKERFILE CONTEXT BUILD_ARGS[] BUILD_ARGS_FILE LABELS[] ANNOTATIONS[] ' +
      'HERMETIC PREFETCH_INPUT COMMIT_SHA SOURCE_URL IMAGE_EXPIRES_AFTER BUILDAH_FORMAT SOURCE_DATE_EPOCH ' +
      'REWRITE_TIMESTAMP OMIT_HISTORY HTTP_PROXY NO_PROXY',
    results: 'IMAGE_DIGEST IMAGE_REF IMAGE_URL SBOM_BLOB_URL',
  },
  'buildah-remote-oci-ta': {
    params:
      'PLATFORM! IMAGE_APPEND_PLATFORM IMAGE! SOURCE_ARTIFACT! CACHI2_ARTIFACT DOCKERFILE CONTEXT BUILD_ARGS[] BUILD_ARGS_FILE LABELS[] ANNOTATIONS[] ' +
      'HERMETIC PREFETCH_INPUT COMMIT_SHA SOURCE_URL IMAGE_EXPIRES_AFTER BUILDAH_FORMAT SOURCE_DATE_EPOCH ' +
      'REWRITE_TIMESTAMP OMIT_HISTORY HTTP_PROXY NO_PROXY',
    results: 'IMAGE_DIGEST IMAGE_REF IMAGE_URL SBOM_BLOB_URL',
  },
  'build-image-index': {
    params: 'IMAGE! IMAGES[]! ALWAYS_BUILD_INDEX BUILDAH_FORMAT',
    results: 'IMAGES IMAGE_DIGEST IMAGE_REF IMAGE_URL SBOM_BLOB_URL',
  },
  'clair-scan': { params: 'image-url! image-digest!', results: 'IMAGES_PROCESSED REPORTS SCAN_OUTPUT TEST_OUTPUT' },
  'clamav-scan': { params: 'image-url! image-digest!', results: 'IMAGES_PROCESSED TEST_OUTPUT' },
  'deprecated-image-check': { params: 'IMAGE_URL! IMAGE_DIGEST!', results: 'IMAGES_PROCESSED TEST_OUTPUT' },
  'rpms-signature-scan': { params: 'image-url! image-digest!', results: 'IMAGES_PROCESSED RPMS_DATA TEST_OUTPUT' },
  'apply-tags': { params: 'IMAGE_URL! IMAGE_DIGEST! ADDITIONAL_TAGS[]', results: '' },
  'sast-snyk-check-oci-ta': {
    params:
      'SOURCE_ARTIFACT! CACHI2_ARTIFACT image-url! image-digest! ARGS EXTRA_ARTIFACT_FILTER FETCH_EXTRA_ARTIFACTS ' +
      'IGNORE_FILE_PATHS IMP_FINDINGS_ONLY KFP_GIT_URL PROJECT_NAME RECORD_EXCLUDED SNYK_SECRET TARGET_DIRS',
    results: 'TEST_OUTPUT',
  },
  'sast-shell-check-oci-ta': {
    params:
      'SOURCE_ARTIFACT! CACHI2_ARTIFACT image-url image-digest IMP_FINDINGS_ONLY KFP_GIT_URL PROJECT_NAME ' +
      'RECORD_EXCLUDED SKIP_JINJA TARGET_DIRS',
    results: 'TEST_OUTPUT',
  },
  'sast-unicode-check-oci-ta': {
    params:
      'SOURCE_ARTIFACT! CACHI2_ARTIFACT image-url! image-digest! FIND_UNICODE_CONTROL_ARGS KFP_GIT_URL PROJECT_NAME ' +
      'RECORD_EXCLUDED TARGET_DIRS',
    results: 'TEST_OUTPUT',
  },
  'ecosystem-cert-preflight-checks': {
    params: 'image-url! artifact-type platform',
    results: 'ARTIFACT_TYPE ARTIFACT_TYPE_SET_BY IMAGES_PROCESSED TEST_OUTPUT',
  },
  'source-build-oci-ta': {
    params: 'BINARY_IMAGE! BINARY_IMAGE_DIGEST! SOURCE_ARTIFACT! CACHI2_ARTIFACT BASE_IMAGES IGNORE_UNSIGNED_IMAGE',
    results: 'BUILD_RESULT IMAGE_REF SOURCE_IMAGE_DIGEST SOURCE_IMAGE_URL',
  },
  'show-sbom': { params: 'IMAGE_URL! PLATFORM', results: '' },
};

const words = (text: string | undefined): string[] => (text ?? '').split(' ').filter((word) => word !== '');

const OF_A_MACHINE = globSync('stand-ins/scripts/machine/*.sh', { cwd: repository }).map((file) =>
  readFileSync(join(repository, file), 'utf8').replace(/^#!.*\n/, ''),
);

/** A script as bash itself writes it down. */
function parsed(script: string): string {
  return execFileSync('bash', ['-c', `f() {\n${script}\n}\ndeclare -f f`], { encoding: 'utf8' });
}

test('there is one for exactly these tasks of the catalog', () => {
  expect([...STAND_INS].sort()).toEqual(Object.keys(CATALOG).sort());
});

describe.each(STAND_INS)('%s', (name) => {
  const read = () => taskSchema.shape.spec.parse(readStandIn(name, pins, 'machine'));

  test('is a Task that Tekton takes, of pinned images', async () => {
    const spec = read();
    for (const { image } of spec.steps) expect(Object.values(pins.images)).toContain(image);
    const { kind, metadata } = parse(readFileSync(join(folder, `${name}.yaml`), 'utf8'));
    expect({ kind, metadata }).toMatchObject({ kind: 'Task', metadata: { name } });
    expect(metadata.labels['app.kubernetes.io/version']).toMatch(/^\d+\.\d+/);
    expect(spec.description).toBeTruthy();
    for (const { description } of [...spec.params, ...(spec.results ?? [])]) expect(description).toBeTruthy();
  });

  test('looks as in the catalog', async () => {
    const { params, results = [], workspaces = [] } = read();
    const expected = CATALOG[name];
    const marked = params.map(
      (param) => `${param.name}${param.type === 'array' ? '[]' : ''}${param.default === undefined ? '!' : ''}`,
    );
    expect(marked).toEqual(expect.arrayContaining(words(expected?.params)));
    const required = (names: string[]): string[] => names.filter((param) => param.endsWith('!')).sort();
    expect(required(marked)).toEqual(required(words(expected?.params)));
    expect(results.map((result) => result.name).sort()).toEqual(words(expected?.results));
    expect(workspaces.map((workspace) => workspace.name)).toEqual(words(expected?.workspaces));
    for (const { optional } of workspaces) expect(optional).toBe(true);
  });

  test('has no param in a script, and stops at the first failure', async () => {
    const { steps } = read();
    for (const { script } of steps) {
      if (script === undefined) continue;
      expect(script).not.toMatch(/\$\((?:params|results|context|workspaces|steps|tasks)\b/);
      // Kubernetes and Tekton make one of two.
      expect(script).not.toContain('$$');
      expect(script.split('\n')[0]).toBe('#!/usr/bin/env bash');
      expect(script.match(/^#!/gm)).toHaveLength(1);
      expect(script).toMatch(/^set -euo pipefail$/m);
    }
  });

  test('is the same on a cluster, without what is for readers, or for a machine', () => {
    const [whole, less] = (['machine', 'cluster'] as const).map((place) => readStandIn(name, pins, place));
    expect(JSON.stringify(less)).not.toContain('"description"');
    const stepsOf = (spec: unknown) => (spec as { steps: { script?: string }[] }).steps;
    expect(whole).toMatchObject({ ...less, steps: stepsOf(less).map(({ script: _, ...step }) => step) });
    const scripts = (spec: unknown): string[] => stepsOf(spec).flatMap(({ script }) => script ?? []);
    for (const [index, script] of scripts(less).entries()) {
      expect(script.match(/^[ \t]*#.*$/gm)).toEqual(['#!/usr/bin/env bash']);
      const ofBoth = OF_A_MACHINE.reduce((text, part) => text.replace(part, ''), scripts(whole)[index] ?? '');
      expect(parsed(script)).toBe(parsed(ofBoth));
    }
  });

  test('runs as root only to build', async () => {
    const { steps, stepTemplate } = read();
    for (const step of steps) {
      const { runAsUser, capabilities } = step.securityContext ?? stepTemplate?.securityContext ?? {};
      const builds = name.startsWith('buildah') && step.name === 'build';
      expect({ runAsUser, capabilities }).toEqual(
        builds
          ? { runAsUser: 0, capabilities: { add: ['SETFCAP'] } }
          : { runAsUser: 1001, capabilities: { drop: ['ALL'] } },
      );
    }
  });
});

test('every param that a rendered pipeline passes is declared, with its type', async () => {
  const files = globSync('examples/*/pipeline/*.yaml', { cwd: repository });
  const called = new Set<string>();
  for (const file of files) {
    for (const document of parseAllDocuments(readFileSync(join(repository, file), 'utf8'))) {
      // What makes Snapshots is a run of its own, whose task is in it.
      if (document.get('kind') === 'PipelineRun') continue;
      const { tasks } = pipelineSchema.parse(document.toJS()).spec;
      for (const { taskRef, params = [], workspaces = [] } of tasks) {
        if (taskRef === undefined || 'name' in taskRef) continue;
        const name = taskRef.params[0].value;
        called.add(name);
        const spec = taskSchema.shape.spec.parse(readStandIn(name, pins, 'machine'));
        for (const { name: param, value } of params) {
          const type = Array.isArray(value) ? 'array' : 'string';
          expect(spec.params).toContainEqual(expect.objectContaining({ name: param, type }));
        }
        const passed = params.map((param) => param.name);
        const required = spec.params.filter((param) => param.default === undefined);
        for (const { name: param } of required) expect(passed).toContain(param);
        for (const workspace of workspaces) {
          expect(spec.workspaces).toContainEqual(expect.objectContaining({ name: workspace.name }));
        }
      }
    }
  }
  // The others are for pipelines that were not rendered here: of Konflux' own template.
  expect(STAND_INS).toEqual(expect.arrayContaining([...called]));
});

test('a task without a stand-in is refused by name', async () => {
  for (const name of ['sast-snyk-check', '../package', '__proto__', 'toString']) {
    expect(() => readStandIn(name, pins, 'machine')).toThrow(
      expect.objectContaining({ code: 'NO_STAND_IN', found: name }),
    );
  }
});

test('an image that is no pin is refused', async () => {
  const { 'task-runner': _, ...images } = pins.images;
  const incomplete = { ...pins, images } as unknown as Pins;
  expect(() => readStandIn('init', incomplete, 'machine')).toThrow(
    expect.objectContaining({ code: 'NO_STAND_IN', found: 'task-runner' }),
  );
});
