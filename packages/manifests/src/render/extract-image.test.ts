import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { attest, type SealedChain, sealedChain, signBoth } from '@multi-image/testing/attested-chain';
import { REVISION } from '@multi-image/testing/chain';
import { SOURCE, taskProvenanceV02 } from '@multi-image/testing/provenance';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { createSigner } from '@multi-image/testing/signer';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ChainConfig } from '../config/schema.ts';
import { TWO } from '../testing/chains.ts';
import { checkDocuments, renderConfig } from '../testing/documents.ts';

const CLI = fileURLToPath(new URL('../../../digest-chain/src/cli.ts', import.meta.url));
const signer = createSigner();
let server: TestRegistry;
let folder: string;

beforeAll(async () => {
  server = await startTestRegistry();
  folder = mkdtempSync(join(tmpdir(), 'extract-image-'));
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the task's step `extract` as a push's scanner would; answers with its exit code and the results it left. */
async function scan(chain: SealedChain, buildSystem: ChainConfig['buildSystem'], files: readonly string[] = []) {
  const { runs, tasks } = checkDocuments(renderConfig({ ...TWO, buildSystem }));
  const given = runs.find(({ metadata }) => metadata.name === 'metadata-scanner-on-push')?.spec.params ?? [];
  const param = (name: string) => given.find((each) => each.name === name)?.value;
  const values: Record<string, string> = {
    IMAGE: `${chain.image1}:${REVISION}`,
    ROLE: 'metadata',
    REVISION,
    DEADLINE: '2s',
    LABEL_PREFIX: 'io.konflux.poc',
    PUBLIC_KEY: String(param('public-key') ?? ''),
  };
  // As Pipelines as Code fills it in.
  const demands = [param('demands') ?? []].flat().map((text) => text.replace('{{source_url}}', SOURCE));
  const step = tasks.get('extract-image')?.steps.find(({ name }) => name === 'extract');
  const fill = (text: string): string =>
    text
      .replace(/\$\(params\.(\w+)\)/g, (_, name: string) => values[name] ?? '')
      .replace(/\$\(results\.(\w+)\.path\)/g, (_, name: string) => join(folder, name));
  const lists: Record<string, readonly string[]> = {
    '$(params.DEMANDS[*])': demands,
    '$(params.FILES[*])': files,
  };
  const args = step?.args?.flatMap((text) => lists[text] ?? fill(text));
  const env = (step?.env ?? []).map((variable) => [variable.name, 'value' in variable ? fill(variable.value) : '']);
  for (const name of ['IMAGE_URL', 'IMAGE_DIGEST', 'PROOF']) rmSync(join(folder, name), { force: true });
  const { PATH } = process.env;
  return new Promise<{ code: number; digest: string | undefined; proof: string | undefined; log: string }>(
    (resolve) => {
      execFile(
        process.execPath,
        [CLI, ...(args ?? [])],
        { env: { PATH, ...Object.fromEntries(env) } },
        (error, _, log) => {
          const read = (name: string): string | undefined => {
            const path = join(folder, name);
            return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
          };
          const code = typeof error?.code === 'number' ? error.code : 0;
          resolve({ code, digest: read('IMAGE_DIGEST'), proof: read('PROOF'), log });
        },
      );
    },
  );
}

test('a pair that somebody pushed by hand does not get out of the scanner, where it knows the build system', async () => {
  const forged = await sealedChain(server.host, 'by-hand');
  const known = await scan(forged, { publicKey: signer.pem });
  expect(known).toMatchObject({ code: 1, digest: undefined, proof: undefined });
  expect(known.log).toContain('SIGNATURE_MISSING');
  // Signed by himself, it is as little.
  await signBoth(forged, createSigner());
  expect(await scan(forged, { publicKey: signer.pem })).toMatchObject({ code: 1, digest: undefined });
  // Without a key nothing tells, which is what it says.
  const unknown = await scan(forged, undefined);
  expect(unknown).toMatchObject({ code: 0, digest: forged.metadata });
  expect(unknown.proof).toContain('who built the images is not known');
  expect(unknown.log).toContain('who built the images is not known');
});

test('an image whose files name nothing of what it embeds does not get out, where they were asked for', async () => {
  const chain = await sealedChain(server.host, 'files');
  expect(await scan(chain, undefined)).toMatchObject({ code: 0, digest: chain.metadata });
  const found = await scan(chain, undefined, ['--files=metadata/primary=manifests/*.yaml']);
  expect(found).toMatchObject({ code: 1, digest: undefined });
  expect(found.log).toContain('named-in-files (metadata): LINK_MISSING');
});

test('what the build system signed gets out, before its run has ended', async () => {
  const chain = await sealedChain(server.host, 'built');
  await signBoth(chain, signer);
  expect(await scan(chain, { publicKey: signer.pem })).toMatchObject({ code: 1, digest: undefined });
  const params = { ORIGIN: chain.origin, LINKS: [`metadata=${chain.image2}@${chain.metadata}`], REVISION };
  await attest(
    chain.image1,
    chain.sealed,
    signer,
    taskProvenanceV02([chain.sealed], { name: 'label-image-1', params }),
  );
  await attest(chain.image2, chain.metadata, signer, taskProvenanceV02([chain.metadata], { name: 'build-image-2' }));
  const { code, digest, proof } = await scan(chain, { publicKey: signer.pem });
  expect({ code, digest }).toEqual({ code: 0, digest: chain.metadata });
  expect(proof).toMatch(/^signed: /);
  // Of the whole run nothing is signed yet.
  expect(await scan(chain, { publicKey: signer.pem, waitFor: 'attested' })).toMatchObject({
    code: 1,
    digest: undefined,
  });
});
