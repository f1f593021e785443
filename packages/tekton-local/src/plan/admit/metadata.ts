import type { Field } from '../yaml/field.ts';

const WORD = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
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
  const whole = name === '' ? `${generated.slice(0, 58)}abcde` : name;
  if (!isSubdomain(whole) || whole.length > 63) {
    const field = metadata.get(name === '' ? 'generateName' : 'name');
    field.invalid(
      `${JSON.stringify(name === '' ? generated : name)} is no name: letters a-z, digits, - and ., at most 63`,
    );
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
