import type { Definition } from './definition.ts';
import type { Provenance } from './provenance.ts';

/** Who builds, where the caller names nobody: Tekton Chains as it is installed (its config `builder.id`). */
export const CHAINS_BUILDER: string = 'https://tekton.dev/chains/v2';

/**
 * The build types of Chains, for each kind of run: in SLSA v0.2 the object's group, version and kind (before, a name of
 * its own), in v1 one of two (tektoncd/chains, pkg/chains/formats/slsa). Only they say what the members mean that are read.
 */
const BUILD_TYPES: Readonly<Record<Provenance['of'], ReadonlySet<string>>> = {
  PipelineRun: new Set([
    'tekton.dev/v1/PipelineRun',
    'tekton.dev/v1beta1/PipelineRun',
    'https://tekton.dev/attestations/chains/pipelinerun@v2',
    'https://tekton.dev/chains/v2/slsa',
    'https://tekton.dev/chains/v2/slsa-tekton',
  ]),
  TaskRun: new Set([
    'tekton.dev/v1/TaskRun',
    'tekton.dev/v1beta1/TaskRun',
    'https://tekton.dev/attestations/chains@v2',
    'https://tekton.dev/chains/v2/slsa',
    'https://tekton.dev/chains/v2/slsa-tekton',
  ]),
};

export function knowsBuildType({ of, buildType }: Provenance): boolean {
  return BUILD_TYPES[of].has(buildType);
}

/** `oci://` and a repository, with `*` for any part of one path segment and `**` for any part of the path. */
const BUNDLE_PATTERN = /^oci:\/\/[A-Za-z0-9][A-Za-z0-9._:/*-]*$/;

export function isBundlePattern(text: string): boolean {
  return BUNDLE_PATTERN.test(text);
}

/** Whether a task is a bundle that one of the patterns allows; all are where there is no pattern. */
export function isAllowedTask(definition: Definition | undefined, patterns: readonly string[]): boolean {
  if (patterns.length === 0) return true;
  return definition?.bundle === true && patterns.some((pattern) => expressionOf(pattern).test(definition.uri));
}

function expressionOf(pattern: string): RegExp {
  const parts = pattern.split(/(\*\*?)/).map((part) => {
    if (part === '**') return '.*';
    return part === '*' ? '[^/]*' : part.replaceAll(/[.:/-]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`);
}
