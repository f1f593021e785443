import type { ParamValue } from '../model.ts';
import { variablesIn, withoutIndex } from '../replace/expressions.ts';
import { parseParamValue, typeOf } from '../values.ts';
import { type Field, isMap } from '../yaml/field.ts';

/** A declared param, with the type that Tekton gives it where it says none. */
export interface DeclaredParam {
  name: string;
  type: string;
  /** The declared keys of an object. */
  properties?: readonly string[] | undefined;
  default?: ParamValue | undefined;
}

/** The names that variables may have in one place, by what they stand for. */
export interface KnownParams {
  all: ReadonlySet<string>;
  arrays: ReadonlySet<string>;
  /** The keys of each object. */
  objects: ReadonlyMap<string, ReadonlySet<string>>;
}

/** The declared params of a list. */
export function declaredParams(params: Field): DeclaredParam[] {
  return params.items().map((field) => {
    const given = field.get('default');
    const value = given.present ? parseParamValue(given) : undefined;
    const properties = isMap(field.get('properties').value) ? keysOf(field.get('properties')) : undefined;
    const inferred = properties !== undefined ? 'object' : value === undefined ? 'string' : typeOf(value);
    return { name: field.get('name').text(), type: field.get('type').text() || inferred, properties, default: value };
  });
}

/** The declared keys of an object; one that is null is none, as an API server has it. */
export function keysOf(properties: Field): string[] {
  return properties.members().flatMap(([key, property]) => (property.present ? [key] : []));
}

/** What params declare, for the rules about variables. */
export function knownParams(params: readonly DeclaredParam[]): KnownParams {
  return {
    all: new Set(params.map(({ name }) => name)),
    arrays: new Set(params.filter(({ type }) => type === 'array').map(({ name }) => name)),
    objects: new Map(
      params.filter(({ type }) => type === 'object').map(({ name, properties }) => [name, new Set(properties)]),
    ),
  };
}

const PARAM_TYPES = ['string', 'array', 'object'];
const PARAM_NAME = /^[_a-zA-Z][_a-zA-Z0-9.-]*$/;
const OBJECT_NAME = /^[_a-zA-Z][_a-zA-Z0-9-]*$/;

/** Notes what is wrong with declared params themselves. With `names`, how they are called as well. */
export function admitParamSpecs(params: Field, names: boolean): void {
  const declared = declaredParams(params);
  const seen = new Set<string>();
  for (const [index, field] of params.items().entries()) {
    const param = declared[index];
    if (param === undefined) continue;
    if (seen.has(param.name)) field.invalid(`there are two params named ${JSON.stringify(param.name)}`);
    seen.add(param.name);
    if (!PARAM_TYPES.includes(param.type)) {
      field.get('type').invalid(`expected string, array or object, found ${JSON.stringify(param.type)}`);
    } else if (param.default !== undefined && typeOf(param.default) !== param.type) {
      field.get('default').invalid(`expected ${param.type}, found ${typeOf(param.default)}`);
    }
    admitProperties(field);
    if (field.get('enum').items().length > 0) {
      field
        .get('enum')
        .unsupported("needs Tekton's feature flag enable-param-enum, which is off where nobody turned it on");
    }
    if (names) admitParamName(field.get('name'), param);
  }
}

/** Notes a name that no param of its type can have, of itself or of a key. */
export function admitParamName(field: Field, { name, type, properties = [] }: DeclaredParam): void {
  const pattern = type === 'object' ? OBJECT_NAME : PARAM_NAME;
  const wrong = [name, ...(type === 'object' ? properties : [])].filter((word) => !pattern.test(word));
  for (const word of wrong) {
    const rest = type === 'object' ? '_ and -' : '_, - and .';
    field.invalid(`${JSON.stringify(word)} is no name: letters, digits, ${rest}, and a letter or _ first`);
  }
}

/** Notes properties of another type than string, of a param or a result; with `said`, also those without one. */
export function admitProperties(field: Field, said = false): void {
  for (const [key, property] of field.get('properties').members()) {
    if (!property.present) continue;
    const type = property.get('type').text();
    if (type === '' && said) property.invalid(`the key ${key} needs its type: string`);
    else if (type !== '' && type !== 'string') property.invalid(`the key ${key} has to be a string, found ${type}`);
  }
}

/** Notes names that are given twice; `lower` where case makes no difference. */
export function admitUniqueNames(list: Field, what: string, lower = false): void {
  const seen = new Set<string>();
  for (const item of list.items()) {
    const name = item.get('name').text();
    const key = lower ? name.toLowerCase() : name;
    if (seen.has(key)) item.get('name').invalid(`there are two ${what} named ${JSON.stringify(name)}`);
    seen.add(key);
  }
}

/** Notes variables of a prefix that nothing declares. */
export function admitKnown(field: Field, text: string, prefix: string, names: ReadonlySet<string>): void {
  for (const { text: variable, name, tooLong } of variablesIn(text, prefix)) {
    if (tooLong) {
      field.invalid(`${variable} has more than two parts after ${prefix}; write ${prefix}["…"]`);
      return;
    }
    if (!names.has(withoutIndex(name))) {
      field.invalid(`${variable} refers to nothing that is declared`);
      return;
    }
  }
}

/** Notes variables that stand for whole lists, where a string has to be. */
export function admitNoArray(field: Field, text: string, prefix: string, arrays: ReadonlySet<string>): void {
  for (const { text: variable, name, tooLong } of variablesIn(text, prefix)) {
    if (tooLong) return;
    if (arrays.has(name.replace(/\[\*\]$/, ''))) field.invalid(`${variable} is an array; a string has to be here`);
    return;
  }
}

/** Notes variables that stand for whole objects. */
export function admitNoObject(field: Field, text: string, prefix: string, objects: ReadonlySet<string>): void {
  const found = variablesIn(text, prefix).find(({ rest }) => objects.has(rest.replace(/\[\*\]$/, '')));
  if (found !== undefined) field.invalid(`${found.text} is an object; one of its keys has to be here`);
}

/** Notes variables that stand for lists and are not alone in their text. */
export function admitAlone(field: Field, text: string, prefix: string, arrays: ReadonlySet<string>): void {
  const found = variablesIn(text, prefix);
  const array = found.find(({ name, tooLong }) => !tooLong && arrays.has(name.replace(/\[\*\]$/, '')));
  if (array !== undefined && found[0]?.text !== text) {
    field.invalid(`${array.text} has to stand alone, since it is an array`);
  }
}

/** Notes keys of objects that are not declared. */
export function admitObjectKeys(field: Field, text: string, prefix: string, objects: KnownParams['objects']): void {
  for (const [name, keys] of objects) admitKnown(field, text, `${prefix}.${name}`, keys);
}

/** Params that an object gives itself can't be null, which those of a spec inside it can: that is read as it is written. */
export function admitValues(params: Field): void {
  for (const param of params.items()) {
    if (param.get('value').value === null)
      param.get('value').invalid('is null; expected a string, a list or an object');
  }
}
