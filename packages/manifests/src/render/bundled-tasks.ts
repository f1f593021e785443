import { parse } from 'yaml';
import type { Pins } from '../pins.ts';
import { writeYaml } from '../yaml/write.ts';
import { extractImage, labelImage, linkImage, resolveImage } from './own-tasks.ts';
import { verifyChainTask } from './verify-chain.ts';

/** A Task of Tekton's, as plain values. */
export interface BundledTask {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: { readonly steps: readonly { readonly name: string; readonly image: string }[] };
  readonly [field: string]: unknown;
}

/**
 * The chain's own tasks for a bundle, the same for every chain.
 *
 * @param runner The image that has digest-chain, by digest.
 */
export function bundledTasks(runner: string, pins: Pins): BundledTask[] {
  return [labelImage, linkImage, extractImage, resolveImage, verifyChainTask].map(
    (task) => parse(writeYaml([task({ runner }, pins)])) as BundledTask,
  );
}
