import { type ASTNode, Environment } from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';
import { ASCII_ALONE, EXTENSIONS, NOT_HERE, registerExtensions } from './extensions.ts';

/** An expression that is no CEL, or can't be evaluated with these values. */
export class CelError extends Error {
  override readonly name = 'CelError';
  /** Whether it is only here that it can't be evaluated. */
  readonly isLimit: boolean;

  constructor(message: string, options: { cause?: unknown; isLimit?: boolean } = {}) {
    super(message, { cause: options.cause });
    this.isLimit = options.isLimit ?? false;
  }
}

export interface CelOptions {
  /** What the expression may name: texts, or maps of anything. */
  readonly variables: Readonly<Record<string, 'string' | 'map'>>;
  /** Further functions of strings, by their names: `"docs/*".pathChanged()`. */
  readonly functions?: Readonly<Record<string, (text: string) => boolean>> | undefined;
  /** With the extensions of strings and lists that cel-go has beside CEL's own library, and optimised as it does it. */
  readonly extended?: boolean | undefined;
}

/** An expression that has been parsed and whose types fit. */
export interface CelExpression {
  /** Whether a variable is named anywhere in it. */
  names(variable: string): boolean;
  /** Whether one of these fields is taken of something, by `.field` or `["field"]`. */
  takes(...fields: readonly string[]): boolean;
  /** All texts in it. */
  readonly texts: readonly string[];
  /** Its value: whole numbers of CEL's own are bigint, those of JSON are numbers. Throws {@link CelError}. */
  evaluate(values: Readonly<Record<string, unknown>>): unknown;
}

/** The functions and macros of CEL's own library; the evaluator has more, which Tekton and Pipelines as Code don't know. */
const STANDARD = new Set(
  (
    'size startsWith endsWith contains matches int uint double string bytes bool timestamp duration dyn type has all ' +
    'exists exists_one map filter getFullYear getMonth getDayOfYear getDayOfMonth getDate getDayOfWeek getHours ' +
    'getMinutes getSeconds getMilliseconds'
  ).split(' '),
);

/** Parses an expression of the Common Expression Language and checks its types. Throws {@link CelError}. */
export function parseCel(
  expression: string,
  { variables, functions = {}, extended = false }: CelOptions,
): CelExpression {
  const environment = environmentOf(variables, functions, extended);
  const nodes: ASTNode[] = [];
  const parsed = attempt(() => environment.parse(expression));
  walk(parsed.ast, (node) => nodes.push(node));
  for (const node of nodes) {
    if (node.op !== 'call' && node.op !== 'rcall') continue;
    const name = node.args[0];
    if (extended && NOT_HERE.has(name)) throw new CelError(`the function ${name} is unknown here`, { isLimit: true });
    if (extended && EXTENSIONS.has(name)) {
      node.args[0] = ASCII_ALONE[name] ?? name;
      continue;
    }
    if (!STANDARD.has(name) && !Object.hasOwn(functions, name)) throw new CelError(`there is no function ${name}`);
    // The evaluator's own takes JavaScript's patterns, which differ and may take for ever.
    if (node.op === 'rcall' && name === 'matches') node.args[0] = LINEAR_MATCHES;
  }
  if (loopsIn(parsed.ast) > MOST_LOOPS) {
    throw new CelError(`more than ${MOST_LOOPS} of ${[...LOOPS].join(', ')} are in each other`, { isLimit: true });
  }
  const { valid, error } = attempt(() => parsed.check());
  if (!valid) throw new CelError(firstLine(error));
  if (extended) for (const node of nodes) optimise(node);
  const texts = nodes.flatMap((node) => (node.op === 'value' && typeof node.args === 'string' ? [node.args] : []));
  return {
    texts,
    names: (variable) => nodes.some((node) => node.op === 'id' && node.args === variable),
    takes: (...fields) =>
      nodes.some(
        (node) =>
          (node.op === '.' && fields.includes(node.args[1])) ||
          (node.op === '[]' && node.args[1].op === 'value' && fields.includes(String(node.args[1].args))),
      ),
    evaluate: (values) => attempt(() => parsed({ ...values })),
  };
}

/** Those without functions of the caller's: they are asked for again and again. */
const environments = new Map<string, Environment>();

function environmentOf(
  variables: CelOptions['variables'],
  functions: NonNullable<CelOptions['functions']>,
  extended: boolean,
): Environment {
  const key = Object.keys(functions).length === 0 ? JSON.stringify([variables, extended]) : undefined;
  const known = key === undefined ? undefined : environments.get(key);
  if (known !== undefined) return known;
  const environment = new Environment({ unlistedVariablesAreDyn: false, homogeneousAggregateLiterals: false });
  for (const [name, type] of Object.entries(variables)) environment.registerVariable(name, type);
  for (const [name, call] of Object.entries(functions)) {
    environment.registerFunction(`string.${name}(): bool`, call);
  }
  environment.registerFunction('matches(string, string): bool', matches);
  environment.registerFunction(`string.${LINEAR_MATCHES}(string): bool`, matches);
  // The evaluator has no words for these.
  environment.registerFunction('string(google.protobuf.Timestamp): string', (time: Date) =>
    time.toISOString().replace(/\.?0*Z$/, 'Z'),
  );
  environment.registerFunction('string(google.protobuf.Duration): string', String);
  if (extended) registerExtensions(environment);
  if (key !== undefined) environments.set(key, environment);
  return environment;
}

/** What is known without values is not asked of values: an empty list has nothing in it, and a pattern may be none. */
function optimise(node: ASTNode): void {
  if (node.op === 'in') {
    const list = node.args[1];
    if (list.op === 'list' && list.args.length === 0) Object.assign(node, { evaluate: () => false });
  }
  if ((node.op === 'rcall' || node.op === 'call') && [LINEAR_MATCHES, 'matches'].includes(node.args[0])) {
    const pattern = node.args.flat().at(-1);
    if (typeof pattern === 'object' && pattern?.op === 'value' && typeof pattern.args === 'string') {
      const { args } = pattern;
      attempt(() => RE2JS.compile(args));
    }
  }
}

/** What goes through a list: each in another takes as many times as long as the list has items. */
const LOOPS = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);
const MOST_LOOPS = 2;

/** How deep loops are in each other. */
function loopsIn(value: unknown): number {
  if (Array.isArray(value)) return value.reduce<number>((most, item) => Math.max(most, loopsIn(item)), 0);
  if (typeof value !== 'object' || value === null || !('op' in value)) return 0;
  const node = value as ASTNode;
  if (node.op !== 'rcall' || !LOOPS.has(node.args[0])) return loopsIn(node.args);
  const [, list, inside] = node.args;
  return Math.max(loopsIn(list), 1 + loopsIn(inside));
}

const LINEAR_MATCHES = 'matchesInLinearTime';

/** As Go's regexp does it: RE2's patterns, in linear time. */
function matches(text: string, pattern: string): boolean {
  return RE2JS.compile(pattern).matcher(text).find();
}

function attempt<Result>(action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    throw new CelError(firstLine(error), { cause: error });
  }
}

/** The evaluator's messages go on with the expression and a mark below it. */
function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}

function walk(value: unknown, visit: (node: ASTNode) => void): void {
  if (Array.isArray(value)) for (const item of value) walk(item, visit);
  else if (typeof value === 'object' && value !== null && 'op' in value) {
    visit(value as ASTNode);
    walk((value as ASTNode).args, visit);
  }
}
