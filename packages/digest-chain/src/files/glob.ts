import { DigestChainError } from '../errors.ts';

/** A pattern of paths in an image. */
export interface Glob {
  matches(path: string): boolean;
  /** Whether what is at this path decides about paths that match: it matches, leads there, or is in the same folder. */
  mayHold(path: string): boolean;
  /**
   * Whether paths that match lead through a folder at this path. Not for a pattern that begins with `**`: where a link leads
   * to is matched by itself.
   */
  leadsThrough(path: string): boolean;
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
  const way = new RegExp(`^${wayOf(names.slice(0, -1))}$`, 'u');
  return {
    leadsThrough: (path) => names[0] !== '**' && path !== '' && way.test(path),
    matches: (path) => expression.test(path),
    mayHold: (path) =>
      folder === '' || path === folder || path.startsWith(`${folder}/`) || path === '' || folder.startsWith(`${path}/`),
  };
}

/** Each of the first of these folders, and with `**` all below. */
function wayOf([name, ...rest]: readonly string[]): string {
  if (name === undefined) return '';
  if (name === '**') return '.*';
  return rest.length === 0 ? escaped(name) : `${escaped(name)}(?:/${wayOf(rest)})?`;
}

function escaped(name: string): string {
  return name
    .replaceAll(/[.+^${}()|[\]\\/-]/g, String.raw`\$&`)
    .replaceAll(/\*+/g, '[^/]*')
    .replaceAll('?', '[^/]');
}
