import { describe, expect, test } from 'vitest';
import { wellDone } from '../testing/observation.ts';
import { judge } from './criteria.ts';
import type { Seal } from './observation.ts';
import { titlesOf } from './titles.ts';

describe('the titles name the images of the chain', () => {
  const chain = [
    { role: 'operator', title: 'operator', embeds: [], seal: 'label' as Seal },
    { role: 'bundle', title: 'bundle', embeds: ['operator'], seal: 'label' as Seal },
    { role: 'catalog', title: 'catalog', embeds: ['bundle'], seal: 'label' as Seal },
  ];
  const stated = chain.map((image) => ({ ...image, seal: 'referrer' as const }));

  test('two, in the words of the wish', () => {
    expect(judge(wellDone()).map(({ title }) => title)).toEqual([
      'Single pipeline builds both images atomically',
      "Image 2 contains Image 1's digest (provable chain)",
      "Image 1 labeled with Image 2's digest (bidirectional link)",
      'Scanner extracts Image 2 for separate scanning',
      'Both images scanned and signed',
      'No manual intervention required',
    ]);
  });

  test('three', () => {
    expect(Object.values(titlesOf(chain, ['bundle', 'catalog']))).toEqual([
      'Single pipeline builds all 3 images atomically',
      "bundle contains operator's digest and catalog contains bundle's digest (provable chain)",
      "operator labeled with bundle's digest and bundle labeled with catalog's digest (bidirectional link)",
      'Scanner extracts bundle and catalog for separate scanning',
      'All 3 images scanned and signed',
      'No manual intervention required',
    ]);
  });

  test('one with two sidecars', () => {
    const [app = never(), ...sidecars] = ['app', 'proxy', 'logger'].map((role) => ({
      role,
      title: role,
      embeds: ['app'],
      seal: 'label' as const,
    }));
    const titles = titlesOf([{ ...app, embeds: [] }, ...sidecars], ['proxy']);
    expect(titles['image-2-embeds-image-1']).toBe(
      "proxy contains app's digest and logger contains app's digest (provable chain)",
    );
    expect(titles['image-1-labelled']).toBe("app labeled with proxy's and logger's digests (bidirectional link)");
  });

  test('more than a title can hold, and linked by statements', () => {
    const more = ['a', 'b', 'c', 'd'].map((role) => ({
      role,
      title: role,
      embeds: ['catalog'],
      seal: 'none' as const,
    }));
    const titles = titlesOf([...stated, ...more], ['a', 'b', 'c', 'd']);
    for (const text of Object.values(titles)) expect(text.length).toBeLessThan(80);
    expect(titlesOf(stated, [])['image-1-labelled']).toContain('operator linked to bundle by a statement');
    const [operator = never(), bundle = never(), catalog = never()] = stated;
    const mixed = titlesOf([{ ...operator, seal: 'none' }, { ...bundle, seal: 'label' }, catalog], []);
    expect(mixed['image-1-labelled']).toBe("bundle labeled with catalog's digest (bidirectional link)");
  });
});

function never(): never {
  throw new Error('not there');
}
