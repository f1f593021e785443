// The process that brings a cluster up and keeps it, in namespaces of its own that end with it. It is told its setup by a
// file, tells whoever started it line by line what is ready, and ends when that process does before it lets go.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { formatError } from '@multi-image/kit/error-text';
import { chains, installChains } from './chains.ts';
import { isolate } from './isolate.ts';
import { KubeApi } from './kube-api.ts';
import { apiServer, certificateFile, controllerManager, etcd, scheduler } from './kubernetes.ts';
import { containerd, gitServer, kubelet, registry } from './node.ts';
import { type Part, Parts } from './parts.ts';
import { API_SERVER, inState, type Setup } from './place.ts';
import { proxyServices } from './services.ts';
import { installTekton, pipelinesController, webhook } from './tekton.ts';

const [file = ''] = process.argv.slice(2);
const setup = JSON.parse(readFileSync(file, 'utf8')) as Setup;
const parts = new Parts(setup.state);
let kept = false;

/** A line on standard output; nobody may read it any more. */
function say(message: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
process.stdout.on('error', () => {});

createInterface({ input: process.stdin })
  .on('line', (line) => {
    if (line === 'keep') kept = true;
  })
  .on('close', () => {
    if (!kept) process.exit(0);
  });

try {
  writeKubectl(setup);
  isolate(setup.state);
  await bringUp();
  serveControl();
  say({ up: true });
} catch (error) {
  writeFileSync(inState.failed(setup.state), '');
  say({ failed: formatError(error) });
  process.exit(1);
}

/** kubectl is one of the programs in another one, which goes by the word after it. */
function writeKubectl({ state, kubernetes }: Setup): void {
  mkdirSync(inState.programs(state));
  const text = `#!/bin/sh\nexec ${join(kubernetes, 'kubernetes')} kubectl "$@"\n`;
  writeFileSync(join(inState.programs(state), 'kubectl'), text, { mode: 0o755 });
}

async function bringUp(): Promise<void> {
  const { extent, state, token } = setup;
  const isNode = extent === 'node';
  const containers = isNode ? start(containerd(setup)) : undefined;
  // Its failure is told where it is waited for.
  containers?.catch(() => {});
  await start(etcd(setup));
  await start(apiServer(setup));
  const api = new KubeApi({ server: API_SERVER, ca: readFileSync(certificateFile(state), 'utf8'), token });
  void proxyServices(api);
  await Promise.all([
    start(controllerManager(setup)),
    ...(isNode ? [start(scheduler(setup)), start(registry(setup)), start(gitServer(setup))] : []),
    bringUpTekton(api, isNode),
    containers?.then(() => start(kubelet(setup, api))),
    isNode ? installChains(setup, api).then(() => start(chains(setup, api))) : undefined,
  ]);
}

async function bringUpTekton(api: KubeApi, isNode: boolean): Promise<void> {
  await installTekton(setup, api);
  await Promise.all([start(webhook(setup, api)), isNode ? start(pipelinesController(setup, api)) : undefined]);
}

async function start(part: Part): Promise<void> {
  const since = performance.now();
  await parts.start(part);
  say({ ready: part.name, milliseconds: Math.round(performance.now() - since) });
}

/** Parts are stopped and started by requests of one line: `stop NAME [SIGNAL]`, `start NAME`. Answered by one, too. */
function serveControl(): void {
  const socket = inState.control(setup.state);
  rmSync(socket, { force: true });
  createServer((connection) => {
    connection.on('error', () => {});
    createInterface({ input: connection }).on('line', (line) => {
      const [verb, name = '', signal] = line.split(' ');
      const done =
        verb === 'stop'
          ? parts.stop(name, signal === 'SIGKILL' ? signal : 'SIGTERM')
          : verb === 'start'
            ? parts.startAgain(name)
            : Promise.reject(new TypeError(`unknown: ${line}`));
      done.then(
        () => connection.end('done\n'),
        (error) => connection.end(`failed ${JSON.stringify(formatError(error))}\n`),
      );
    });
  }).listen(socket);
}
