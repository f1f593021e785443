import { describe, expect, test } from 'vitest';
import { wellDone } from '../testing/observation.ts';
import { judge } from './criteria.ts';
import { titlesOf } from './titles.ts';

describe('the titles name the images of the chain', () => {
  const chain = [
    { role: 'operator', title: 'operator', embeds: [] },
    { role: 'bundle', title: 'bundle', embeds: ['operator'] },
    { role: 'catalog', title: 'catalog', embeds: ['bundle'] },
  ];

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
    expect(Object.values(titlesOf(chain, ['bundle', 'catalog'], 'label'))).toEqual([
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
    }));
    const titles = titlesOf([{ ...app, embeds: [] }, ...sidecars], ['proxy'], 'label');
    expect(titles['image-2-embeds-image-1']).toBe(
      "proxy contains app's digest and logger contains app's digest (provable chain)",
    );
    expect(titles['image-1-labelled']).toBe("app labeled with proxy's and logger's digests (bidirectional link)");
  });

  test('more than a title can hold, and linked by statements', () => {
    const more = ['a', 'b', 'c', 'd'].map((role) => ({ role, title: role, embeds: ['catalog'] }));
    const titles = titlesOf([...chain, ...more], ['a', 'b', 'c', 'd'], 'referrer');
    for (const text of Object.values(titles)) expect(text.length).toBeLessThan(80);
    expect(titlesOf(chain, [], 'referrer')['image-1-labelled']).toContain('operator linked to bundle by a statement');
  });
});

function never(): never {
  throw new Error('not there');
}
