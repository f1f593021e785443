import { printable } from './terminal.ts';

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * Escapes text for element content and for quoted attributes of HTML and XML alike.
 *
 * @param kept Invisible characters that stay as they are.
 */
export function escapeMarkup(text: string, kept: string): string {
  return printable(text, kept).replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}
