import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type SealedChain, sealedChain } from '@multi-image/testing/attested-chain';
import { REVISION } from '@multi-image/testing/chain';
import { hasCommand } from '@multi-image/testing/command';
import { readCommands } from '@multi-image/testing/document-commands';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const lacking = ['skopeo', 'jq', 'sha256sum'].filter((name) => !hasCommand(name));
// The commands are those for a registry with TLS.
const WITHOUT_TLS = 'skopeo() { local verb=$1; shift; command skopeo "$verb" --tls-verify=false "$@"; }';
const blocks = readCommands(fileURLToPath(new URL('../../../docs/proof.md', import.meta.url)));

describe.skipIf(lacking.length > 0)(
  `docs/proof.md${lacking.length > 0 ? ` (skipped: no ${lacking.join()})` : ''}`,
  () => {
    let registry: TestRegistry;
    let chain: SealedChain;
    let folder: string;

    beforeAll(async () => {
      registry = await startTestRegistry();
      chain = await sealedChain(registry.host, 'by-hand');
      folder = mkdtempSync(join(tmpdir(), 'proof-by-hand-'));
    });
    afterAll(async () => {
      await registry?.stop();
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    });

    function run(
      image: string,
      script = blocks.flatMap(({ by, text }) => (by === undefined ? [] : [text])).join('\n'),
    ) {
      const names = { PREFIX: 'io.konflux.poc', ROLE: 'metadata', EMBEDDED: 'primary', VARIABLE: 'IMAGE1' };
      const env = {
        ...process.env,
        ...names,
        IMAGE: image,
      };
      return spawnSync('bash', ['-euo', 'pipefail', '-c', `${WITHOUT_TLS}\n${script}`], {
        cwd: folder,
        env,
        encoding: 'utf8',
      });
    }

    test('proves a chain, with each command as it stands', () => {
      const { status, stdout, stderr } = run(`${chain.image1}:${REVISION}`);
      expect(status, stderr).toBe(0);
      expect(stdout).toContain(`published: ${chain.image1}@${chain.sealed}`);
      expect(stdout).toContain(`leads to ${chain.image2}@${chain.metadata}, and was ${chain.origin}`);
      expect(stdout).toContain(`without its seal: ${chain.image1}@${chain.origin}`);
    });

    test('proves nothing of an image that is not sealed, and stops where anything else was changed', () => {
      expect(run(`${chain.image1}:${REVISION}-unsealed`).status).not.toBe(0);
      const all = blocks.flatMap(({ by, text }) => (by === undefined ? [] : [text])).join('\n');
      const meddle = `sed -i 's/by-hand/by-Hand/' sealed-config.json\n`;
      const at = all.indexOf('jq -Rsj');
      const { status, stdout } = run(`${chain.image1}:${REVISION}`, all.slice(0, at) + meddle + all.slice(at));
      expect(status).not.toBe(0);
      expect(stdout).toContain('leads to');
      expect(stdout).not.toContain('without its seal');
    });
  },
);
