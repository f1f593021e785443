import type { Embedding } from '../embedding.ts';
import { items, textOf } from '../json/decode.ts';
import { parseDigestReference } from '../reference.ts';
import type { ProvenanceTask } from './provenance.ts';
import { textsOf, type Values } from './type-hints.ts';

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Parameters of builders that set arguments, labels or environment beside `BUILD_ARGS`: what they hold is in no
 * provenance, or may contradict it. Those of the catalog's buildah tasks, and what others call the same. Not among them:
 * `ADDITIONAL_SECRET`, which is mounted into `RUN` steps and becomes no argument.
 */
const BESIDE =
  /^(?:BUILD_?ARGS?_FILE|ENV(?:_VARS?|_FILE|S)?|LABELS?(?:_FILE)?|ANNOTATIONS?(?:_FILE)?|(?:ADDITIONAL|EXTRA)_.*|.*_EXTRA_ARGS)$/;
const HARMLESS: ReadonlySet<string> = new Set(['ADDITIONAL_SECRET', 'ADDITIONAL_TAGS']);

/** What a task was called with: the argument that counts, or what is wrong. */
export type Judgement = { readonly argument: string } | { readonly problem: string; readonly found: string };

/**
 * Whether a task was called with what the image that it made says of the image that it embeds: with the argument whose
 * name is the variable that carries the digest, and no other word about it. A builder takes the last of two arguments of
 * one name, and a Containerfile may read any: so each name is given once, the url has to agree with the variable's, and
 * no argument names the embedded repository with another digest.
 */
export function judgeArguments({ params }: ProvenanceTask, embedding: Embedding): Judgement {
  const { variable, urlVariable, digest, url } = embedding;
  const given = argumentsOf(params);
  const found = given.join(' ').slice(0, 500) || 'no BUILD_ARGS';
  const malformed = given.find((argument) => !NAME.test(nameOf(argument)) || !argument.includes('='));
  if (malformed !== undefined) {
    return { problem: 'an argument is no <name>=<value> whose name is an identifier', found: malformed.slice(0, 500) };
  }
  const names = new Set<string>();
  for (const name of given.map(nameOf)) {
    if (names.has(name)) return { problem: `the argument ${name} is given twice`, found };
    names.add(name);
  }
  const value = (name: string): string | undefined =>
    given.find((argument) => nameOf(argument) === name)?.slice(name.length + 1);
  if (value(variable) !== digest) return { problem: `${variable} is another`, found };
  if ((value(urlVariable) ?? url) !== url) return { problem: `${urlVariable} is not what the image says`, found };
  // What files of the image call it is written from this one.
  const released = value(variable.replace(/DIGEST$/, 'RELEASED_URL'));
  const contradicts = given.find(
    (argument) =>
      namesOther(argument.slice(nameOf(argument).length + 1), embedding) ||
      (released !== undefined && argument.endsWith(`=${released}`) && !released.endsWith(`@${digest}`)),
  );
  if (contradicts !== undefined) {
    return { problem: 'an argument names the embedded image with another digest', found: contradicts.slice(0, 500) };
  }
  const beside = [...params].find(([name, set]) => setsBeside(name) && !isUnset(set));
  if (beside === undefined) return { argument: `${variable}=${digest}` };
  const text = textsOf(beside[1]).join(' ');
  return { problem: `${beside[0]} may set something else`, found: `${beside[0]}: ${text}`.slice(0, 500) };
}

function argumentsOf(params: Values): readonly string[] {
  const value = params.get('BUILD_ARGS');
  return typeof value === 'string' ? [value] : items(value).map((argument) => textOf(argument) ?? '');
}

function nameOf(argument: string): string {
  return argument.split('=', 1)[0] ?? '';
}

function namesOther(value: string, { digest, place }: Embedding): boolean {
  try {
    const other = parseDigestReference(value);
    return other.registry === place.registry && other.repository === place.repository && other.digest !== digest;
  } catch {
    return false;
  }
}

function setsBeside(name: string): boolean {
  const upper = name.toUpperCase().replaceAll('-', '_');
  return BESIDE.test(upper) && !HARMLESS.has(upper);
}

function isUnset(value: unknown): boolean {
  return textsOf(value).every((text) => text === '');
}
