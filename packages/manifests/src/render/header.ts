import { stampLine } from '../files/stamp.ts';
import { writeYaml, type YamlMap } from '../yaml/write.ts';

/** A rendered file: what it is, how to change it, what it was rendered to, and its documents. */
export function renderFile(what: string, documents: readonly YamlMap[]): string {
  const body = writeYaml(documents);
  const header = `${what}

Rendered from konflux.config.ts by \`pnpm render\`: change that file and render again.
Edits to this one are refused; only digests that a bot updates here are taken over.
${stampLine(body)}`;
  const comment = header.split('\n').map((line) => `# ${line}`.trimEnd());
  return `${comment.join('\n')}\n${body}`;
}
