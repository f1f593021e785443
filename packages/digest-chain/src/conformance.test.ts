import { execFile } from 'node:child_process';
import { hasCommand } from '@multi-image/testing/command';
import { REAL_REGISTRIES, startRegistryProgram } from '@multi-image/testing/registry';
import { makeScratch } from '@multi-image/testing/scratch';
import { describe, expect, it } from 'vitest';
import { createdAs, type Quirk, startQuirkProxy } from './testing/quirks.ts';

// OCI's own conformance suite, asked of registries alone and behind the proxy without quirks: the proxy may change nothing of
// what it finds, for better or for worse. It is built by `.ci/registries`.

const SUITE = 'multi-image-conformance';
/** The part of it in which the first breaks off some of its answers, and all of it at one that passes most. */
const BLOBS = 'OCI Conformance Test/sha256 blobs';
const PARTS: Readonly<Record<string, string>> = { 'CNCF distribution 2.8': BLOBS, 'olareg 0.1': '' };

describe.skipIf(!hasCommand(SUITE))(`the proxy in its plain form, by ${SUITE}`, () => {
  for (const { name, program, argumentsFor } of REAL_REGISTRIES.filter((each) => each.name in PARTS)) {
    it.skipIf(!hasCommand(program))(`answers as the registry behind it does: ${name}`, async () => {
      const filter = PARTS[name] ?? '';
      const alone = await verdicts({ program, argumentsFor, filter });
      const proxied = await verdicts({ program, argumentsFor, filter, quirks: [] });
      expect(proxied).toEqual(alone);
      // Not a suite that ended before it began.
      expect(alone.filter((line) => line.endsWith(': Pass')).length).toBeGreaterThan(filter === '' ? 300 : 30);
    });
  }

  it('would be told from one with a quirk', async () => {
    const [registry] = REAL_REGISTRIES;
    if (registry === undefined) throw new Error('no registry');
    const plain = await verdicts({ ...registry, quirks: [], filter: BLOBS });
    const quirky = await verdicts({ ...registry, quirks: [createdAs(200)], filter: BLOBS });
    expect(quirky).not.toEqual(plain);
  });
});

interface Trial extends Pick<(typeof REAL_REGISTRIES)[number], 'program' | 'argumentsFor'> {
  /** Of a proxy before the registry; without them there is none. */
  readonly quirks?: readonly Quirk[];
  /** The part of the suite that is run. */
  readonly filter?: string;
}

/** What the suite says of each of its tests, at a registry that was not used before. Some it runs in no set order. */
async function verdicts({ program, argumentsFor, quirks, filter = '' }: Trial): Promise<readonly string[]> {
  const registry = await startRegistryProgram(program, argumentsFor);
  const proxy = quirks && (await startQuirkProxy(registry.host, ...quirks));
  const { folder, remove } = makeScratch('conformance');
  const settings = {
    OCI_REGISTRY: proxy?.host ?? registry.host,
    OCI_TLS: 'disabled',
    OCI_LOG: 'error',
    OCI_RESULTS_DIR: folder,
    OCI_FILTER_TEST: filter,
  };
  try {
    const options = { env: { ...process.env, ...settings }, cwd: folder, maxBuffer: 64 * 1024 * 1024 };
    // It ends with 1 where a registry does not pass all; that the proxy changes nothing is what is asked here.
    const report = await new Promise<string>((resolve) => {
      execFile(SUITE, options, (_, stdout) => resolve(stdout));
    });
    return report
      .split('\n')
      .filter((line) => /: (?:Pass|FAIL|Skip|Error|Disabled)$/i.test(line))
      .sort();
  } finally {
    await remove();
    await proxy?.stop();
    await registry.stop();
  }
}
