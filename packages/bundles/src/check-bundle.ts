import {
  DigestChainError,
  type DigestReference,
  parseDigestReference,
  type Registry,
} from '@multi-image/digest-chain/oci';
import { type BundledTask, RUNNER_PROGRAM } from '@multi-image/manifests';
import { BundlesError } from './errors.ts';
import { readTektonBundle, type TektonObject } from './tekton-bundle.ts';

/**
 * Reads the bundle of a chain's tasks, and makes sure that all of them run digest-chain in the image that is pinned, and
 * every other step by digest, too. Throws `BUNDLE_NOT_PINNED`, `RUNNER_NOT_PINNED`, `BUNDLE_INVALID`, and what the
 * registry does.
 */
export async function checkBundle(registry: Registry, bundle: string, runner: string): Promise<TektonObject[]> {
  const [place, expected] = [pinned(bundle), pinned(runner)];
  const objects = await readTektonBundle(registry, place);
  for (const { metadata, spec } of objects as BundledTask[]) {
    for (const step of spec.steps) {
      const { command = [] } = step as { command?: readonly string[] };
      const image = pinnedImage(metadata.name, step);
      if (!command.includes(RUNNER_PROGRAM) || image.digest === expected.digest) continue;
      throw new BundlesError('RUNNER_NOT_PINNED', `the task ${metadata.name} runs in another image`, {
        expected: runner,
        found: step.image,
        hint: 'take bundle and runner of one publication: pnpm bundles prints both',
      });
    }
  }
  return objects;
}

function pinned(text: string): DigestReference {
  try {
    return parseDigestReference(text);
  } catch (cause) {
    throw notPinned('a reference to what runs in pods has to have a digest', text, cause);
  }
}

function pinnedImage(
  task: string,
  { name, image }: { readonly name: string; readonly image: string },
): DigestReference {
  try {
    return parseDigestReference(image);
  } catch (cause) {
    if (!(cause instanceof DigestChainError)) throw cause;
    throw notPinned(`the step ${name} of the task ${task} has no digest`, image, cause);
  }
}

function notPinned(message: string, found: string, cause: unknown): BundlesError {
  const expected = 'registry/repository:tag@sha256:<64 hex digits>';
  return new BundlesError('BUNDLE_NOT_PINNED', message, { expected, found, hint: 'a tag can move', cause });
}
