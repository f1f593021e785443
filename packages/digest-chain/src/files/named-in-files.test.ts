import { REVISION } from '@multi-image/testing/chain';
import { type EmbeddingImage as Built, pushEmbedding } from '@multi-image/testing/embedding-image';
import { ONES } from '@multi-image/testing/image';
import { type MemoryRegistry, memoryRegistry } from '@multi-image/testing/memory-registry';
import { describe, expect, it } from 'vitest';
import type { Check } from '../check.ts';
import { link } from '../link.ts';
import { parseDigestReference, parseReference } from '../reference.ts';
import type { Repository } from '../registry/registry.ts';
import { seal } from '../seal.ts';
import { verify } from '../verify.ts';
import type { NamingFiles } from './named-in-files.ts';
import { packedTexts, referencesTo } from './references.ts';

type Files = Readonly<Record<string, string>>;

const build = (registry: MemoryRegistry, role: string, embeds: readonly Built[], files: Files): Promise<Built> =>
  pushEmbedding(registry, `registry.example/org/my-${role}`, role, embeds, { files });

const csv = (operator: string, related = operator): string => `kind: ClusterServiceVersion
metadata:
  annotations:
    containerImage: ${operator}
    repository: https://registry.example/org/my-operator
spec:
  description: see registry.example/org/my-operator for more
  relatedImages:
    - name: my-operator
      image: ${related}
`;
const configMap = (operator: string): string => `kind: ConfigMap\ndata:\n  operator: '${operator}'\n`;
const catalogOf = (bundle: string): string => `schema: olm.bundle\nimage: ${bundle}\n`;

const EVERYWHERE: readonly NamingFiles[] = [
  { role: 'bundle', in: ['manifests/*.yaml'] },
  { role: 'catalog', in: ['configs/**/*.yaml'] },
];

/** What is proved of an operator, a bundle with these manifests, and a catalog with this entry. */
async function prove(
  change: { manifests?: (operator: Built) => Files; entry?: (bundle: Built) => string } = {},
  wanted: readonly NamingFiles[] = EVERYWHERE,
  way: 'link' | 'seal' = 'link',
  released?: ReadonlyMap<string, Repository>,
): Promise<{ level: string; checks: readonly Check[]; built: Record<string, Built> }> {
  const registry = memoryRegistry();
  const operator = await build(registry, 'operator', [], { 'bin/operator': 'program' });
  const manifests = { 'manifests/csv.yaml': csv(operator.url), 'manifests/config.yaml': configMap(operator.url) };
  const bundle = await build(registry, 'bundle', [operator], { ...manifests, ...change.manifests?.(operator) });
  const entry = change.entry?.(bundle) ?? catalogOf(bundle.url);
  const catalog = await build(registry, 'catalog', [bundle], { 'configs/my-operator/catalog.yaml': entry });
  const at = ({ image, digest }: Built) => parseDigestReference(`${image}:${REVISION}@${digest}`);
  const linked = [bundle, catalog].map((image) => ({ role: image.role, image: at(image) }));
  let start = operator.digest;
  if (way === 'link') await link(registry, at(operator), linked);
  else start = (await seal(registry, at(operator), linked.slice(0, 1), {})).digest;
  const { level, checks } = await verify(registry, parseReference(`${operator.image}@${start}`), {
    files: wanted,
    released,
  });
  return { level, checks: checks.filter(({ id }) => id === 'named-in-files'), built: { operator, bundle, catalog } };
}

describe('files that name what was built in', () => {
  it('are told with file and line', async () => {
    const { level, checks } = await prove();
    expect(level).toBe('linked');
    expect(checks).toEqual([
      {
        id: 'named-in-files',
        role: 'bundle',
        status: 'passed',
        evidence: 'operator: manifests/csv.yaml:4,10 manifests/config.yaml:3',
      },
      {
        id: 'named-in-files',
        role: 'catalog',
        status: 'passed',
        evidence: 'bundle: configs/my-operator/catalog.yaml:2',
      },
    ]);
  });

  it('are read of an image that is linked by labels, too, and not at all where nobody asks', async () => {
    const { level, checks } = await prove({}, EVERYWHERE.slice(0, 1), 'seal');
    expect(level).toBe('linked');
    expect(checks).toMatchObject([{ role: 'bundle', status: 'passed' }]);
    expect((await prove({}, [])).checks).toEqual([]);
  });

  const other = `registry.example/org/my-operator@${ONES}`;
  it.each<[string, Parameters<typeof prove>[0], string, string]>([
    [
      'a CSV',
      { manifests: () => ({ 'manifests/csv.yaml': csv(other) }) },
      'bundle',
      `${other} (manifests/csv.yaml:4 in layer`,
    ],
    [
      'relatedImages',
      { manifests: ({ url }) => ({ 'manifests/csv.yaml': csv(url, other) }) },
      'bundle',
      `${other} (manifests/csv.yaml:10 in layer`,
    ],
    [
      'a ConfigMap',
      { manifests: () => ({ 'manifests/config.yaml': configMap(other) }) },
      'bundle',
      `${other} (manifests/config.yaml:3 in layer`,
    ],
    [
      'a catalog',
      { entry: ({ image }) => catalogOf(`${image}@${ONES}`) },
      'catalog',
      '(configs/my-operator/catalog.yaml:2 in layer',
    ],
    [
      'the bundle that a catalog has packed',
      {
        entry: ({ image, url }) =>
          `${catalogOf(url)}data: ${Buffer.from(JSON.stringify(catalogOf(`${image}@${ONES}`).repeat(2))).toString('base64')}`,
      },
      'catalog',
      `@${ONES} (configs/my-operator/catalog.yaml:3 in layer`,
    ],
    [
      'a tag',
      { manifests: ({ image }) => ({ 'manifests/config.yaml': configMap(`${image}:v1`) }) },
      'bundle',
      'my-operator:v1 (manifests/config.yaml:3',
    ],
    [
      'a name alone',
      { manifests: ({ image }) => ({ 'manifests/config.yaml': configMap(image) }) },
      'bundle',
      'my-operator (manifests/config.yaml:3',
    ],
  ])('fail with the place where %s names another image', async (_, change, role, found) => {
    const { level, checks, built } = await prove(change);
    expect(level).toBe('none');
    const failed = checks.filter(({ status }) => status === 'failed');
    expect(failed).toMatchObject([{ role, expected: built[role === 'bundle' ? 'operator' : 'bundle']?.url }]);
    expect(failed[0]?.found).toContain(found);
    expect(failed[0]?.found).toContain(`of ${role}`);
  });

  it('may name it as it is released, by the same digest', async () => {
    const manifests = ({ digest }: Built) => ({
      'manifests/csv.yaml': csv(`registry.redhat.example/acme/operator@${digest}`),
      'manifests/config.yaml': 'none',
    });
    const released = new Map([['operator', parseReference('registry.redhat.example/acme/operator')]]);
    const wanted = EVERYWHERE.slice(0, 1);
    expect((await prove({ manifests }, wanted)).checks).toMatchObject([
      { status: 'failed', found: expect.stringContaining('none of which') },
    ]);
    expect((await prove({ manifests }, wanted, 'link', released)).level).toBe('linked');
    const wrong = () => manifests({ digest: ONES } as Built);
    expect((await prove({ manifests: wrong }, wanted, 'link', released)).checks).toMatchObject([
      { status: 'failed', found: expect.stringContaining(`acme/operator@${ONES} (manifests/csv.yaml:4`) },
    ]);
  });

  it.each<[string, Parameters<typeof prove>[0], NamingFiles, string]>([
    ['match no pattern', {}, { role: 'bundle', in: ['manifest/*'] }, 'no file that matches manifest/*'],
    [
      'name nothing',
      { manifests: () => ({ 'manifests/csv.yaml': 'x', 'manifests/config.yaml': 'y' }) },
      { role: 'bundle', in: ['manifests/*.yaml'] },
      '2 files that match, none of which names it',
    ],
    ['are of an image that embeds none', {}, { role: 'operator', in: ['bin/*'] }, 'operator: nothing'],
    [
      'are of an image that embeds another',
      {},
      { role: 'catalog', embeds: ['operator'], in: ['configs/**/*.yaml'] },
      'catalog: bundle',
    ],
    [
      'are of an image that is not there',
      {},
      { role: 'agent', in: ['*'] },
      'bundle: operator; catalog: bundle; operator: nothing',
    ],
  ])('fail where they %s', async (_, change, wanted, found) => {
    const { level, checks } = await prove(change, [wanted]);
    expect(level).toBe('none');
    expect(checks).toMatchObject([{ status: 'failed', role: wanted.role }]);
    expect(checks[0]?.found).toContain(found);
  });
});

describe('many files that many images are named in', () => {
  const released = (role: string): string => `registry.redhat.example/acme/${role}`;
  /** A bundle of an operator, operands and a daemon of another team, whose CSV names all of them as they are released. */
  async function wide(planted: Record<string, string> = {}) {
    const registry = memoryRegistry();
    const operands = ['operator', ...Array.from({ length: 29 }, (_, at) => `operand-${at}`)];
    const images: Built[] = [];
    for (const role of operands) images.push(await build(registry, role, [], {}));
    const daemon = await pushEmbedding(registry, 'elsewhere.example/team/daemon', 'daemon', [], { tag: '1.0' });
    const all = [...images, daemon];
    const lines = all.map(({ role, digest }) => `  - image: ${released(role)}@${planted[role] ?? digest}`);
    const files = { 'manifests/csv.yaml': ['relatedImages:', ...lines].join('\n') };
    const bundle = await build(registry, 'bundle', all, files);
    const at = ({ image, digest }: Built, tag = REVISION) => parseDigestReference(`${image}:${tag}@${digest}`);
    const [first, ...others] = [...images, bundle].map((image) => ({ role: image.role, image: at(image) }));
    if (first === undefined) throw new Error('no image');
    await link(registry, first.image, others, { external: [{ role: 'daemon', image: at(daemon, '1.0') }] });
    registry.asked.length = 0;
    const proof = await verify(registry, first.image, {
      files: all.map(({ role }) => ({ role: 'bundle', embeds: [role], in: ['manifests/*.yaml'] })),
      released: new Map(all.map(({ role }) => [role, parseReference(released(role))])),
    });
    return { proof, daemon, asked: registry.asked, checks: proof.checks.filter(({ id }) => id === 'named-in-files') };
  }

  it('are read once, and a proof of thirty-two images with all of them takes fewer than a hundred requests', async () => {
    const { proof, asked, checks } = await wide();
    expect(proof.level).toBe('linked');
    expect(proof.images).toHaveLength(32);
    expect(checks).toHaveLength(31);
    expect(asked.length).toBeLessThanOrEqual(100);
  });

  it.each(['daemon', 'operand-7'])('fail for the one that is named wrongly, and no other: %s', async (role) => {
    const { checks } = await wide({ [role]: ONES });
    const failed = checks.filter(({ status }) => status === 'failed');
    expect(failed).toMatchObject([
      { role: 'bundle', found: expect.stringContaining(`${released(role)}@${ONES} (manifests/csv.yaml:`) },
    ]);
  });
});

describe('a name in a text', () => {
  const name = 'quay.io/org/app';
  it.each<[string, readonly string[]]>([
    [`image: ${name}@${ONES}`, [`${name}@${ONES}`]],
    [`image: "${name}:v1.2_3@${ONES}"`, [`${name}:v1.2_3@${ONES}`]],
    [`docker://${name}:v1`, [`${name}:v1`]],
    [`- ${name}\n`, [name]],
    [`a: ${name} # as it is`, [name]],
    [`see ${name}.`, []],
    [`https://${name}`, []],
    [`image: ${name}-bundle@${ONES}`, []],
    [`image: mirror.example/${name}@${ONES}`, []],
    [`image: ${name}/deeper:v1`, []],
    [`url: https://${name}.git`, []],
    [`${name}@${ONES},${name}@${ONES.replace('1', '2')}`, [`${name}@${ONES}`, `${name}@${ONES.replace('1', '2')}`]],
  ])('%s', (text, expected) => {
    expect(referencesTo(name, text).map((found) => found.text)).toEqual(expected);
  });

  it('is found in what is packed as base64, by the line that it is in', () => {
    const csv = JSON.stringify({ spec: { relatedImages: [{ name: 'x'.repeat(100), image: `${name}:v1` }] } });
    const data = Buffer.from(csv).toString('base64');
    const catalog = `schema: olm.bundle\nproperties:\n- type: olm.bundle.object\n  value:\n    data: ${data}\n`;
    const [packed, ...more] = packedTexts(catalog);
    expect([packed, more]).toEqual([{ line: 5, text: csv }, []]);
    expect(referencesTo(name, packed?.text ?? '')).toHaveLength(1);
    expect(packedTexts(`${ONES} ${'/'.repeat(200)}\n${'ab'.repeat(200)}`)).toEqual([]);
  });

  it('is found in a long line at once', () => {
    const text = `${'a/'.repeat(500_000)}\nimage: ${name}:v1`;
    expect(referencesTo(name, text)).toEqual([{ line: 2, text: `${name}:v1`, digest: undefined }]);
  });
});
