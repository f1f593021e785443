import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { EXIT, runCommandLine } from '@multi-image/kit/command-line';
import { formatError } from '@multi-image/kit/error-text';
import { reasonOf } from '@multi-image/kit/errors';
import { palette } from '@multi-image/kit/terminal';
import { ENCODINGS, PROVENANCES } from './chains.ts';
import {
  control,
  costOf,
  down,
  environmentOf,
  inNetwork,
  personalState,
  type RunningCluster,
  runningIn,
  up,
} from './cluster.ts';
import { ClusterTestingError } from './errors.ts';
import { deadParts, deathOf } from './parts.ts';
import { API_SERVER, GIT, inState, REGISTRY } from './place.ts';

const GIBIBYTE = 2 ** 30;

const HELP = `pnpm cluster: a real Kubernetes with Tekton Pipelines and Chains on this machine (Linux, root)

  up                  bring it up, or start again what has died of it
     --admission        only the API server with Tekton's webhook
     --provenance WHAT  what Chains writes: ${PROVENANCES.join(' or ')}, the first by default
     --encoding WHAT    and in what: ${ENCODINGS.join(' or ')}, the first by default
  down                end it, and remove all of it
  kubectl ARGS…       kubectl on it
  run COMMAND…        run a command of this machine's in its network
  logs [PART]         the log of one of its parts, or their names
  stop PART, start PART   as if it had crashed

It is in namespaces of its own: no port, route or process of this machine is touched. What it is made of is built from Go
modules once, which takes up to half an hour.
`;

await runCommandLine(main, {
  help: 'pnpm cluster --help',
  isRefusal: ({ code }) => ['USAGE', 'MACHINE_UNFIT', 'NOT_UP', 'PART_DIED'].includes(code),
});

async function main(args: readonly string[]): Promise<number> {
  const [verb, ...rest] = args;
  if (verb === undefined || verb === '--help') {
    process.stdout.write(HELP);
    return verb === undefined ? EXIT.refused : EXIT.done;
  }
  if (verb === 'up') return bringUp(rest);
  if (verb === 'down') {
    await down(personalState());
    return EXIT.done;
  }
  const cluster = runningIn(personalState());
  if (cluster === undefined) {
    throw new ClusterTestingError('NOT_UP', 'there is no cluster', { hint: 'pnpm cluster up' });
  }
  if (verb === 'kubectl') return run(cluster, ['kubectl', ...rest]);
  if (verb === 'run' && rest.length > 0) return run(cluster, rest);
  if (verb === 'logs') {
    process.stdout.write(logOf(cluster, rest[0]));
    return EXIT.done;
  }
  if ((verb === 'stop' || verb === 'start') && rest.length === 1) {
    await control(cluster, `${verb} ${rest[0]}`);
    return EXIT.done;
  }
  throw new ClusterTestingError('USAGE', 'not understood', { found: args.join(' ') });
}

async function bringUp(args: readonly string[]): Promise<number> {
  const { admission, provenance, encoding } = upArguments(args);
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const since = performance.now();
  const asked = { provenance: oneOf(PROVENANCES, provenance), encoding: oneOf(ENCODINGS, encoding) };
  const chains = provenance === undefined && encoding === undefined ? undefined : asked;
  const cluster = await up({ extent: admission ? 'admission' : 'node', chains, onLine: say });
  say(`up after ${((performance.now() - since) / 1000).toFixed(1)} s`);
  const { memory, disk } = costOf(cluster);
  const lines = [
    `kubeconfig  ${inState.kubeconfig(cluster.state)}`,
    `API server  ${API_SERVER}`,
    ...(cluster.extent === 'node'
      ? [
          `registry    ${REGISTRY} (no TLS)`,
          `git         ${GIT}/NAME for ${join(inState.git(cluster.state), 'NAME')}`,
          `key         ${inState.publicKey(cluster.state)}`,
        ]
      : []),
    `memory      ${(memory / GIBIBYTE).toFixed(1)} GiB`,
    `disk        ${(disk / GIBIBYTE).toFixed(1)} GiB, with what is kept for the next one`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return EXIT.done;
}

function upArguments(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        admission: { type: 'boolean', default: false },
        provenance: { type: 'string' },
        encoding: { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new ClusterTestingError('USAGE', reasonOf(error));
  }
}

function oneOf<Word extends string>(words: readonly [Word, ...Word[]], found: string = words[0]): Word {
  const word = words.find((one) => one === found);
  if (word !== undefined) return word;
  throw new ClusterTestingError('USAGE', 'Chains can’t write that', { expected: words.join(' or '), found });
}

async function run(cluster: RunningCluster, command: readonly string[]): Promise<number> {
  const before = deadParts(cluster.state);
  if (before.length > 0) throw deathOf(cluster.state, before);
  const [program = '', ...args] = [...inNetwork(cluster), ...command];
  const child = spawn(program, args, { stdio: 'inherit', env: environmentOf(cluster) });
  const [code] = (await once(child, 'exit')) as [number | null];
  const meanwhile = deadParts(cluster.state);
  if (meanwhile.length === 0) return code ?? EXIT.failed;
  process.stderr.write(formatError(deathOf(cluster.state, meanwhile), palette(process.stderr)));
  return code || EXIT.failed;
}

/** What a part said; without one, the names of those that said anything. */
function logOf({ state }: RunningCluster, part: string | undefined): Uint8Array | string {
  const names = readdirSync(join(state, 'log')).map((name) => name.replace(/\.log$/, ''));
  if (part === undefined) return `${names.sort().join('\n')}\n`;
  const file = inState.log(state, part);
  if (existsSync(file)) return readFileSync(file);
  throw new ClusterTestingError('USAGE', `no part ${part}`, { expected: names.join(', ') });
}
