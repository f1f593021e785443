/** The name of an image that is given none: `image-1` for the first. */
export function defaultName(index: number): string {
  return `image-${index + 1}`;
}

/** What the build arguments about an image start with: `IMAGE1` for `image-1`, `OPERATOR_BUNDLE` for `operator-bundle`. */
export function argumentPrefix(name: string): string {
  return name
    .toUpperCase()
    .replaceAll(/-(?=[0-9])/g, '')
    .replaceAll('-', '_');
}

/** What a platform adds to the names of its tasks and tags: `linux-x86-64`. */
export function platformSuffix(platform: string): string {
  return platform.replaceAll(/[^a-z0-9]/g, '-');
}
