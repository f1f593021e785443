import { escapeMarkup } from '@multi-image/kit/markup';
import type { Status } from '../../judge/criterion.ts';

/** Text that is markup already, made by {@link html} alone. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Value = string | number | Markup | readonly Markup[] | undefined | false;

/** A tagged template: every value put in is escaped unless it is {@link Markup} itself. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Markup {
  let text = strings[0] ?? '';
  for (const [index, value] of values.entries()) text += render(value) + (strings[index + 1] ?? '');
  return new Markup(text);
}

function render(value: Value): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Markup) return value.text;
  return typeof value === 'object' ? value.map((entry) => entry.text).join('') : escapeMarkup(String(value), '\t\n');
}

/** A word beside the sign: nobody has to tell colours or shapes apart. */
export function mark(status: Status, word: string = status): Markup {
  const sign = { passed: '✓', failed: '✗', skipped: '–' }[status];
  return html`<span class="mark ${status}"><span aria-hidden="true">${sign}</span> ${word}</span>`;
}

/** The letter that stands for a digest. */
export function letter(text: string): Markup {
  return html`<b class="letter">${text}</b>`;
}
