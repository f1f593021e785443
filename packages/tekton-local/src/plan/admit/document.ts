import type { Problem } from '../../errors.ts';
import { withNamesInCase } from '../decode/case-of-names.ts';
import { checkShape, type Shape, withoutUnknown } from '../decode/shape.ts';
import { Field, isMap } from '../yaml/field.ts';
import type { Keys } from '../yaml/kubernetes-yaml.ts';
import { admit, type Kind, shapeOf } from './admit.ts';
import { admitOlder, admitOlderTask, olderShape, withNewNames } from './older-version.ts';

/**
 * An object of Tekton's as one of `tekton.dev/v1`, with everything noted for which a cluster would refuse it.
 *
 * @param document Of that kind.
 */
export function readObject(document: Field, kind: Kind): Field {
  const own = ownNames(document, kind);
  const older = isOlder(document, kind);
  if (older) {
    checkShape(own, ownShape(document, kind));
    if (kind === 'Task') admitOlderTask(own);
  }
  const { value, origin } = newest(own, kind);
  const object = new Field(value, { ...origin, isOlder: older });
  admit(object, kind);
  return object;
}

/**
 * An object as Pipelines as Code hands it on: what Tekton does not know is dropped, without a word there.
 *
 * @param notes Gets a word about it.
 */
export function knownAlone(document: Field, kind: Kind, notes: string[]): Field {
  const own = ownNames(document, kind);
  const dropped: Keys[] = [];
  const value = withoutUnknown(own.value, ownShape(document, kind), dropped);
  if (dropped.length === 0) return newest(own, kind);
  for (const keys of dropped) {
    const { origin, path } = new Field(undefined, own.origin, keys);
    const note = `${origin.file}:${origin.placeOf(keys)?.line ?? 1}: Tekton has no field ${path}; Pipelines as Code drops it`;
    if (!notes.includes(note)) notes.push(note);
  }
  return newest(new Field(value, own.origin, own.keys), kind);
}

/** Why Tekton's types can't be read from an object, whatever of it they do not know: a field holds something else. */
export function whyUnread(document: Field, kind: Kind): string | undefined {
  const problems: Problem[] = [];
  const own = ownNames(document.withProblems(problems), kind);
  const shape = ownShape(own, kind);
  checkShape(new Field(withoutUnknown(own.value, shape, []), own.origin, own.keys), shape);
  const wrong = problems.find(({ message }) => message.startsWith('expected '));
  return wrong && `${wrong.path}: ${wrong.message}`;
}

function isOlder(document: Field, kind: Kind): boolean {
  return kind !== 'StepAction' && document.get('apiVersion').value === 'tekton.dev/v1beta1';
}

/** The fields of the version that an object is written in. */
function ownShape(document: Field, kind: Kind): Shape {
  return isOlder(document, kind) ? olderShape(kind) : shapeOf(kind);
}

/** An object of Tekton's with the names of its version in Tekton's own case, whatever is wrong with it otherwise. */
function ownNames(document: Field, kind: Kind): Field {
  const version = document.get('apiVersion');
  const found = document.get('kind');
  if (found.value !== kind) found.expected(kind);
  const [newest, older] = kind === 'StepAction' ? ['v1beta1', 'v1alpha1'] : ['v1', 'v1beta1'];
  if (version.value !== `tekton.dev/${newest}` && version.value !== `tekton.dev/${older}`) {
    version.expected(`tekton.dev/${newest} or tekton.dev/${older}`);
  }
  const written: [to: Keys, from: Keys][] = [];
  const twice: Keys[] = [];
  const value = withNamesInCase(document.value, kind, ownShape(document, kind), { written, twice });
  // Tekton reads both, one over the other.
  for (const keys of twice) {
    new Field(undefined, document.origin, keys).unsupported(
      'is there twice, in two cases: tekton-local takes one of them',
    );
  }
  return value === document.value ? document : withValue(document, value, written);
}

/** An object with the names of v1. */
function newest(document: Field, kind: Kind): Field {
  if (!isOlder(document, kind)) return document;
  admitOlder(document, kind);
  const written: [to: Keys, from: Keys][] = [];
  const value = withNewNames(document.value, kind, written);
  return withValue(document, isMap(value) ? { ...value, apiVersion: 'tekton.dev/v1' } : value, written);
}

/** An object with another value, whose fields still know what they are called in the file, and where they are. */
function withValue({ origin }: Field, value: unknown, written: readonly [to: Keys, from: Keys][]): Field {
  const keysOf = (keys: Keys): Keys => {
    const found = written.findLast(([to]) => to.length <= keys.length && to.every((key, index) => keys[index] === key));
    return found === undefined ? keys : keysOf([...found[1], ...keys.slice(found[0].length)]);
  };
  return new Field(value, {
    ...origin,
    placeOf: (keys) => origin.placeOf(keysOf(keys)),
    writtenAs: (keys) => origin.writtenAs?.(keysOf(keys)) ?? keysOf(keys),
  });
}
