/** Text that is markup already, made by {@link html} alone. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Value = string | number | Markup | readonly Markup[] | undefined | false;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

// Controls that HTML forbids, and the marks that reorder text: what is shown must read as what it is.
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is its purpose
const UNSHOWABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/g;

/** Escapes text for element content and for quoted attributes alike. */
export function escapeHtml(text: string): string {
  return text
    .replace(UNSHOWABLE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
    .replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}

/** A tagged template: every value put in is escaped unless it is {@link Markup} itself. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Markup {
  let text = strings[0] ?? '';
  for (const [index, value] of values.entries()) text += render(value) + (strings[index + 1] ?? '');
  return new Markup(text);
}

function render(value: Value): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Markup) return value.text;
  return typeof value === 'object' ? value.map((entry) => entry.text).join('') : escapeHtml(String(value));
}
