import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { formatGoal, formatTable } from '@multi-image/testing/bench-table';
import { startCountingProxy } from '@multi-image/testing/counting-proxy';
import { startTestRegistry } from '@multi-image/testing/registry';
import { pushWideChain } from '@multi-image/testing/wide-chain';
import { measureAttested } from './attested.ts';
import { pushBundle } from './files.ts';
import { best, type Command, type Cost, measure } from './measure.ts';
import { measurePeak, pushLargeImage } from './memory.ts';
import { digestChain, IDLE, installed, peers, readers, type Sealer } from './sealers.ts';
import { type Costs, compareInTurn, compareSealers, formatCosts, withFolder } from './sealing.ts';

// What the package costs at a real registry, beside the tools that people use today, and beside its goals.

const SOURCE = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const COMPILED = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const SEAL = 'digest-chain seal';
const CRANE = 'crane mutate';
const VERIFY = 'digest-chain verify';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    images: { type: 'string', default: '1000' },
    mebibytes: { type: 'string', default: '1024' },
    // Of start, seal, read, verify, attested, files and copy: all by default.
    only: { type: 'string', multiple: true },
  },
});
const rounds = Number(values.rounds);
const images = Number(values.images);
const mebibytes = Number(values.mebibytes);

await withFolder(async (folder) => {
  const registry = await startTestRegistry();
  const proxy = await startCountingProxy(registry.host);
  try {
    const benches = {
      start: benchStart,
      seal: benchSeal,
      read: benchRead,
      verify: benchVerify,
      attested: benchAttested,
      files: benchFiles,
      copy: benchCopy,
    };
    for (const [name, bench] of Object.entries(benches)) {
      if (values.only === undefined || values.only.includes(name)) await bench(folder);
    }
  } finally {
    await proxy.stop();
    await registry.stop();
  }

  async function benchStart(): Promise<void> {
    const [idle, compiled, source] = await timeInTurn(
      [process.execPath, '-e', '0'],
      [process.execPath, COMPILED, '--help'],
      [process.execPath, SOURCE, '--help'],
    );
    const row = (name: string, { wall }: Cost): string[] => {
      return [name, `${wall.toFixed(0)} ms`, `${(wall / idle.wall).toFixed(2)} ×`];
    };
    const rows = [row('node -e 0', idle), row('--help, compiled', compiled), row('--help, from source', source)];
    process.stdout.write(formatTable(['start', 'wall', ''], rows));
    process.stdout.write(`${formatGoal('--help ÷ node -e 0', compiled.wall / idle.wall, 1.5)}\n`);
  }

  async function benchSeal(store: string): Promise<void> {
    const sealers: readonly Sealer[] = [
      IDLE,
      digestChain(SEAL, COMPILED, ['--no-check']),
      digestChain(`${SEAL}, from source`, SOURCE, ['--no-check']),
      ...peers(store),
    ];
    const present = thoseThatAreThere(sealers);
    for (const layers of [5, 50]) {
      for (const latency of [0, 50]) {
        const costs = await compareSealers(present, registry.host, proxy, { layers, latency }, rounds);
        const title = `${layers} layers, ${latency} ms added to each request`;
        process.stdout.write(formatCosts(title, costs, costs.has(CRANE) ? CRANE : SEAL));
        process.stdout.write(`${sealGoals(costs, layers, latency)}\n`);
      }
    }
  }

  /** Always through the proxy: the label of the sealed image names that. */
  async function benchRead(): Promise<void> {
    await pushWideChain(proxy.host, 2);
    const targetAt = () => ({
      repository: `${proxy.host}/wide/primary`,
      digest: '',
      linked: `${proxy.host}/wide/linked:image-0`,
    });
    const present = thoseThatAreThere(readers(VERIFY, COMPILED));
    for (const latency of [0, 50]) {
      const costs = await compareInTurn(present, targetAt, proxy.host, proxy, latency, rounds);
      const [reference = VERIFY] = [...costs.keys()].slice(-1);
      process.stdout.write(formatCosts(`2 images, ${latency} ms added to each request`, costs, reference));
      const [own, crane] = [costs.get(VERIFY), costs.get(reference)];
      if (own === undefined || crane === undefined || own === crane) continue;
      process.stdout.write(formatGoal('requests', own.requests, 4, ' '));
      process.stdout.write(formatGoal(`requests ÷ ${reference}`, own.requests / crane.requests, 0.67));
      if (latency > 0) process.stdout.write(formatGoal(`wall ÷ ${reference}`, own.wall / crane.wall, 1));
      process.stdout.write('\n');
    }
  }

  async function benchVerify(folder: string): Promise<void> {
    const tag = await pushWideChain(proxy.host, images);
    const cost = await measurePeak([COMPILED, 'verify', tag, '--no-statement'], folder, proxy);
    const row = [`${cost.requests}`, cost.bytes.toLocaleString('en'), `${cost.wall.toFixed(0)} ms`, `${proxy.peak}`];
    process.stdout.write(
      formatTable(['verify', 'requests', 'bytes', 'wall', 'at once'], [[`${images} images`, ...row]]),
    );
    process.stdout.write(formatGoal('requests', cost.requests, 2 * images, ' '));
    process.stdout.write(formatGoal('peak of memory', cost.peak, 100, ' MB'));
  }

  /** With documents of the size that a real Chains writes. */
  async function benchAttested(): Promise<void> {
    const cost = await measureAttested(20 * rounds);
    const milliseconds = (time: number): string => `${time.toFixed(1)} ms`;
    const rows = [
      [
        `verify, attested: the largest has ${(cost.largest / 1000).toFixed(0)} kB`,
        `${cost.documents}`,
        cost.bytes.toLocaleString('en'),
        milliseconds(cost.attested),
      ],
      ['verify, linked', '', '', milliseconds(cost.linked)],
      ['the documents alone', `${cost.documents}`, cost.bytes.toLocaleString('en'), milliseconds(cost.floor)],
    ];
    process.stdout.write(formatTable(['signed by Chains', 'documents', 'bytes', 'processor'], rows));
    process.stdout.write(formatGoal('attested ÷ (linked + documents)', cost.attested / (cost.linked + cost.floor), 3));
  }

  /** A bundle of 500 files that name thirty images, and a catalog: all of it in one proof. */
  async function benchFiles(folder: string): Promise<void> {
    const args = await pushBundle(proxy.host, 500);
    const cost = await measurePeak([COMPILED, 'verify', ...args], folder, proxy);
    const row = [`${cost.requests}`, cost.bytes.toLocaleString('en'), `${cost.wall.toFixed(0)} ms`];
    process.stdout.write(formatTable(['verify --files', 'requests', 'bytes', 'wall'], [['500 files', ...row]]));
    process.stdout.write(formatGoal('requests', cost.requests, 100, ' '));
    process.stdout.write(formatGoal('peak of memory', cost.peak, 100, ' MB'));
  }

  /** Between two registries nothing can be mounted. */
  async function benchCopy(folder: string): Promise<void> {
    const other = await startTestRegistry();
    try {
      const image = `${registry.host}/large@${await pushLargeImage(`${registry.host}/large:origin`, mebibytes)}`;
      const tag = `--tag=${other.host}/large:sealed`;
      const cost = await measurePeak([COMPILED, 'seal', image, `metadata=${image}`, '--no-check', tag], folder);
      const rows = [[`${mebibytes} MiB`, `${cost.wall.toFixed(0)} ms`]];
      process.stdout.write(formatTable(['seal into another registry', 'wall'], rows));
      process.stdout.write(formatGoal('peak of memory', cost.peak, 150, ' MB'));
    } finally {
      await other.stop();
    }
  }
});

/** Those that are installed; says which are not. */
function thoseThatAreThere(sealers: readonly Sealer[]): readonly Sealer[] {
  const { present, missing } = installed(sealers);
  for (const name of missing) {
    process.stdout.write(`skipped: ${name} (not on the PATH; .ci/peers prints a folder with crane)\n`);
  }
  return present;
}

function sealGoals(costs: Costs, layers: number, latency: number): string {
  const idle = costs.get(IDLE.name);
  const own = costs.get(SEAL);
  const crane = costs.get(CRANE);
  let text = '';
  if (own === undefined) return text;
  if (crane !== undefined && layers === 5) {
    text += formatGoal(`requests ÷ ${CRANE}`, own.requests / crane.requests, 0.34);
  }
  if (crane !== undefined && latency === 50) text += formatGoal(`wall ÷ ${CRANE}`, own.wall / crane.wall, 0.55);
  if (latency === 0 && idle !== undefined)
    text += formatGoal('own time on top of node -e 0', own.wall - idle.wall, 60, ' ms');
  return text;
}

/** The machine may be busy for a while: what is compared is measured at the same time. */
async function timeInTurn(...commands: readonly [Command, Command, Command]): Promise<[Cost, Cost, Cost]> {
  const costs: [Cost[], Cost[], Cost[]] = [[], [], []];
  for (let round = 0; round < 3 * rounds; round++) {
    for (const [index, command] of commands.entries()) costs[index]?.push(await measure([command]));
  }
  return [best(costs[0]), best(costs[1]), best(costs[2])];
}
