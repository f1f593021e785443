/**
 * The image to use instead of another: what is given for exactly that, for its repository, or for a pattern that ends with
 * `*`, of which the longest counts.
 *
 * @param images By the images that they stand for.
 */
export function imageInstead(images: Readonly<Record<string, string>>, image: string): string | undefined {
  const key = keyFor(Object.keys(images), image);
  return key === undefined ? undefined : images[key];
}

/** Which of these means an image. */
export function keyFor(keys: readonly string[], image: string): string | undefined {
  for (const exact of [image, repositoryOf(image)]) if (keys.includes(exact)) return exact;
  return keys
    .filter((key) => key.endsWith('*') && image.startsWith(key.slice(0, -1)))
    .sort((a, b) => b.length - a.length)[0];
}

/** An image's repository: without tag and digest. */
export function repositoryOf(image: string): string {
  const name = image.split('@')[0] ?? image;
  return name.replace(/:[^:/]*$/, '');
}
