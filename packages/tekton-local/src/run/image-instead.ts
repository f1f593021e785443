/**
 * Which of these means an image: exactly that, its repository, or a pattern that ends with `*`, of which the longest counts.
 */
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
