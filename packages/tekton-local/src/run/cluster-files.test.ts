import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCheckout } from '@multi-image/testing/checkout';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ClusterObjects } from '../plan/cluster-objects.ts';
import type { ObjectSource } from '../plan/model.ts';
import { Field } from '../plan/yaml/field.ts';
import { fillFolder, keyText } from './cluster-files.ts';

const field = new Field({}, { file: 'f', problems: [], placeOf: () => undefined });
const secret = (more: Partial<ObjectSource> = {}): ObjectSource => ({
  kind: 'secret',
  object: 's',
  optional: false,
  field,
  ...more,
});
const plain = (text: string): string => text;

function folders(): { root: string; objects: ClusterObjects; target: string } {
  const { root, remove } = makeCheckout({ 's/a': 'A', 's/b': 'B', 's/folder/c': 'C', outside: 'never' });
  onTestFinished(remove);
  return { root, objects: { secrets: { s: join(root, 's') } }, target: join(root, 'volume') };
}

describe('files in place of Secrets and ConfigMaps', () => {
  it('are copies of all keys, or of those that are named', () => {
    const { root, objects, target } = folders();
    expect(readdirSync(fillFolder(target, [secret()], objects, plain))).toEqual(['a', 'b']);
    const items = [{ key: 'a', path: 'deep/x' }];
    const named = fillFolder(join(root, 'named'), [secret({ items })], objects, plain);
    expect(readFileSync(join(named, 'deep/x'), 'utf8')).toBe('A');
  });

  it('lead nowhere else, neither by a path nor by a key', () => {
    const { root, objects, target } = folders();
    const put = (key: string, path: string): unknown =>
      fillFolder(target, [secret({ items: [{ key, path }] })], objects, plain);
    expect(() => put('a', '../escaped')).toThrow('leads out of its volume');
    expect(existsSync(join(root, 'escaped'))).toBe(false);
    for (const key of ['../outside', 'folder/c', 'folder', '..']) {
      expect(() => keyText({ ...secret(), key }, objects, plain)).toThrow('has no key');
    }
  });

  it('may be missing only where they are optional', () => {
    const { objects, target } = folders();
    const other = (optional: boolean): ObjectSource => secret({ object: '$(params.name)', optional });
    const text = (from: string): string => from.replace('$(params.name)', 'other');
    expect(() => fillFolder(target, [other(false)], objects, text)).toThrow('--secret other=FOLDER');
    expect(keyText({ ...other(true), key: 'a' }, objects, text)).toBeUndefined();
    expect(keyText({ ...secret(), key: 'a' }, objects, text)).toBe('A');
  });
});
