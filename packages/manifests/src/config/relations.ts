import { findCycle } from '@multi-image/kit/cycles';
import { argumentPrefix, defaultName, platformSuffix } from '../chain/names.ts';
import type { ConfigIssue } from './check.ts';

/**
 * What no schema of single fields can say: names that must differ, names that must exist, no way round in a circle.
 * Reads the config as it came, so that these are reported together with the schema's errors.
 */
export function findRelations(input: unknown): ConfigIssue[] {
  const images = readImages(input);
  return [
    ...findDuplicates(images, 'role', (image) => image.role),
    ...findDuplicates(images, 'name', (image) => image.name),
    ...findDuplicates(images, 'repository', (image) => image.repository),
    ...findDuplicates(images, 'component', (image) => image.component),
    ...findDuplicates(
      images,
      'name',
      (image) => argumentPrefix(image.name),
      'a name whose build arguments are not taken',
    ),
    ...findEdgeIssues(images),
    ...findRoleIssues(images),
    ...findPlatformIssues(images),
    ...findReferrerIssues(input, images),
    ...findChoiceIssues(input),
  ];
}

function findChoiceIssues(input: unknown): ConfigIssue[] {
  const { registry, imageRepositories } = (input ?? {}) as Record<string, unknown>;
  const issues: ConfigIssue[] = [];
  if (typeof registry === 'string' && !registry.includes('/') && (imageRepositories ?? 'konflux') === 'konflux') {
    issues.push({
      path: 'registry',
      expected: 'host/organisation: Konflux makes repositories in its own organisation of the registry',
      found: JSON.stringify(registry),
    });
  }
  return issues;
}

interface RawImage {
  index: number;
  role: string | undefined;
  name: string;
  repository: string | undefined;
  component: string | undefined;
  embeds: readonly string[];
  platforms: readonly string[];
}

function readImages(input: unknown): RawImage[] {
  const images: unknown = (input as { images?: unknown } | null | undefined)?.images;
  if (!Array.isArray(images)) return [];
  return images.slice(0, 200).map((entry: unknown, index) => {
    const image = (typeof entry === 'object' && entry !== null ? entry : {}) as Record<string, unknown>;
    const texts = (value: unknown): string[] =>
      Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
    return {
      index,
      role: text(image.role),
      name: text(image.name) ?? defaultName(index),
      repository: text(image.repository),
      component: text(image.component),
      embeds: texts(image.embeds),
      platforms: texts(image.platforms),
    };
  });
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function findDuplicates(
  images: readonly RawImage[],
  field: 'role' | 'name' | 'repository' | 'component',
  read: (image: RawImage) => string | undefined,
  expected = `a ${field} of its own`,
): ConfigIssue[] {
  const first = new Map<string, number>();
  return images.flatMap((image) => {
    const value = read(image);
    if (value === undefined) return [];
    const taken = first.get(value);
    if (taken === undefined) first.set(value, image.index);
    return taken === undefined
      ? []
      : [
          {
            path: `images[${image.index}].${field}`,
            expected,
            found: `${JSON.stringify(value)}, as images[${taken}] has`,
          },
        ];
  });
}

function findEdgeIssues(images: readonly RawImage[]): ConfigIssue[] {
  const roles = new Set(images.map((image) => image.role));
  const issues: ConfigIssue[] = [];
  for (const image of images) {
    image.embeds.forEach((role, index) => {
      const path = `images[${image.index}].embeds[${index}]`;
      if (!roles.has(role)) {
        const known = [...roles].filter((known) => known !== undefined && known !== image.role);
        const expected =
          known.length > 0 ? `the role of another image: ${known.join(', ')}` : 'no role: there is no other image';
        issues.push({ path, expected, found: JSON.stringify(role) });
      } else if (image.embeds.indexOf(role) !== index) {
        issues.push({ path, expected: 'each role once', found: `${JSON.stringify(role)} again` });
      }
    });
  }
  const edges = new Map(
    images.flatMap((image) => (image.role === undefined ? [] : [[image.role, image.embeds] as const])),
  );
  const cycle = findCycle(edges);
  if (cycle !== undefined) {
    const index = images.find((image) => image.role === cycle[0])?.index ?? 0;
    issues.push({
      path: `images[${index}].embeds`,
      expected: 'no circle: an image can only embed one that is built before it',
      found: cycle.join(' embeds '),
    });
  }
  return issues;
}

function findRoleIssues(images: readonly RawImage[]): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const [primary, ...others] = images;
  if (primary !== undefined && primary.component === undefined) {
    issues.push({
      path: 'images[0].component',
      expected: "the component that runs the build: the first image's",
      found: 'nothing',
    });
  }
  if (primary !== undefined && primary.embeds.length > 0) {
    issues.push({
      path: 'images[0].embeds',
      expected: 'nothing: the first image is the one that the others lead back to',
      found: primary.embeds.join(', '),
    });
  }
  for (const image of images) {
    // The pipeline has a parameter output-image, and it is the primary image's.
    if (image.role === 'output') {
      issues.push({
        path: `images[${image.index}].role`,
        expected: 'another role: output-image is taken',
        found: '"output"',
      });
    }
  }
  for (const image of others) {
    if (image.component !== undefined && image.embeds.length === 0) {
      issues.push({
        path: `images[${image.index}].component`,
        expected: 'an image that embeds another: a scanner finds its image by the link from the embedded one',
        found: `${JSON.stringify(image.component)} on an image that embeds none`,
      });
    }
  }
  return issues;
}

/** Each platform has a build task of its own, and it must not be called like another image's. */
function findPlatformIssues(images: readonly RawImage[]): ConfigIssue[] {
  const taken = new Map(images.map((image) => [image.name, `images[${image.index}]`]));
  return images.flatMap((image) =>
    image.platforms.flatMap((platform, index) => {
      const name = `${image.name}-${platformSuffix(platform)}`;
      const path = `images[${image.index}].platforms[${index}]`;
      const other = taken.get(name);
      if (other === undefined) taken.set(name, path);
      return other === undefined
        ? []
        : [
            {
              path,
              expected: 'a platform whose build task is not taken',
              found: `${JSON.stringify(platform)}, as ${other} has`,
            },
          ];
    }),
  );
}

/** A proof by referrer reads one chain statement for each image; an image in the middle would be in two. */
function findReferrerIssues(input: unknown, images: readonly RawImage[]): ConfigIssue[] {
  if ((input as { seal?: unknown } | null | undefined)?.seal !== 'referrer') return [];
  const embedded = new Set(images.flatMap(({ embeds }) => embeds));
  return images.flatMap(({ index, role, embeds }) =>
    embeds.length > 0 && role !== undefined && embedded.has(role)
      ? [
          {
            path: `images[${index}].embeds`,
            expected: 'seal: label, or no image that both embeds and is embedded',
            found: `${role} embeds ${embeds.join(', ')} and is embedded itself`,
          },
        ]
      : [],
  );
}
