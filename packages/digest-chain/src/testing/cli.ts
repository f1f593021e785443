import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Outcome, runHere } from '@multi-image/testing/command-here';
import { command } from '../cli/command.ts';

export type { Outcome } from '@multi-image/testing/command-here';

/**
 * Runs the command as a user does who is logged in: `auths` is what docker's config.json has of that. Its home is a
 * folder of its own, in which it can't find what others left.
 */
export async function runCli(
  args: readonly string[],
  auths: Readonly<Record<string, object>> = {},
  environment: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const home = await mkdtemp(join(tmpdir(), 'digest-chain-home-'));
  try {
    await writeFile(join(home, 'config.json'), JSON.stringify({ auths }));
    const { PATH = '' } = process.env;
    return await runHere(() => command(args), { PATH, HOME: home, DOCKER_CONFIG: home, ...environment });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
