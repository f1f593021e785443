/** What stands on top of every rendered file. */
export function header(what: string): string {
  return `${what}\n\nRendered from konflux.config.ts by \`pnpm render\`: change that file and render again.\nEdits to this one are lost; only digests that a bot updates here are taken over.`;
}
