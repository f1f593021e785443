import type { Field } from '../yaml/field.ts';

const WORD = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const LONGEST_NAME = 63;
/** Bytes that all annotations may have together. */
const ANNOTATIONS_LIMIT = 262_144;

/** Notes what an API server refuses of what an object says of itself. */
export function admitMetadata(metadata: Field): void {
  const name = metadata.get('name').text();
  const generated = metadata.get('generateName').text();
  if (name === '' && generated === '') {
    metadata.get('name').invalid('a name or a generateName is required');
    return;
  }
  if (name !== '' && !isName(name)) {
    metadata
      .get('name')
      .invalid(`${JSON.stringify(name)} is no name: letters a-z, digits, - and ., at most ${LONGEST_NAME}`);
  }
  // It is looked at as well where nothing is made of it.
  if (generated !== '' && !(name === '' ? isGenerateName(generated) : isBeginning(generated))) {
    metadata
      .get('generateName')
      .invalid(`${JSON.stringify(generated)} is no beginning of a name: letters a-z, digits, - and .`);
  }
  const namespace = metadata.get('namespace');
  if (namespace.text() !== '' && !LABEL.test(namespace.text())) {
    namespace.invalid(`${JSON.stringify(namespace.value)} is no name of a namespace: letters a-z, digits and -`);
  }
  for (const [key, label] of metadata.get('labels').members()) {
    admitKey(label, key);
    if (label.text() !== '' && !WORD.test(label.text())) {
      label.invalid(`${JSON.stringify(label.value)} is no value of a label`);
    }
  }
  admitAnnotations(metadata.get('annotations'));
  admitOwners(metadata.get('ownerReferences'));
  for (const finalizer of metadata.get('finalizers').items()) admitKey(finalizer, finalizer.text());
  if (Number(metadata.get('generation').value ?? 0) < 0) metadata.get('generation').invalid('is less than 0');
  for (const managed of metadata.get('managedFields').items()) {
    const operation = managed.get('operation');
    if (!['Apply', 'Update'].includes(operation.text())) operation.expected('Apply or Update');
  }
}

function admitAnnotations(annotations: Field): void {
  let size = 0;
  for (const [key, annotation] of annotations.members()) {
    admitKey(annotation, key.toLowerCase());
    size += Buffer.byteLength(key) + Buffer.byteLength(annotation.text());
  }
  if (size > ANNOTATIONS_LIMIT) annotations.invalid(`have ${size} bytes; the limit is ${ANNOTATIONS_LIMIT}`);
}

function admitOwners(owners: Field): void {
  for (const owner of owners.items()) {
    const missing = ['apiVersion', 'kind', 'name', 'uid'].find((key) => owner.get(key).text() === '');
    if (missing !== undefined) owner.get(missing).invalid('is required');
    else if (owner.get('apiVersion').text().split('/').length > 2) owner.get('apiVersion').expected('group/version');
  }
  const controllers = owners.items().filter((owner) => owner.get('controller').value === true);
  if (controllers.length > 1) owners.invalid('only one of them can be the controller');
}

/** Whether it can be the name of what Tekton runs. */
export function isName(name: string): boolean {
  return name.length <= LONGEST_NAME && isSubdomain(name);
}

/** Whether an API server can make a name of it: of its first 58 characters, after it has looked at all of them. */
export function isGenerateName(text: string): boolean {
  return isBeginning(text) && isName(`${text.slice(0, 58)}abcde`);
}

/** A dash at the end hides what is before it. */
function isBeginning(text: string): boolean {
  return isSubdomain(text.replace(/.-$/s, 'a'));
}

/** A name as that of a host, of at most 253 characters. */
function isSubdomain(name: string): boolean {
  return name.length <= 253 && /^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/.test(name) && !/\.\.|\.-|-\./.test(name);
}

/** Names of labels, annotations and finalizers: perhaps a domain and a slash before a word. */
function admitKey(field: Field, key: string): void {
  const [, prefix, name = ''] = /^(?:([^/]*)\/)?([^/]*)$/.exec(key) ?? [];
  const isDomain = prefix === undefined || isSubdomain(prefix);
  if (!WORD.test(name) || !isDomain) field.invalid(`${JSON.stringify(key)} is no name of such a kind`);
}
