import type { ClusterObjects } from './cluster-objects.ts';
import type { FileObjects } from './model.ts';
import type { Field } from './yaml/field.ts';

/** Reads the objects among the documents of the files that were named. Notes what is wrong with them. */
export function fileObjects(documents: readonly Field[]): FileObjects {
  const ofKind = (kind: string): [string, Field][] =>
    documents
      .filter((document) => document.get('kind').value === kind && document.get('apiVersion').value === 'v1')
      .map((document): [string, Field] => [document.get('metadata', 'name').text(), document])
      .filter(([name, document]) => {
        // It becomes a folder's.
        const isName = /^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/.test(name);
        if (!isName) document.get('metadata', 'name').invalid(`${JSON.stringify(name)} is no name`);
        return isName;
      });
  return {
    secrets: Object.fromEntries(
      ofKind('Secret').map(([name, document]) => [
        name,
        { ...bytesOf(document, 'data'), ...textsOf(document, 'stringData') },
      ]),
    ),
    configMaps: Object.fromEntries(
      ofKind('ConfigMap').map(([name, document]) => [
        name,
        { ...textsOf(document, 'data'), ...bytesOf(document, 'binaryData') },
      ]),
    ),
    claims: ofKind('PersistentVolumeClaim').map(([name]) => name),
  };
}

/** Where an object of the files will be, before there is a folder of the run. */
export const IN_FILES = '';

/** What stands for the objects of a cluster: what the caller gives, and what the files have. */
export function withFileObjects(given: ClusterObjects, files: FileObjects, folder?: string): ClusterObjects {
  const places = (kind: string, names: readonly string[]): Record<string, string> =>
    Object.fromEntries(names.map((name) => [name, folder === undefined ? IN_FILES : `${folder}/${kind}/${name}`]));
  return {
    secrets: { ...places('secrets', Object.keys(files.secrets)), ...given.secrets },
    configMaps: { ...places('configMaps', Object.keys(files.configMaps)), ...given.configMaps },
    claims: { ...places('claims', files.claims), ...given.claims },
  };
}

function textsOf(document: Field, key: string): Record<string, Buffer> {
  return Object.fromEntries(
    document
      .get(key)
      .entries()
      .filter(isKey)
      .map(([name, value]) => [name, Buffer.from(value.string() ?? '')]),
  );
}

function bytesOf(document: Field, key: string): Record<string, Buffer> {
  return Object.fromEntries(
    document
      .get(key)
      .entries()
      .filter(isKey)
      .map(([name, value]) => {
        const text = value.text().replace(/\s/g, '');
        if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 > 0) value.expected('base64');
        return [name, Buffer.from(text, 'base64')];
      }),
  );
}

function isKey([name, value]: [string, Field]): boolean {
  const is = /^[-._a-zA-Z0-9]+$/.test(name) && !name.startsWith('..') && name !== '.';
  if (!is) value.invalid(`${JSON.stringify(name)} is no key: letters, digits, -, _ and .`);
  return is;
}
