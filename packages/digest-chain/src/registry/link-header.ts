/**
 * The target of the link with `rel="next"` in a Link header (RFC 8288), as it is written: relative or absolute. Undefined
 * where there is none.
 */
export function nextLink(header: string): string | undefined {
  const LINK = /\s*,?\s*<([^<>"]*)>((?:\s*;\s*[A-Za-z0-9!#$&+.^_`|~*-]+\s*(?:=\s*(?:"(?:[^"\\]|\\.)*"|[^\s",;]+))?)*)/y;
  for (let match = LINK.exec(header); match !== null; match = LINK.exec(header)) {
    const [, target = '', parameters = ''] = match;
    const [, quoted, token] = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s",;]+))/i.exec(parameters) ?? [];
    const relations = (quoted ?? token ?? '').toLowerCase().split(/\s+/);
    if (relations.includes('next')) return target;
  }
  return undefined;
}
