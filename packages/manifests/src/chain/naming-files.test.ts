import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { chainOf, image } from '../testing/chains.ts';
import { renderConfig } from '../testing/documents.ts';

const OPERATOR = chainOf(
  [
    image('operator', [], { component: 'operator', releaseRepository: 'registry.example/acme/operator' }),
    image('bundle', [], { component: 'bundle', embeds: [{ image: 'operator', in: ['manifests/*.yaml'] }] }),
    image('catalog', [], { component: 'catalog', embeds: [{ image: 'bundle', in: ['configs/**/*.yaml'] }] }),
  ],
  { seal: 'referrer' },
);
const OF_BUNDLE = '--files=bundle/operator=manifests/*.yaml';
const OF_CATALOG = '--files=catalog/bundle=configs/**/*.yaml';
const RELEASED = '--released=operator=registry.example/acme/operator';

/** What each document is told of files, by the file that it is in. */
function told(config: typeof OPERATOR): Record<string, unknown> {
  const found: [string, unknown][] = [];
  const look = (path: string, value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const { name, value: given, default: byDefault = [] } = value as Record<string, unknown>;
    const files = given ?? byDefault;
    const says = Array.isArray(files) && files.length > 0 && !files[0].startsWith('$(');
    if ((name === 'FILES' || name === 'files') && says) found.push([path, files]);
    for (const each of Object.values(value)) look(path, each);
  };
  for (const { path, text } of renderConfig(config)) {
    for (const document of parseAllDocuments(text)) look(path, document.toJS());
  }
  return Object.fromEntries(found);
}

test('whatever proves a chain of one statement is told all files of it', () => {
  const all = [OF_BUNDLE, OF_CATALOG, RELEASED];
  expect(told(OPERATOR)).toEqual({
    'pipeline/unified-build.yaml': all,
    'pipeline/extract-bundle.yaml': all,
    'pipeline/extract-catalog.yaml': all,
    'pipeline/verify-chain.yaml': all,
    'pipeline/create-snapshot.yaml': all,
  });
});

test('a proof from an image with labels is told the files of what embeds that one, since it sees no other edge', () => {
  expect(told({ ...OPERATOR, seal: 'label' })).toMatchObject({
    'pipeline/extract-bundle.yaml': [OF_BUNDLE, RELEASED],
    'pipeline/extract-catalog.yaml': [OF_CATALOG, RELEASED],
    // This one starts from each image that has labels.
    'pipeline/verify-chain.yaml': [OF_BUNDLE, RELEASED, OF_CATALOG],
  });
});

test('where no files are named, nothing is told', () => {
  const plain = chainOf([image('app', [], { component: 'app' }), image('meta', ['app'], { component: 'meta' })]);
  expect(told(plain)).toEqual({});
});
