import { stripVTControlCharacters } from 'node:util';

/**
 * A line as lines that fit a terminal of this width, broken between words, each under the text of the first. A word that
 * is longer, such as a digest, stays whole: it is there to be copied.
 */
export function wrap(line: string, columns: number): string[] {
  const width = (text: string): number => [...stripVTControlCharacters(text)].length;
  if (width(line) <= columns) return [line];
  const [lead = ''] = /^ *(?:(?:expected|found|to do) +)?/.exec(line) ?? [];
  const mark = /^[✓✗–] /u.test(stripVTControlCharacters(line.slice(lead.length))) ? 2 : 0;
  const indent = ' '.repeat(Math.min(lead.length + mark, Math.floor(columns / 2)));
  const lines: string[] = [];
  let current = '';
  for (const word of line.slice(lead.length).split(' ')) {
    const start = lines.length === 0 ? lead : indent;
    if (current !== '' && width(`${start}${current} ${word}`) > columns) {
      lines.push(start + current);
      current = word;
    } else {
      current = current === '' ? word : `${current} ${word}`;
    }
  }
  return [...lines, (lines.length === 0 ? lead : indent) + current];
}
