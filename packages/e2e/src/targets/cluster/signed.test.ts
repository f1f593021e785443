import { TEKTON } from '@multi-image/kit/tekton';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { emptyRun, type KubePlace, startKube } from '../../testing/kube/place.ts';
import { until } from '../../testing/until.ts';
import { RUN_GONE, signedEvidence, waitSigned } from './signed.ts';

let kube: KubePlace;

beforeEach(async () => {
  kube = await startKube();
  kube.server.store.put(emptyRun('another'));
});
afterEach(() => kube.stop());

const lines: string[] = [];
const wait = (timeout = 60_000): Promise<string | undefined> => {
  lines.length = 0;
  const where = { cluster: kube.connect(), namespace: 'my-tenant', selector: 'app=a', run: 'one' };
  const progress = { line: (text: string) => void lines.push(text) };
  return waitSigned({ ...where, timeout, signal: new AbortController().signal, progress });
};
const watching = (count = 1): Promise<void> => until(() => kube.server.watching === count);

describe('a run that goes before Chains wrote on it', () => {
  test('before anybody looked', async () => {
    expect(await wait()).toBe(RUN_GONE);
    expect(lines).toEqual([expect.stringContaining('one was deleted before Chains')]);
  });

  test.each([
    ['while it is watched', false],
    ['while the connection was away and the history gone', true],
  ])('%s', async (_, away) => {
    const { store } = kube.server;
    store.put(emptyRun('one'));
    const waiting = wait();
    await watching();
    store.delete('PipelineRun', 'another');
    if (away) kube.server.dropWatches();
    store.delete('PipelineRun', 'one');
    if (away) store.compact();
    expect(await waiting).toBe(RUN_GONE);
  });

  test('is neither a pass nor a failure: the signatures tell', () => {
    expect(signedEvidence('app', RUN_GONE)).toMatchObject({ status: 'skipped', text: expect.stringContaining('gone') });
    expect(signedEvidence('app', undefined).status).toBe('failed');
  });
});

test('what Chains wrote counts, also where the run goes with it; what it never writes is waited for', async () => {
  const { store } = kube.server;
  store.put(emptyRun('one'));
  expect(await wait(200)).toBeUndefined();
  expect(lines).toEqual([]);
  await watching(0);
  const waiting = wait();
  await watching();
  store.change('PipelineRun', 'one', (object) => {
    object.metadata.annotations = { [TEKTON.signed]: 'true' };
  });
  store.delete('PipelineRun', 'one');
  expect(await waiting).toBe('true');
});
