import { hashOf } from './hash.ts';

const LONGEST = 63;
const HEAD: number = LONGEST - 32;

/** The name of a TaskRun as Tekton makes it: of its run's and its task's, of those of a matrix with its place. */
export function taskRunName(run: string, task: string, index: number, count: number): string {
  if (count === 1) return childName(run, `-${task}`);
  const name = childName(run, `-${task}-${index}`);
  if (name.endsWith(`-${index}`)) return name;
  return `${childName(run, `-${task}`).slice(0, LONGEST - `-${count}`.length)}-${index}`;
}

/** The name of a TaskRun's Pod; its retries have Pods of their own. */
export function podName(taskRun: string, retry: number): string {
  return childName(taskRun, retry === 0 ? '-pod' : `-pod-retry${retry}`);
}

/** A parent's name with something after it, which a hash keeps apart where it would be too long for Kubernetes. */
function childName(parent: string, suffix: string): string {
  if (parent.length <= LONGEST - suffix.length) return parent + suffix;
  if (suffix.length < HEAD) return `${parent.slice(0, HEAD - suffix.length)}${hashOf('md5', parent)}${suffix}`;
  const start = `${parent.slice(0, HEAD)}${hashOf('md5', parent + suffix)}`;
  return `${start}${suffix.slice(0, Math.max(0, LONGEST - start.length))}`.replace(/[^a-zA-Z0-9]+$/, '');
}
