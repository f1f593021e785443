import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ParamValue } from '../plan/model.ts';

/** `host/path`, perhaps with a tag and a digest, perhaps as a URI of OCI; a host has a dot or a port, or is localhost. */
const REFERENCE =
  /^(?:oci:(?:\/\/)?|docker:\/\/)?((?:localhost|[a-z0-9-]+(?:\.[a-z0-9-]+)+)(?::\d+)?|[a-z0-9-]+:\d+)(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+(?::[\w.-]+)?(?:@[a-z0-9]+:[0-9a-f]+)?$/i;

/** A proxy at which nobody answers: what is asked of it fails at once. A tool reaches this machine's loopback without. */
const NOWHERE = 'http://127.0.0.1:1';

/** What keeps a tool in a container from every registry but those on this machine's loopback. */
export const LOOPBACK_ONLY: Readonly<Record<string, string>> = Object.fromEntries(
  ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].flatMap((name) => [
    [name, NOWHERE],
    [name.toLowerCase(), NOWHERE],
  ]),
);

/** An image that a task is given, in a registry that is not the run's. */
export interface Elsewhere {
  readonly param: string;
  readonly reference: string;
}

/**
 * Finds the first param that names an image in another registry than the run's. An array is passed over: those are
 * arguments of a build, which reads a base from where that is.
 *
 * @param root The checkout: what is a path in it is no image, whatever it looks like
 */
export function findElsewhere(
  params: Readonly<Record<string, ParamValue>>,
  registry: string,
  root: string,
): Elsewhere | undefined {
  for (const [param, value] of Object.entries(params)) {
    const image = typeof value === 'string' ? imageIn(value, root) : undefined;
    if (image !== undefined && image.host.toLowerCase() !== registry) return { param, reference: image.reference };
  }
  return undefined;
}

/** The image that a text names, and the host of its registry. What is a path in the checkout is none. */
export function imageIn(text: string, root: string): { host: string; reference: string } | undefined {
  const host = REFERENCE.exec(text)?.[1];
  return host === undefined || existsSync(join(root, text)) ? undefined : { host, reference: text };
}

/** Why a task is not started. */
export function elsewhereText({ param, reference }: Elsewhere, registry: string): string {
  return `its param ${param} names ${reference}, and this run has to do with its own registry ${registry} alone`;
}
