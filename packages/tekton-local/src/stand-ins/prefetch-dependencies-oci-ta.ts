import { TektonLocalError } from '../errors.ts';
import type { StandIn } from '../stand-in.ts';
import { strings, text } from './param.ts';

/**
 * `prefetch-dependencies-oci-ta` without anything to prefetch: hands the source on, as the real task does then. With
 * something to prefetch it refuses, since only Konflux has the tool.
 */
export const prefetchDependenciesOciTa: StandIn = {
  task: 'prefetch-dependencies-oci-ta',
  params: {
    input: { type: 'string' },
    SOURCE_ARTIFACT: { type: 'string' },
    ociStorage: { type: 'string' },
    ...strings({
      ACTIVATION_KEY: 'activation-key',
      caTrustConfigMapKey: 'ca-bundle.crt',
      caTrustConfigMapName: 'trusted-ca',
      'config-file-content': '',
      'enable-package-registry-proxy': 'true',
      'log-level': 'info',
      mode: 'strict',
      ociArtifactExpiresAfter: '',
      'sbom-type': 'spdx',
    }),
  },
  results: ['CACHI2_ARTIFACT', 'SOURCE_ARTIFACT'],
  workspaces: ['git-basic-auth', 'netrc'],
  async run(context) {
    const input = text(context, 'input');
    if (input !== '') {
      throw new TektonLocalError('UNSUPPORTED', 'dependencies are not prefetched locally', {
        expected: 'an empty param input',
        found: JSON.stringify(input),
        hint: 'build what needs prefetched dependencies on the cluster',
      });
    }
    context.log('No prefetch: no input was given.');
    return { SOURCE_ARTIFACT: text(context, 'SOURCE_ARTIFACT'), CACHI2_ARTIFACT: '' };
  },
};
