import { createRegistry } from '@multi-image/digest-chain';
import { planChain } from '@multi-image/manifests';
import { expect, test } from 'vitest';
import { judge } from '../judge/criteria.ts';
import { startFakeRegistry } from '../testing/fake-registry.ts';
import { wellDone } from '../testing/observation.ts';
import { observe } from './observe.ts';

/** The step of the progress that says whether images were run, for a chain whose images are nowhere. */
test('images that were not run are said to be skipped, with the reason', async () => {
  const nowhere = await startFakeRegistry();
  const ended: unknown[][] = [];
  const { build } = wellDone();
  const chain = planChain({
    application: 'chain',
    namespace: 'tenant',
    git: { url: 'https://git.example/org/chain' },
    registry: 'quay.io/org',
    images: [{ role: 'primary', repository: 'primary', containerfile: 'Containerfile', component: 'app', run: false }],
  });
  try {
    const seen = await observe({
      registry: createRegistry(),
      chain,
      revision: 'a'.repeat(40),
      build: { ...build, tasks: [] },
      scanners: [],
      keys: [],
      signer: 'stand-in',
      runImage: () => Promise.reject(new Error('it is not to be run')),
      placeOf: (repository) => repository.replace('quay.io', nowhere.host),
      progress: { started: () => {}, ended: (...args) => ended.push(args) },
    });
    expect(ended.find(([name]) => name === 'run the images')?.slice(1)).toEqual(['skipped', 'not run: image-1']);
    const evidence = judge(seen).flatMap((criterion) => criterion.evidence);
    expect(evidence).toContainEqual(expect.objectContaining({ check: 'not-run', status: 'skipped' }));
  } finally {
    nowhere.stop();
  }
});
