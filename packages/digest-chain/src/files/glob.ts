import { DigestChainError } from '../errors.ts';

/** A pattern of paths in an image. */
export interface Glob {
  matches(path: string): boolean;
  /** Whether what is at this path decides about paths that match: it matches, leads there, or is in the same folder. */
  mayHold(path: string): boolean;
}

/**
 * Reads `manifests/*.yaml`: `*` is any part of a name, `?` one character of it, `**` as a whole name any folders, none
 * included. A `/` at the start is the image's root, too. Throws `USAGE`.
 */
export function globOf(pattern: string): Glob {
  const names = pattern.replace(/^\.?\/+/, '').split('/');
  const odd = names.some((name) => name === '' || name === '.' || name === '..' || /\p{Cc}/u.test(name));
  const folders = names.filter((name) => name.includes('**') && name !== '**').length;
  if (odd || folders > 0 || names.at(-1) === '**' || pattern.length > 1000) {
    throw new DigestChainError('USAGE', 'not a pattern of files in an image', {
      expected: 'a path such as manifests/*.yaml or deploy/**/*.yaml, without ..',
      found: pattern.slice(0, 200),
    });
  }
  const source = names.map((name, at) => {
    if (name === '**') return '(?:[^/]+/)*';
    return escaped(name) + (at === names.length - 1 ? '' : '/');
  });
  const expression = new RegExp(`^${source.join('')}$`, 'u');
  const fixed = names.slice(0, -1);
  const wild = fixed.findIndex((name) => /[*?]/.test(name));
  const folder = (wild === -1 ? fixed : fixed.slice(0, wild)).join('/');
  return {
    matches: (path) => expression.test(path),
    mayHold: (path) =>
      folder === '' || path === folder || path.startsWith(`${folder}/`) || path === '' || folder.startsWith(`${path}/`),
  };
}

function escaped(name: string): string {
  return name
    .replaceAll(/[.+^${}()|[\]\\/-]/g, String.raw`\$&`)
    .replaceAll(/\*+/g, '[^/]*')
    .replaceAll('?', '[^/]');
}
