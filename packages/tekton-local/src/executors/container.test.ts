import { availableParallelism } from 'node:os';
import { expect, it } from 'vitest';
import { podmanArguments } from './container.ts';
import type { Mount, StepCommand } from './executor.ts';

const OWN: Mount = { hostPath: '/run/claim', containerPath: '/workspace/own', readOnly: false, shared: true };
const CALLERS: Mount = { hostPath: '/home/me', containerPath: '/workspace/mine', readOnly: true, callers: true };

function argumentsOf(
  step: Partial<StepCommand>,
  { limits, selinux }: { limits?: boolean; selinux?: boolean } = {},
): string[] {
  const whole: StepCommand = {
    name: 'step',
    image: 'image',
    neverPull: false,
    args: [],
    env: new Map(),
    mounts: [OWN],
    security: { readOnlyRootFilesystem: false, noNewPrivileges: true, addCapabilities: [], dropCapabilities: [] },
    limits: {},
    log: () => {},
    note: () => {},
    signal: new AbortController().signal,
    ...step,
  };
  const containers = { runArguments: [], description: '', limits };
  return podmanArguments('name', whole, { containers, network: 'none', prefix: 'test', selinux });
}

it('leaves SELinux on: the run’s folders get a container’s label', () => {
  const args = argumentsOf({}, { selinux: true });
  expect(args).toContain('--volume=/run/claim:/workspace/own:rw,z');
  expect(args).toContain('--security-opt=no-new-privileges');
  expect(args).not.toContain('--security-opt=label=disable');
});

it('never labels a folder of the caller’s: a step that sees one goes without SELinux', () => {
  const args = argumentsOf({ mounts: [OWN, CALLERS] }, { selinux: true });
  expect(args).toContain('--security-opt=label=disable');
  expect(args).toContain('--volume=/home/me:/workspace/mine:ro');
  expect(args).toContain('--volume=/run/claim:/workspace/own:rw');
});

it('asks for no labels where there are none', () => {
  expect(argumentsOf({}, { selinux: false })).toContain('--volume=/run/claim:/workspace/own:rw');
});

it('limits memory and processors, without swap and to no more than there are, where that works', () => {
  const limits = { memory: 33_554_432, cpus: 4096 };
  const limited = ['--memory=33554432b', '--memory-swap=33554432b', `--cpus=${availableParallelism()}`];
  expect(argumentsOf({ limits }, { limits: true })).toEqual(expect.arrayContaining(limited));
  for (const option of limited) expect(argumentsOf({ limits })).not.toContain(option);
});
