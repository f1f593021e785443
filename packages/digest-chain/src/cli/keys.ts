import { open } from 'node:fs/promises';
import { parsePublicKeys, type VerificationKey } from '../attestation/keys.ts';
import { DigestChainError } from '../errors.ts';

const MAX_KEY_FILE = 64 * 1024;

/** The keys of all files that `--key` names. */
export async function readKeys(paths: readonly string[] = []): Promise<{ keys?: readonly VerificationKey[] }> {
  const keys: VerificationKey[] = [];
  for (const path of paths) keys.push(...parsePublicKeys(await readKeyFile(path)));
  return keys.length === 0 ? {} : { keys };
}

async function readKeyFile(path: string): Promise<string> {
  try {
    const file = await open(path);
    try {
      // A device or a pipe has no size of its own: read what a key can be, and no more.
      const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_KEY_FILE), 0, MAX_KEY_FILE);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DigestChainError('KEY_INVALID', 'a key file could not be read', { found: reason, cause });
  }
}
