import { at, items, known, member, members, textOf } from '../json/decode.ts';

/** Where a task's or a pipeline's definition came from. */
export interface Definition {
  /** `oci://<repository>` of a bundle, without its tag; else the URI that Tekton resolved it to. */
  readonly uri: string;
  /** `sha256:<hex>`, `sha1:<hex>`; what a run names without a digest is not what was run. */
  readonly digest: string;
  readonly bundle: boolean;
}

/**
 * What a task reference was resolved to. `resolved` is a `RefSource` of Tekton (SLSA v0.2: `invocation.configSource`),
 * which its controller writes: `{uri, digest, entryPoint}`; the resolver of bundles gives the repository without a
 * scheme. Without one, a reference that pins a bundle by its digest says the same (TEP-0110). A bundle is what a bundle
 * reference was resolved to: an address alone can be had by other resolvers as well.
 */
export function definitionOf(reference: unknown, resolved: unknown): Definition | undefined {
  const asked = bundleAsked(reference);
  const uri = textOf(known(resolved, 'uri')) ?? '';
  const [[algorithm, hex] = ['', '']] = members(known(resolved, 'digest'));
  const digest = `${algorithm}:${textOf(hex)}`;
  const pinned = /@(sha256:[0-9a-f]{64})$/.exec(asked ?? '')?.[1];
  if (uri === '') {
    return asked === undefined || pinned === undefined
      ? undefined
      : { uri: bundleUri(asked), digest: pinned, bundle: true };
  }
  const bundle =
    asked !== undefined &&
    (pinned ?? digest) === digest &&
    digest.startsWith('sha256:') &&
    bundleUri(asked) === bundleUri(uri);
  return { uri: bundle ? bundleUri(uri) : uri, digest, bundle };
}

/** The bundle that a reference names: Tekton's resolver `bundles`, or the field that was there before it. */
function bundleAsked(reference: unknown): string | undefined {
  const before = textOf(known(reference, 'bundle'));
  if (before !== undefined && before !== '') return before;
  if (known(reference, 'resolver') !== 'bundles') return undefined;
  const param = items(known(reference, 'params')).find((entry) => member(entry, 'name') === 'bundle');
  return textOf(at(param, 'value'));
}

function bundleUri(text: string): string {
  const name = text.replace(/^oci:\/\//, '').replace(/@.*$/s, '');
  return `oci://${name.replace(/:[^:/]*$/, '')}`;
}

/** For a report: what defines a task is who built. */
export function describeDefinition(definition: Definition | undefined): string {
  if (definition === undefined) return 'a task defined in the run itself';
  return `${definition.bundle ? 'the bundle ' : ''}${definition.uri}@${definition.digest}`;
}
