/** One instruction of a Containerfile, with its continuation lines joined and comments left out. */
export interface Instruction {
  /** In capitals: `FROM`. */
  readonly name: string;
  /** All that follows the name, on one line. */
  readonly text: string;
  /** Where it starts, from 1. */
  readonly line: number;
}

export interface Containerfile {
  /** The arguments before the first stage: for FROM alone. */
  readonly globals: readonly Instruction[];
  /** Each starts with its FROM. */
  readonly stages: readonly (readonly Instruction[])[];
}

/** Reads a Containerfile (Dockerfile reference, "Format"), as far as instructions go; here-documents are passed over. */
export function readContainerfile(text: string): Containerfile {
  const continued = /^#\s*escape=`/im.test(text.split('\n', 5).join('\n')) ? '`' : '\\';
  const all: Instruction[] = [];
  const lines = text.split(/\r?\n/);
  for (let at = 0; at < lines.length; at++) {
    if (isNoInstruction(lines[at])) continue;
    const line = at + 1;
    let joined = '';
    for (; at < lines.length; at++) {
      const part = lines[at] ?? '';
      // Comments and empty lines inside an instruction are no end of it.
      if (joined !== '' && isNoInstruction(part)) continue;
      const isContinued = part.trimEnd().endsWith(continued);
      joined += isContinued ? `${part.trimEnd().slice(0, -1)} ` : part;
      if (!isContinued) break;
    }
    const [, name = '', rest = ''] = /^\s*([A-Za-z]+)\s*(.*)$/s.exec(joined) ?? [];
    all.push({ name: name.toUpperCase(), text: rest.trim(), line });
    const document = /^(?:RUN|COPY|ADD)\b.*<<-?\s*(["']?)([A-Za-z_]\w*)\1/i.exec(joined.trim())?.[2];
    if (document !== undefined) while (at + 1 < lines.length && lines[++at]?.trim() !== document);
  }
  const first = all.findIndex(({ name }) => name === 'FROM');
  const globals = first < 0 ? all : all.slice(0, first);
  const stages: Instruction[][] = [];
  for (const instruction of all.slice(globals.length)) {
    if (instruction.name === 'FROM') stages.push([]);
    stages.at(-1)?.push(instruction);
  }
  return { globals, stages };
}

/** The stages whose environment and labels the image has: the last, after those that it is built on. */
export function stagesOfImage({ stages }: Containerfile): readonly (readonly Instruction[])[] {
  const chosen: (readonly Instruction[])[] = [];
  for (let at: number = stages.length - 1; at >= 0; ) {
    chosen.unshift(stages[at] ?? []);
    const base = baseOf(stages[at]?.[0]);
    at = stages.slice(0, at).findLastIndex(([from], index) => nameOf(from) === base || String(index) === base);
  }
  return chosen;
}

/** What a FROM names: an image, an argument, or an earlier stage. */
export function baseOf(from: Instruction | undefined): string {
  return wordOf(from).toLowerCase();
}

function wordOf(from: Instruction | undefined): string {
  return from?.text.split(/\s+/).find((word) => !word.startsWith('--')) ?? '';
}

/** The image with a digest that the last stage is built on, with its arguments filled in; undefined where there is none. */
export function pinnedBaseOf(containerfile: Containerfile): string | undefined {
  const [stage] = stagesOfImage(containerfile);
  const values = new Map(containerfile.globals.filter(({ name }) => name === 'ARG').flatMap(pairsOf));
  const image = wordOf(stage?.[0]).replaceAll(
    /\$(?:\{(\w+)\}|(\w+))/g,
    (_, braced, plain) => values.get(braced ?? plain) ?? '',
  );
  return isPinned(image) ? image : undefined;
}

/** What it may be built on: each image that a FROM names, and each value that an argument before it has of itself. */
export function basesIn(text: string): readonly string[] {
  const { globals, stages } = readContainerfile(text);
  const values = globals.filter(({ name }) => name === 'ARG').flatMap(pairsOf);
  return [...values.map(([, value]) => value), ...stages.map(([from]) => wordOf(from))];
}

/** Whether a reference names the bytes, and not what a tag names today. */
export function isPinned(image: string): boolean {
  return /@sha256:[0-9a-f]{64}$/.test(image);
}

/** The names that an ARG, ENV or LABEL sets, with the values as they are written, without quotes. */
export function pairsOf({ name, text }: Instruction): readonly (readonly [name: string, value: string])[] {
  // The old form: `ENV NAME value with blanks`.
  const old = name === 'ARG' ? null : /^([^\s=]+)\s+([^=]*)$/.exec(text);
  if (old !== null) return [[unquoted(old[1] ?? ''), unquoted(old[2] ?? '')]];
  return [...text.matchAll(/((?:"[^"]*"|'[^']*'|[^\s=])+)(?:=((?:"(?:\\.|[^"])*"|'[^']*'|\\.|[^\s])*))?/g)].map(
    ([, key = '', value = '']) => [unquoted(key), unquoted(value)],
  );
}

function nameOf(from: Instruction | undefined): string | undefined {
  return /\sAS\s+(\S+)\s*$/i.exec(from?.text ?? '')?.[1]?.toLowerCase();
}

function isNoInstruction(line: string | undefined): boolean {
  return /^\s*(?:#|$)/.test(line ?? '');
}

function unquoted(text: string): string {
  return /^(["'])(.*)\1$/s.exec(text)?.[2] ?? text;
}

/**
 * The line of the instruction that buildah names, which has it with its arguments filled in: the one that shares most of its
 * words, of those with its name. Undefined where none is like it.
 */
export function findInstruction(text: string, step: string): number | undefined {
  const [name = '', ...words] = step.split(/\s+/);
  const { globals, stages } = readContainerfile(text);
  const rated = [...globals, ...stages.flat()]
    .filter((instruction) => instruction.name === name.toUpperCase())
    .map((instruction) => {
      const own = instruction.text.split(/\s+/);
      return { line: instruction.line, shared: own.filter((word) => words.includes(word)).length / own.length };
    });
  const best = rated.toSorted((a, b) => b.shared - a.shared)[0];
  return best !== undefined && (best.shared > 0 || rated.length === 1) ? best.line : undefined;
}
