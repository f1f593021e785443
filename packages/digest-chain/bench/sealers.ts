import { hasCommand } from '@multi-image/testing/command';
import type { Command } from './measure.ts';

export interface Target {
  /** `host/name` of the image, through the proxy. */
  readonly repository: string;
  readonly digest: string;
  /** A linked image, by digest; it is not read where links are not checked. */
  readonly linked: string;
}

/** A way to put a label on an image and to publish the result under a tag of the same repository. */
export interface Sealer {
  readonly name: string;
  /** The program that must be there. */
  readonly program: string;
  /** Every round writes something new, so that nobody finds the work done. */
  commands(target: Target, round: string): readonly Command[];
  /** Forgets what a round left on this machine; not measured. */
  readonly forget?: Command;
}

/** digest-chain, run by this Node from this file. */
export function digestChain(name: string, cli: string, flags: readonly string[]): Sealer {
  return {
    name,
    program: process.execPath,
    commands: ({ repository, digest, linked }, round) => [
      [
        process.execPath,
        cli,
        'seal',
        `${repository}@${digest}`,
        `metadata=${linked.replace('@', `:${round}@`)}`,
        `--tag=${repository}:${round}`,
        ...flags,
      ],
    ],
  };
}

/** What it takes to start Node and to do nothing. */
export const IDLE: Sealer = {
  name: 'node -e 0',
  program: process.execPath,
  commands: () => [[process.execPath, '-e', '0']],
};

/**
 * What it takes to know what a chain of two images says of itself: of crane the config of each, of which it proves nothing.
 * The target's repository is that of the sealed image, `linked` the other one.
 */
export function readers(name: string, cli: string): readonly Sealer[] {
  return [
    {
      name,
      program: process.execPath,
      commands: ({ repository }) => [[process.execPath, cli, 'verify', `${repository}:sealed`, '--no-statement']],
    },
    {
      name: 'crane config, twice',
      program: 'crane',
      commands: ({ repository, linked }) => [
        ['crane', 'config', `${repository}:sealed`],
        ['crane', 'config', linked],
      ],
    },
  ];
}

const NO_TLS = '--tls-verify=false';

/** What people use today. `store` is an empty folder for buildah's images. */
export function peers(store: string): readonly Sealer[] {
  const buildah = (...args: string[]): Command => [
    'buildah',
    '--root',
    `${store}/root`,
    '--runroot',
    `${store}/run`,
    '--storage-driver',
    'vfs',
    ...args,
  ];
  return [
    {
      name: 'crane mutate',
      program: 'crane',
      commands: ({ repository, digest }, round) => [
        ['crane', 'mutate', `${repository}@${digest}`, `--label=round=${round}`, `--tag=${repository}:${round}`],
      ],
    },
    {
      name: 'skopeo copy (no label)',
      program: 'skopeo',
      commands: ({ repository, digest }, round) => [
        [
          'skopeo',
          'copy',
          '-q',
          '--src-tls-verify=false',
          '--dest-tls-verify=false',
          `docker://${repository}@${digest}`,
          `docker://${repository}:${round}`,
        ],
      ],
    },
    {
      name: 'buildah from, config, commit, push',
      program: 'buildah',
      commands: ({ repository, digest }, round) => [
        buildah('from', '-q', NO_TLS, '--pull-always', '--name', round, `${repository}@${digest}`),
        buildah('config', '--label', `round=${round}`, round),
        buildah('commit', '-q', NO_TLS, round, round),
        buildah('push', '-q', NO_TLS, round, `docker://${repository}:${round}`),
      ],
      forget: buildah('rmi', '-a', '-f'),
    },
  ];
}

/** Those that are installed, and the names of the others. */
export function installed(sealers: readonly Sealer[]): { present: readonly Sealer[]; missing: readonly string[] } {
  const present = sealers.filter(({ program }) => program === process.execPath || hasCommand(program));
  return { present, missing: sealers.filter((sealer) => !present.includes(sealer)).map(({ name }) => name) };
}
