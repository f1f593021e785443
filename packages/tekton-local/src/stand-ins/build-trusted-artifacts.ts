import { rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { TektonLocalError } from '../errors.ts';
import type { StepStandIn, StepStandInContext } from '../stand-in.ts';
import { createTrustedArtifacts, useTrustedArtifact } from './trusted-artifact.ts';

/**
 * The step image that carries sources from task to task through the registry:
 * `use <uri>=<folder>...` and `create --store <reference> <result file>=<folder>...`.
 */
export const buildTrustedArtifacts: StepStandIn = {
  image: 'quay.io/konflux-ci/build-trusted-artifacts',
  async run(context) {
    const [verb, ...rest] = context.args;
    if (verb === 'use') await use(context, rest);
    else if (verb === 'create') await create(context, rest);
    else throw usage(context.args);
    return 0;
  },
};

async function use(context: StepStandInContext, args: readonly string[]): Promise<void> {
  for (const { left: uri, right: folder } of pairs(context, args)) {
    if (uri === '') {
      context.log(`No artifact for ${folder}: skipped.`);
      continue;
    }
    await useTrustedArtifact(uri, context.hostPath(folder), context.signal);
    context.log(`Restored ${uri} to ${folder}`);
  }
}

async function create(context: StepStandInContext, args: readonly string[]): Promise<void> {
  const [option, store, ...rest] = args;
  if (option !== '--store' || store === undefined) throw usage(context.args);
  const found = pairs(context, rest);
  const uris = await createTrustedArtifacts({
    store,
    folders: found.map(({ left, right }) => ({ name: basename(left), folder: context.hostPath(right) })),
    timestamp: 0,
    expiresAfter: context.env.IMAGE_EXPIRES_AFTER ?? '',
    signal: context.signal,
  });
  for (const [index, { left, right }] of found.entries()) {
    // Tekton's results are files in one folder: the name is all that counts of the path.
    const file = join(context.resultsDir, basename(left));
    // An earlier step may have left a link there.
    await rm(file, { recursive: true, force: true });
    await writeFile(file, uris[index] ?? '', { flag: 'wx' });
    context.log(`Created ${uris[index]} from ${right}`);
  }
}

function pairs(context: StepStandInContext, args: readonly string[]): { left: string; right: string }[] {
  return args.map((argument) => {
    const equals = argument.lastIndexOf('=');
    if (equals === -1) throw usage(context.args);
    return { left: argument.slice(0, equals), right: argument.slice(equals + 1) };
  });
}

function usage(args: readonly string[]): TektonLocalError {
  return new TektonLocalError('UNSUPPORTED', 'the arguments of build-trusted-artifacts are not understood', {
    expected: 'use <uri>=<folder>... or create --store <reference> <result file>=<folder>...',
    found: JSON.stringify(args),
  });
}
