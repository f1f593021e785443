/** Other texts of one registry are not shown. */
const MAX_WARNINGS = 16;

const WARNING = /(?:^|,)\s*299\s+-\s+"((?:[^"\\]|\\.)*)"/g;

/** What a Warning header says (distribution-spec, "Warnings"): code 299 of agent `-` alone, as the specification wants. */
export function parseWarnings(header: string): readonly string[] {
  return [...header.matchAll(WARNING)].map(([, text = '']) => text.replace(/\\(.)/g, '$1'));
}

/** Hands over what registries warn of: each text of each registry once. */
export class Warnings {
  readonly #show: ((registry: string, text: string) => void) | undefined;
  readonly #shown = new Map<string, Set<string>>();

  constructor(show: ((registry: string, text: string) => void) | undefined) {
    this.#show = show;
  }

  /** Takes a Warning header; `clean` makes of its text what may be shown. */
  note(registry: string, header: string | undefined, clean: (text: string) => string): void {
    if (header === undefined || this.#show === undefined) return;
    const shown = this.#shown.get(registry) ?? new Set();
    this.#shown.set(registry, shown);
    for (const text of parseWarnings(header).map(clean)) {
      if (shown.has(text) || shown.size >= MAX_WARNINGS) continue;
      shown.add(text);
      this.#show(registry, text);
    }
  }
}
