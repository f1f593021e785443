import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { E2eError } from '../../errors.ts';
import { Cluster } from '../../targets/cluster/api/cluster.ts';

// To be started where /var/run is empty and nobody else's: logs in as a pod does, once with each of the tokens, between
// which milliseconds pass, and says what came of it.

const FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';
const [ca = '', passes = '', ...tokens] = process.argv.slice(2);

await mkdir(FOLDER, { recursive: true });
await copyFile(ca, join(FOLDER, 'ca.crt'));
await writeFile(join(FOLDER, 'namespace'), 'my-tenant');
await writeFile(join(FOLDER, 'token'), tokens[0] ?? '');

const kind = { apiVersion: 'v1', kind: 'ServiceAccount' };
const cluster = new Cluster({ onExpired: () => {}, pauses: { first: 5, longest: 20 } });
const found: unknown[] = [];
for (const token of tokens) {
  // As the kubelet does it, about every hour.
  await writeFile(join(FOLDER, 'token'), token);
  try {
    found.push((await cluster.read(kind, 'pipeline', cluster.namespace ?? ''))?.metadata.name);
  } catch (error) {
    found.push(error instanceof E2eError ? { code: error.code, found: error.found } : String(error));
  }
  later(Number(passes));
}
process.stdout.write(JSON.stringify({ server: cluster.server, secrets: cluster.secrets, found }));

function later(milliseconds: number): void {
  const Before = Date;
  globalThis.Date = class extends Before {
    constructor(...args: [] | [number | string]) {
      if (args.length === 0) super(Before.now() + milliseconds);
      else super(...args);
    }
    static override now(): number {
      return Before.now() + milliseconds;
    }
  } as DateConstructor;
}
