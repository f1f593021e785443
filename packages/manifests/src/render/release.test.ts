import { describe, expect, test } from 'vitest';
import { TWO } from '../testing/chains.ts';
import { checkDocuments, renderConfig } from '../testing/documents.ts';

const labelsOf = (release: 'chain' | 'components' | undefined) =>
  Object.fromEntries(
    checkDocuments(renderConfig({ ...TWO, release })).runs.map(({ metadata }) => [metadata.name, metadata.labels]),
  );
const AUTO_RELEASE = 'release.appstudio.openshift.io/auto-release';
const CHAIN = 'custom.appstudio.openshift.io/chain';

describe('what the builds say about their Snapshots', () => {
  test('those of a push are not released by themselves, unless the config says so', () => {
    const labels = labelsOf(undefined);
    for (const component of ['app', 'metadata-scanner']) {
      expect(labels[`${component}-on-push`]).toMatchObject({ [AUTO_RELEASE]: 'false', [CHAIN]: 'app' });
      expect(labels[`${component}-on-pull-request`]).toMatchObject({ [CHAIN]: 'app' });
      expect(labels[`${component}-on-pull-request`]).not.toHaveProperty([AUTO_RELEASE]);
    }
    expect(labelsOf('chain')).toEqual(labels);
    expect(JSON.stringify(labelsOf('components'))).not.toMatch(/auto-release|custom\.appstudio/);
  });
});
