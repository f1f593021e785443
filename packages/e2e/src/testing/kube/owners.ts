import { isDeepStrictEqual } from 'node:util';
import type { Resource } from '../../targets/cluster/api/resource.ts';
import { type Fields, fieldsOf, fieldsV1, valueAt } from './fields.ts';

/** Who writes, and how: the same manager that applies and updates is two owners. */
export interface Owner {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
}

export type Owners = readonly (Owner & { readonly time: string; readonly fields: Fields })[];

/** The owners after an update: what it changed is its own, and nobody else's any more. */
export function ownersAfter(owners: Owners, owner: Owner, before: Resource | undefined, after: Resource): Owners {
  const fields = fieldsOf(after);
  const changed = new Map([...fields].filter(([path, value]) => !isDeepStrictEqual(valueAt(before, path), value)));
  const others = owners.map((entry) => ({
    ...entry,
    fields: new Map(
      [...entry.fields].filter(([path]) => fields.has(path) && (isSame(entry, owner) || !changed.has(path))),
    ),
  }));
  const own = others.find((entry) => isSame(entry, owner));
  if (changed.size === 0) return others.filter((entry) => entry.fields.size > 0);
  return addOwner(others, owner, new Map([...(own?.fields ?? []), ...changed]), after);
}

/** The owners with this one owning exactly these fields; the others keep what they have, as long as it is as they set it. */
export function addOwner(owners: Owners, owner: Owner, fields: Fields, after: Resource): Owners {
  const there = fieldsOf(after);
  const others = owners
    .filter((entry) => !isSame(entry, owner))
    .map((entry) => ({
      ...entry,
      fields: new Map([...entry.fields].filter(([path, value]) => isDeepStrictEqual(there.get(path), value))),
    }))
    .filter((entry) => entry.fields.size > 0);
  const known = owners.find((entry) => isSame(entry, owner));
  const isKnown = known !== undefined && isDeepStrictEqual([...known.fields.keys()], [...fields.keys()]);
  const time = isKnown ? known.time : `${new Date().toISOString().slice(0, 19)}Z`;
  return [...others, { ...owner, time, fields }];
}

/** As `metadata.managedFields` has them. */
export function printOwners(owners: Owners, apiVersion: string): object[] {
  return owners.map(({ manager, operation, time, fields }) => ({
    manager,
    operation,
    apiVersion,
    time,
    fieldsType: 'FieldsV1',
    fieldsV1: fieldsV1(fields),
  }));
}

function isSame(a: Owner, b: Owner): boolean {
  return a.manager === b.manager && a.operation === b.operation;
}
