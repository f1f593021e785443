import { describe, expect, test } from 'vitest';
import type { RenderedFile } from '../render/render.ts';
import { TWO } from './chains.ts';
import { checkDocuments, renderConfig } from './documents.ts';

/** The rendered files with one text replaced in one of them; it has to be there. */
function broken(path: string, from: string, to: string): RenderedFile[] {
  const files = renderConfig(TWO);
  expect(files.find((file) => file.path === path)?.text).toContain(from);
  return files.map((file) => (file.path === path ? { path, text: file.text.replace(from, () => to) } : file));
}

const UNIFIED = 'pipeline/unified-build.yaml';
const LABEL = 'pipeline/tasks/label-image.yaml';

describe('a rule that nobody has broken proves nothing: each of them, broken', () => {
  test.each([
    [
      'a param that is not declared',
      UNIFIED,
      '$(params.git-url)',
      '$(params.git-uri)',
      'clone-repository.url: param git-uri is not declared',
    ],
    ['a param that is not used', UNIFIED, 'value: $(params.git-url)', 'value: x', 'git-url: param is never used'],
    [
      'a param that the task does not take',
      UNIFIED,
      '- name: COMMIT_SHA',
      '- name: COMMIT',
      'build-image-1.COMMIT: the task takes no such param',
    ],
    [
      'a required param left out',
      UNIFIED,
      '        - name: image-digest\n          value: $(tasks.label-image-1.results.IMAGE_DIGEST)\n',
      '',
      'clair-scan: param image-digest is not passed',
    ],
    [
      'a result that the task has not',
      UNIFIED,
      '$(tasks.build-image-1.results.IMAGE_DIGEST)',
      '$(tasks.build-image-1.results.DIGEST)',
      'task build-image-1 has no result DIGEST',
    ],
    [
      'a result of no task',
      UNIFIED,
      '$(tasks.label-image-1.results.IMAGE_URL)',
      '$(tasks.label.results.IMAGE_URL)',
      'there is no task label',
    ],
    [
      'a string where an array belongs',
      UNIFIED,
      'value:\n            - latest',
      'value: latest',
      'string and array confused',
    ],
    [
      'runAfter of no task',
      UNIFIED,
      'runAfter:\n        - init',
      'runAfter:\n        - begin',
      'runs after no task begin',
    ],
    [
      'a circle',
      UNIFIED,
      'runAfter:\n        - init',
      'runAfter:\n        - apply-tags-image-1',
      'clone-repository: waits for itself',
    ],
    ['a workspace that is not declared', UNIFIED, 'workspace: git-auth', 'workspace: git', 'no workspace git'],
    ['{{ outside .tekton', UNIFIED, 'value: $(params.revision)', 'value: "{{revision}}"', '{{ is not expanded there'],
    [
      'a tag instead of a digest',
      LABEL,
      /@sha256:[0-9a-f]{64}/.exec(LABEL_TEXT())?.[0] ?? '',
      '',
      'spec.steps.0.image',
    ],
    ['an unknown field', LABEL, '  steps:', '  step: []\n  steps:', 'Unrecognized key: "step"'],
    [
      'a result that no step writes',
      LABEL,
      '- --result-url=$(results.IMAGE_URL.path)',
      '- x',
      'result IMAGE_URL is never written',
    ],
    ['a root that is allowed', LABEL, 'runAsNonRoot: true', 'runAsNonRoot: false', 'more rights than they need'],
    ['a step without a home', LABEL, 'value: /tekton/home', 'value: /root', 'has no home for credentials'],
    ['an array in one piece', LABEL, '$(params.LINKS[*])', '$(params.LINKS)', 'params.LINKS'],
    [
      'a task that Pipelines as Code does not fetch',
      '.tekton/app-push.yaml',
      '[pipeline/tasks/label-image.yaml]',
      '[]',
      'does not fetch pipeline/tasks/label-image.yaml',
    ],
    [
      'a pipeline that is not there',
      '.tekton/app-push.yaml',
      'pipeline: pipeline/unified-build.yaml',
      'pipeline: pipeline/build.yaml',
      'no pipeline at pipeline/build.yaml',
    ],
    [
      'a run that passes too much',
      '.tekton/app-push.yaml',
      '- name: hermetic',
      '- name: hermetical',
      'the pipeline takes no hermetical',
    ],
    [
      'a run that passes too little',
      '.tekton/app-push.yaml',
      '    - name: git-url\n      value: "{{source_url}}"\n',
      '',
      'param git-url is not passed',
    ],
    ['a duration of no unit', '.tekton/app-push.yaml', '2h0m0s', '"2"', 'spec.timeouts.pipeline'],
    [
      'a script with a param in it',
      'pipeline/verify-chain.yaml',
      'git init --quiet',
      'git init --quiet $(params.GIT_URL)',
      'a variable is substituted into the script',
    ],
    [
      'an unknown field of a Component',
      'konflux/components.yaml',
      'componentName:',
      'componentNam:',
      'Unrecognized key: "componentNam"',
    ],
  ])('%s', (_, path, from, to, problem) => {
    expect(checkDocuments(broken(path, from, to)).problems.join('\n')).toContain(problem);
  });
});

function LABEL_TEXT(): string {
  return renderConfig(TWO).find(({ path }) => path === LABEL)?.text ?? '';
}
