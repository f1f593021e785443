import { findCycle } from '@multi-image/kit/cycles';
import { argumentPrefix, defaultName, platformSuffix } from '../chain/names.ts';
import type { ConfigIssue } from './issue.ts';

/**
 * What no schema of single fields can say: names that must differ, names that must exist, no way round in a cycle.
 * Reads the config as it came, so that these are reported together with the schema's errors.
 */
export function findRelations(input: unknown): ConfigIssue[] {
  const config = recordOf(input);
  const images = readImages(config.images);
  const external = readExternal(config.external);
  const named = [...images, ...external];
  return [
    ...findDuplicates(named, 'role', (image) => image.role),
    ...findDuplicates(images, 'name', (image) => image.name),
    ...findDuplicates(images, 'repository', (image) => image.repository),
    ...findDuplicates(named, 'component', (image) => image.component),
    ...findDuplicates(named, 'releaseRepository', (image) => image.releaseRepository),
    ...findDuplicates(named, 'name', ({ name }) => argumentPrefix(name), 'a name whose build arguments are not taken'),
    ...findEdgeIssues(images, external),
    ...findRoleIssues(images, external),
    ...findPlatformIssues(images),
    ...findSealIssues(images, config.seal),
    ...findExternalIssues(images, external, config.registry),
    ...findRegistryIssues(config),
    ...findReleaseIssues(images, config),
  ];
}

function* findRegistryIssues({ registry, imageRepositories }: Record<string, unknown>): Generator<ConfigIssue> {
  if (typeof registry !== 'string' || registry.includes('/') || (imageRepositories ?? 'konflux') !== 'konflux') return;
  const expected = 'host/organisation: Konflux makes repositories in its own organisation of the registry';
  yield { path: 'registry', expected, found: JSON.stringify(registry) };
}

function* findReleaseIssues(
  [primary, ...others]: readonly RawImage[],
  { release }: Record<string, unknown>,
): Generator<ConfigIssue> {
  if (release !== 'chain' || others.some(({ embeds }) => embeds.some((role) => role === primary?.role))) return;
  yield { path: 'release', expected: 'components: no image embeds the first one', found: '"chain"' };
}

interface RawImage {
  /** `images[1]` */
  path: string;
  role: string | undefined;
  name: string;
  repository: string | undefined;
  component: string | undefined;
  embeds: readonly string[];
  platforms: readonly string[];
  seal: string | undefined;
  releaseRepository: string | undefined;
}

function readImages(images: unknown): RawImage[] {
  if (!Array.isArray(images)) return [];
  const texts = (value: unknown): string[] =>
    Array.isArray(value) ? value.filter((item) => textIn(item) !== undefined) : [];
  return images.slice(0, 200).map((entry: unknown, index) => {
    const image = recordOf(entry);
    return {
      path: `images[${index}]`,
      role: textIn(image.role),
      name: textIn(image.name) ?? defaultName(index),
      repository: textIn(image.repository),
      component: textIn(image.component),
      embeds: Array.isArray(image.embeds) ? texts(image.embeds.map(roleIn)) : [],
      platforms: texts(image.platforms),
      seal: textIn(image.seal),
      releaseRepository: textIn(image.releaseRepository),
    };
  });
}

/** External images, as far as they are like others: what they are called by is their role. */
function readExternal(external: unknown): RawExternal[] {
  return Object.entries(recordOf(external)).map(([role, entry]) => {
    const { image, component, releaseRepository } = recordOf(entry);
    return {
      path: `external.${role}`,
      role,
      name: role,
      image: textIn(image),
      component: textIn(component),
      releaseRepository: textIn(releaseRepository),
      embeds: [],
    };
  });
}

interface RawExternal extends Pick<RawImage, 'path' | 'role' | 'name' | 'component' | 'releaseRepository' | 'embeds'> {
  image: string | undefined;
}

function textIn(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The role in an entry of `embeds`. */
function roleIn(entry: unknown): unknown {
  return typeof entry === 'string' ? entry : recordOf(entry).image;
}

/** The members of what may be an object; none of what is none. */
export function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function* findDuplicates<Image extends { path: string }>(
  images: readonly Image[],
  field: 'role' | 'name' | 'repository' | 'component' | 'releaseRepository',
  read: (image: Image) => string | undefined,
  expected = `a ${field} of its own`,
): Generator<ConfigIssue> {
  const first = new Map<string, string>();
  for (const image of images) {
    const value = read(image);
    if (value === undefined) continue;
    const taken = first.get(value);
    const isKey = image.path.startsWith('external.') && (field === 'role' || field === 'name');
    if (taken === undefined) first.set(value, image.path);
    else
      yield {
        path: isKey ? image.path : `${image.path}.${field}`,
        expected,
        found: `${JSON.stringify(value)}, as ${taken} has`,
      };
  }
}

function* findEdgeIssues(images: readonly RawImage[], external: readonly RawExternal[]): Generator<ConfigIssue> {
  const roles = new Set([...images, ...external].flatMap(({ role }) => role ?? []));
  for (const image of images) {
    const others = [...roles].filter((role) => role !== image.role).join(', ');
    for (const [index, role] of image.embeds.entries()) {
      const path = `${image.path}.embeds[${index}]`;
      if (!roles.has(role)) {
        const expected = others === '' ? 'no role: there is no other image' : `the role of another image: ${others}`;
        yield { path, expected, found: JSON.stringify(role) };
      } else if (image.embeds.indexOf(role) !== index) {
        yield { path, expected: 'each role once', found: `${JSON.stringify(role)} again` };
      }
    }
  }
  const edges = images.flatMap(({ role, embeds }) => (role === undefined ? [] : [[role, embeds] as const]));
  const cycle = findCycle(new Map(edges));
  if (cycle === undefined) return;
  yield {
    path: `${images.find(({ role }) => role === cycle[0])?.path}.embeds`,
    expected: 'no cycle: an image can only embed one that is built before it',
    found: cycle.join(' embeds '),
  };
}

function* findRoleIssues(images: readonly RawImage[], external: readonly RawExternal[]): Generator<ConfigIssue> {
  const [primary] = images;
  if (primary === undefined) return;
  if (primary.component === undefined) {
    const expected = "the component that runs the build: the first image's";
    yield { path: 'images[0].component', expected, found: 'nothing' };
  }
  const own = primary.embeds.filter((role) => !external.some((image) => image.role === role));
  if (own.length > 0) {
    const expected = 'nothing of this chain: the first image is the one that the others lead back to';
    yield { path: 'images[0].embeds', expected, found: own.join(', ') };
  }
  for (const { path, role } of [...images, ...external]) {
    // The pipeline has a parameter output-image, and it is the primary image's.
    if (role !== 'output') continue;
    yield {
      path: path.startsWith('external.') ? path : `${path}.role`,
      expected: 'another role: output-image is taken',
      found: '"output"',
    };
  }
}

/** What is built elsewhere is embedded, and is not what this chain builds: that would be a cycle, a run long. */
function* findExternalIssues(
  images: readonly RawImage[],
  external: readonly RawExternal[],
  registry: unknown,
): Generator<ConfigIssue> {
  for (const { path, role, image = '' } of external) {
    if (images.every(({ embeds }) => !embeds.includes(role ?? ''))) {
      yield { path, expected: 'an image of this chain that embeds it', found: 'none' };
    }
    const repository = image.replace(/@.*$/, '').replace(/:[^/]*$/, '');
    const own = images.find((each) => {
      const place = `${registry}/${each.repository}`;
      return [place, `${place}-pull-requests`, each.releaseRepository].includes(repository);
    });
    if (own === undefined) continue;
    const expected =
      'an image that this chain does not build: in a cycle each run would embed what the one before built';
    yield { path: `${path}.image`, expected, found: `${JSON.stringify(image)}, where ${own.path} goes` };
  }
}

/** Each platform has a build task of its own, and it must not be called like another image's. */
function* findPlatformIssues(images: readonly RawImage[]): Generator<ConfigIssue> {
  const taken = new Map(images.map((image) => [image.name, image.path]));
  for (const image of images) {
    for (const [index, platform] of image.platforms.entries()) {
      const name = `${image.name}-${platformSuffix(platform)}`;
      const path = `${image.path}.platforms[${index}]`;
      const other = taken.get(name);
      taken.set(name, other ?? path);
      if (other === undefined) continue;
      const expected = 'a platform whose build task is not taken';
      yield { path, expected, found: `${JSON.stringify(platform)}, as ${other} has` };
    }
  }
}

/** Who may start from an image and find those that embed it. */
function* findSealIssues(images: readonly RawImage[], byDefault: unknown): Generator<ConfigIssue> {
  const embedded = new Set(images.flatMap(({ embeds }) => embeds));
  const isLinked = ({ seal }: RawImage): boolean => (seal ?? byDefault) !== 'none';
  for (const { path, role, seal } of images) {
    if (seal === undefined || role === undefined || embedded.has(role)) continue;
    yield { path: `${path}.seal`, expected: 'nothing: no image embeds this one', found: JSON.stringify(seal) };
  }
  for (const image of images.filter(({ embeds }) => embeds.length > 0)) {
    const found = image.embeds.flatMap((role) => images.filter((other) => other.role === role));
    if (found.length === 0 || found.some(isLinked)) continue;
    const expected = 'one of the images that it embeds to be linked to it: seal: label or referrer';
    yield { path: `${image.path}.embeds`, expected, found: `${image.embeds.join(', ')} with seal: none` };
  }
}
