import type { Status } from '../../judge/criterion.ts';
import { html, type Markup } from './markup.ts';

/** A word beside the sign: nobody has to tell colours or shapes apart. */
export function mark(status: Status, word: string = status): Markup {
  const sign = { passed: '✓', failed: '✗', skipped: '–' }[status];
  return html`<span class="mark ${status}"><span aria-hidden="true">${sign}</span> ${word}</span>`;
}

/** The letter that stands for a digest. */
export function letter(text: string): Markup {
  return html`<b class="letter">${text}</b>`;
}
