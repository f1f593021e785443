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
  return [
    ...findDuplicates(images, 'role', (image) => image.role),
    ...findDuplicates(images, 'name', (image) => image.name),
    ...findDuplicates(images, 'repository', (image) => image.repository),
    ...findDuplicates(images, 'component', (image) => image.component),
    ...findDuplicates(images, 'releaseRepository', (image) => image.releaseRepository),
    ...findDuplicates(images, 'name', ({ name }) => argumentPrefix(name), 'a name whose build arguments are not taken'),
    ...findEdgeIssues(images),
    ...findRoleIssues(images),
    ...findPlatformIssues(images),
    ...findSealIssues(images, config.seal),
    ...findRegistryIssues(config),
  ];
}

function* findRegistryIssues({ registry, imageRepositories }: Record<string, unknown>): Generator<ConfigIssue> {
  if (typeof registry !== 'string' || registry.includes('/') || (imageRepositories ?? 'konflux') !== 'konflux') return;
  const expected = 'host/organisation: Konflux makes repositories in its own organisation of the registry';
  yield { path: 'registry', expected, found: JSON.stringify(registry) };
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
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  const texts = (value: unknown): string[] => (Array.isArray(value) ? value.filter((item) => text(item) === item) : []);
  return images.slice(0, 200).map((entry: unknown, index) => {
    const image = recordOf(entry);
    return {
      path: `images[${index}]`,
      role: text(image.role),
      name: text(image.name) ?? defaultName(index),
      repository: text(image.repository),
      component: text(image.component),
      embeds: Array.isArray(image.embeds) ? texts(image.embeds.map(roleIn)) : [],
      platforms: texts(image.platforms),
      seal: text(image.seal),
      releaseRepository: text(image.releaseRepository),
    };
  });
}

/** The role in an entry of `embeds`. */
function roleIn(entry: unknown): unknown {
  return typeof entry === 'string' ? entry : recordOf(entry).image;
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function* findDuplicates(
  images: readonly RawImage[],
  field: 'role' | 'name' | 'repository' | 'component' | 'releaseRepository',
  read: (image: RawImage) => string | undefined,
  expected = `a ${field} of its own`,
): Generator<ConfigIssue> {
  const first = new Map<string, string>();
  for (const image of images) {
    const value = read(image);
    if (value === undefined) continue;
    const taken = first.get(value);
    if (taken === undefined) first.set(value, image.path);
    else yield { path: `${image.path}.${field}`, expected, found: `${JSON.stringify(value)}, as ${taken} has` };
  }
}

function* findEdgeIssues(images: readonly RawImage[]): Generator<ConfigIssue> {
  const roles = new Set(images.flatMap(({ role }) => role ?? []));
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

function* findRoleIssues([primary, ...others]: readonly RawImage[]): Generator<ConfigIssue> {
  if (primary === undefined) return;
  if (primary.component === undefined) {
    const expected = "the component that runs the build: the first image's";
    yield { path: 'images[0].component', expected, found: 'nothing' };
  }
  if (primary.embeds.length > 0) {
    const expected = 'nothing: the first image is the one that the others lead back to';
    yield { path: 'images[0].embeds', expected, found: primary.embeds.join(', ') };
  }
  for (const { path, role } of [primary, ...others]) {
    // The pipeline has a parameter output-image, and it is the primary image's.
    if (role !== 'output') continue;
    yield { path: `${path}.role`, expected: 'another role: output-image is taken', found: '"output"' };
  }
  for (const { path, component, embeds } of others) {
    if (component === undefined || embeds.length > 0) continue;
    const expected = 'an image that embeds another: a scanner finds its image by the link from the embedded one';
    yield { path: `${path}.component`, expected, found: `${JSON.stringify(component)} on an image that embeds none` };
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
