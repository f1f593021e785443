// The patterns by which Tekton finds variables: what it does not find, it leaves alone.

const EXPRESSION = /\$\(([_a-zA-Z0-9.-]+(?:\.[_a-zA-Z0-9.-]+)*(?:\[(?:[0-9]+|\*)\])?)\)/g;
const WHOLE = /^\$\([_a-zA-Z0-9.-]+(?:\.[_a-zA-Z0-9.-]+)*(?:\[(?:[0-9]+|\*)\])?\)$/;

/** A path or a part of an artifact, which Tekton knows where it is told to. */
export const ARTIFACT: RegExp =
  /\$\((?:step\.)?artifacts\.path\)|\$\((?:steps|tasks)\.[^.]+\.(?:inputs|outputs)\.[^.)]+\)/;

/** A result of a step, in a text. */
export const STEP_RESULT: RegExp = /\$\(steps\..*?\.results\..*?\)/;

/** What stands between `$(` and `)` of each variable in a text, in order. */
export function expressionsIn(text: string): string[] {
  return text.includes('$(') ? [...text.matchAll(EXPRESSION)].map(([, inner = '']) => inner) : [];
}

/** Whether a text is one variable and nothing else. */
export function isWholeVariable(text: string): boolean {
  return WHOLE.test(text);
}

const patterns = new Map<string, RegExp>();

function patternOf(prefix: string): RegExp {
  const known = patterns.get(prefix);
  if (known !== undefined) return known;
  const name = '(.*?(?:\\[\\*\\])?)';
  const literal = prefix.replaceAll('.', '\\.');
  const pattern = new RegExp(`\\$\\(${literal}(?:\\.${name}|\\["${name}"\\]|\\['${name}'\\])\\)`, 'g');
  patterns.set(prefix, pattern);
  return pattern;
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

/** The variables of a prefix such as `params` or `context.taskRun` in a text. */
export function variablesIn(text: string, prefix: string): PrefixedVariable[] {
  if (!text.includes('$(')) return [];
  return [...text.matchAll(patternOf(prefix))].map(([whole, dotted, double, single]) => {
    const parts = (dotted ?? '').split('.');
    const rest = dotted ?? double ?? single ?? '';
    return { text: whole, rest, name: dotted === undefined ? rest : (parts[0] ?? ''), tooLong: parts.length > 2 };
  });
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
