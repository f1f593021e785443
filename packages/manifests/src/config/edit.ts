import { parse } from '@babel/parser';
import type { Node, ObjectExpression, Statement } from '@babel/types';
import { reasonOf } from '@multi-image/kit/errors';
import { ManifestsError } from '../errors.ts';
import { literalOf } from './literal.ts';

/**
 * Sets text fields in the source of a config, and leaves every other character alone: comments, order, helpers.
 * The parser says where a value stands; a printer of syntax trees would lay out the rest anew.
 *
 * @param fields Dotted path to text: `{'git.url': 'https://…', 'images.0.component': 'app'}`.
 * @throws ManifestsError CONFIG_INVALID where a field is not a plain text, so that only a person can change it
 */
export function editConfig(source: string, fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields).reduce((text, [path, value]) => setField(text, path, value), source);
}

/**
 * Adds images to the list in the source of a config, after those that are there or, with `replace`, in their place; leaves
 * every character outside the list alone, and with it those of the images that stay.
 *
 * @throws ManifestsError CONFIG_INVALID where the images are no list that stands there
 */
export function addImages(
  source: string,
  images: readonly Readonly<Record<string, unknown>>[],
  { replace = false }: { replace?: boolean } = {},
): string {
  const list = findValue(findRoot(source), 'images');
  if (list?.type !== 'ArrayExpression') throw notEditable('images', 'no list there');
  const [start, end] = rangeOf(list);
  const last = replace ? undefined : list.elements.at(-1);
  const at = last ? rangeOf(last)[1] : start + 1;
  const texts = images.map((fields) => {
    const lines = Object.entries(fields).flatMap(([key, value]) =>
      value === undefined ? [] : [`      ${key}: ${literalOf(value)},\n`],
    );
    return `\n    {\n${lines.join('')}    }`;
  });
  const rest = replace ? '\n  ]' : source.slice(at, end).replace(/^\s*,/, '');
  return `${source.slice(0, at)}${last ? ',' : ''}${texts.join(',')},${rest}${source.slice(end)}`;
}

function setField(source: string, path: string, value: string): string {
  const literal = literalOf(value);
  const [key = '', ...parents] = path.split('.').reverse();
  const object = objectOf(
    parents.reduceRight<Node | undefined>((at, parent) => valueIn(at, parent), findRoot(source)),
    path,
  );
  const present = findValue(object, key);
  if (present === undefined) {
    const [start, end] = rangeOf(object);
    const indent = /\n([ \t]*)\S/.exec(source.slice(start))?.[1] ?? '  ';
    const gap = source.slice(start, end).includes('\n') ? `\n${indent}` : ' ';
    return `${source.slice(0, start + 1)}${gap}${key}: ${literal},${source.slice(start + 1)}`;
  }
  const [start, end] = rangeOf(present);
  if (present.type !== 'StringLiteral') throw notEditable(path, source.slice(start, end));
  return source.slice(0, start) + literal + source.slice(end);
}

function objectOf(node: Node | undefined, path: string): ObjectExpression {
  if (node?.type === 'ObjectExpression') return node;
  throw notEditable(path, 'no object there');
}

/** A property of an object, or an element of a list. */
function valueIn(node: Node | undefined, key: string): Node | undefined {
  if (node?.type === 'ArrayExpression') return node.elements[Number(key)] ?? undefined;
  return node?.type === 'ObjectExpression' ? findValue(node, key) : undefined;
}

/** The object that the config's module exports by default. */
function findRoot(source: string): ObjectExpression {
  let statements: Statement[];
  try {
    statements = parse(source, { sourceType: 'module', plugins: ['typescript'] }).program.body;
  } catch (cause) {
    throw notEditable('the config', reasonOf(cause));
  }
  const exported = statements.find((statement) => statement.type === 'ExportDefaultDeclaration')?.declaration;
  const isCall = exported?.type === 'CallExpression' && isNamed(exported.callee, 'defineConfig');
  const root = isCall ? exported.arguments[0] : exported;
  const isTyped = root?.type === 'TSSatisfiesExpression' || root?.type === 'TSAsExpression';
  const object = isTyped ? root.expression : root;
  if (object?.type !== 'ObjectExpression') throw notEditable('the config', 'no `export default defineConfig({`');
  return object;
}

/** The value of the object's property with this name, as it counts: the last one. Computed names are passed over. */
function findValue(object: ObjectExpression, name: string): Node | undefined {
  const property = object.properties.findLast(
    (property) => property.type === 'ObjectProperty' && !property.computed && isNamed(property.key, name),
  );
  return property?.type === 'ObjectProperty' ? property.value : undefined;
}

function isNamed(node: Node, name: string): boolean {
  return (node.type === 'Identifier' && node.name === name) || (node.type === 'StringLiteral' && node.value === name);
}

function rangeOf({ start, end }: Pick<Node, 'start' | 'end'>): [start: number, end: number] {
  return [start ?? 0, end ?? 0];
}

function notEditable(path: string, found: string): ManifestsError {
  return new ManifestsError('CONFIG_INVALID', `${path} can't be set by a command`, {
    expected: 'a plain text in konflux.config.ts',
    found: found.length > 80 ? `${found.slice(0, 80)}…` : found,
    hint: 'edit konflux.config.ts by hand',
  });
}
