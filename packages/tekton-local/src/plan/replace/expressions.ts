// The patterns by which Tekton finds variables: what it does not find, it leaves alone.

// Each of these takes a time that grows as the text does, whoever wrote it.
const EXPRESSION = /\$\([_a-zA-Z0-9.-]+(?:\[(?:[0-9]+|\*)\])?\)/g;
const WHOLE = /^\$\([_a-zA-Z0-9.-]+(?:\[(?:[0-9]+|\*)\])?\)$/;

/** A path or a part of an artifact, which Tekton knows where it is told to. */
export const ARTIFACT: RegExp =
  /\$\((?:step\.)?artifacts\.path\)|\$\((?:steps|tasks)\.[^.]+\.(?:inputs|outputs)\.[^.)]+\)/;

/** Those of them that are of a step. */
export const STEP_ARTIFACT: RegExp = /\$\((?:step\.artifacts\.path|steps\.[^.]+\.(?:inputs|outputs)\.[^.)]+)\)/;

/** The first `$(steps.<step>.results.<result>)` of a text, on one line. */
export function firstStepResult(text: string): { step: string; result: string } | undefined {
  if (!text.includes('$(steps.')) return undefined;
  const [start, middle, lineEnd, close] = ['$(steps.', '.results.', LINE_END, ')'].map((what) => finder(text, what));
  for (let at = start?.(0) ?? -1; at !== -1; at = start?.(at + 1) ?? -1) {
    const name = at + '$(steps.'.length;
    const results = middle?.(name) ?? -1;
    const end = results === -1 ? -1 : (close?.(results + '.results.'.length) ?? -1);
    // Without one after this, there is none for a later one.
    if (end === -1) return undefined;
    if (end > endOr(lineEnd?.(name))) continue;
    return { step: text.slice(name, results), result: text.slice(results + '.results.'.length, end) };
  }
  return undefined;
}

/** What stands between `$(` and `)` of each variable in a text, in order. */
export function expressionsIn(text: string): string[] {
  return text.includes('$(') ? (text.match(EXPRESSION) ?? []).map((variable) => variable.slice(2, -1)) : [];
}

/** Whether a text is one variable and nothing else. */
export function isWholeVariable(text: string): boolean {
  return WHOLE.test(text);
}

/** A variable of one prefix in a text. */
export interface PrefixedVariable {
  /** All of it, with `$(` and `)`. */
  text: string;
  /** What comes after the prefix, whole: `name`, `name.key`, `name[*]`. */
  rest: string;
  /** The first part of `rest`, where dots part it; with `[…]`. */
  name: string;
  /** It has more parts than Tekton allows with dots. */
  tooLong: boolean;
}

/** The variables of a prefix such as `params` or `context.taskRun` in a text: `.name`, `["name"]` and `['name']`. */
export function variablesIn(text: string, prefix: string): PrefixedVariable[] {
  const head = `$(${prefix}`;
  return text.includes(head) ? text.split(LINE_END).flatMap((line) => variablesInLine(line, head)) : [];
}

function variablesInLine(line: string, head: string): PrefixedVariable[] {
  const found: PrefixedVariable[] = [];
  // What closes none of those that come later either.
  const missing = new Set<string>();
  for (let at = line.indexOf(head); at !== -1; ) {
    const after = at + head.length;
    const [open, close] = SPELLINGS.find(([start]) => line.startsWith(start, after)) ?? [];
    const start = after + (open?.length ?? 0);
    const end = close === undefined || missing.has(close) ? -1 : line.indexOf(close, start);
    if (close === undefined || end === -1) {
      if (close !== undefined) missing.add(close);
      at = line.indexOf(head, at + 1);
      continue;
    }
    const rest = line.slice(start, end);
    const parts = open === '.' ? rest.split('.') : [rest];
    const next = end + close.length;
    found.push({ text: line.slice(at, next), rest, name: parts[0] ?? '', tooLong: parts.length > 2 });
    at = line.indexOf(head, next);
  }
  return found;
}

const SPELLINGS = [
  ['.', ')'],
  ['["', '"])'],
  ["['", "'])"],
] as const;

const LINE_END = /[\n\r\u2028\u2029]/g;

/** Finds the next of something from a place on. Asked for places in their order, it looks at the text once. */
function finder(text: string, what: string | RegExp): (from: number) => number {
  let asked = -1;
  let found = -1;
  return (from) => {
    if (asked !== -1 && from >= asked && (found === -1 || found >= from)) return found;
    asked = from;
    if (typeof what === 'string') found = text.indexOf(what, from);
    else {
      what.lastIndex = from;
      found = what.exec(text)?.index ?? -1;
    }
    return found;
  };
}

function endOr(place = -1): number {
  return place === -1 ? Number.POSITIVE_INFINITY : place;
}

/** Without `[0]` and `[*]`. */
export function withoutIndex(name: string): string {
  return name.replace(/\[[0-9]*\*?\]/g, '');
}

/** `$(tasks.<task>.results.<result>…)`, or the same of finally tasks. */
export interface ResultReference {
  root: 'tasks' | 'finally';
  task: string;
  result: string;
  index?: number | '*' | undefined;
  key?: string | undefined;
}

/** Whether an expression is one of a task's results, or wants to be. */
export function looksLikeResult(expression: string): boolean {
  const parts = expression.split('.');
  return parts.length >= 4 && (parts[0] === 'tasks' || parts[0] === 'finally') && parts[2] === 'results';
}

/** Reads an expression as a reference to a result; undefined if it is none that can be. */
export function resultReference(expression: string): ResultReference | undefined {
  if (!looksLikeResult(expression)) return undefined;
  const [root, task = '', , last = '', key, ...more] = expression.split('.');
  if (more.length > 0) return undefined;
  const from = root === 'tasks' ? 'tasks' : 'finally';
  if (key !== undefined) return { root: from, task, result: last, key };
  const index = /\[([0-9]*\*?)\]/.exec(last)?.[1];
  const place = index === undefined || index === '' ? undefined : index === '*' ? '*' : Number(index);
  return { root: from, task, result: withoutIndex(last), index: place };
}
